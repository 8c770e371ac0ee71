"""Signed notes are spelled as the C2SP specifications spell them, and nothing else is read."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.provenance.signing.notes import (
    LOG_KEY,
    MAX_SIGNATURES,
    WITNESS_KEY,
    NoteError,
    NoteKey,
    NoteSignature,
    SignedNote,
)
from houses import key_of

SPECIFIED = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501 - as tlog-cosignature prints it
"""The example in the specification of cosignatures, which says `time 1679315147` of it."""

LOG = NoteKey("lantern/0123456789abcdef", key_of("log").public, LOG_KEY)
SOCIETY = NoteKey("society.example/w1", key_of("society").public, WITNESS_KEY)


def cosign(
    note: SignedNote, time: int, key: NoteKey = SOCIETY, owner: str = "society"
) -> NoteSignature:
    said = f"cosignature/v1\ntime {time}\n".encode() + note.text
    return NoteSignature(key.name, key.hash, time.to_bytes(8, "big") + key_of(owner).sign(said))


@pytest.fixture
def note() -> SignedNote:
    return SignedNote(LOG.name, 7, bytes(range(32))).signed_by(key_of("log"))


def test_specified_example_is_read_and_written_byte_for_byte():
    note = SignedNote.parse(SPECIFIED.encode())
    assert note.encode().decode() == SPECIFIED
    assert (note.origin, note.size) == ("example.com/behind-the-sofa", 20852163)
    assert note.signatures[1].time == 1679315147


def test_published_key_has_its_published_check_digits():
    word = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert str(NoteKey.parse(word, LOG_KEY)) == word  # golang.org/x/mod/sumdb/note


def test_log_signature_verifies_under_its_key_alone(note):
    other = NoteKey(LOG.name, key_of("other").public, LOG_KEY)
    assert note.is_signed_by(LOG)
    assert not note.is_signed_by(other)
    assert not SignedNote(LOG.name, 8, note.root, note.signatures).is_signed_by(LOG)


def test_cosignature_says_its_time(note):
    cosigned = note.with_cosignatures([cosign(note, 1_700_000_000)], [SOCIETY])
    read = SignedNote.parse(cosigned.encode())
    assert [s.time for s in read.cosignatures(SOCIETY)] == [1_700_000_000]


def test_cosignature_whose_time_was_changed_does_not_verify(note):
    true = cosign(note, 1_700_000_000)
    earlier = (1_500_000_000).to_bytes(8, "big") + true.value[8:]
    forged = NoteSignature(true.name, true.key_hash, earlier)
    assert note.with_cosignatures([forged], [SOCIETY]) == note


def test_first_and_last_cosignature_of_a_witness_are_kept(note):
    for time in (30, 10, 20):
        note = note.with_cosignatures([cosign(note, time)], [SOCIETY])
    assert [s.time for s in note.cosignatures(SOCIETY)] == [10, 30]
    assert len(note.signatures) == 3


def test_cosignature_beyond_the_largest_time_does_not_verify(note):
    assert note.with_cosignatures([cosign(note, 2**63)], [SOCIETY]) == note


def test_note_full_of_strangers_lines_has_room_for_witnesses(note):
    """Else what is written could not be read any more."""
    strangers = [NoteSignature(f"s{i}.example", b"abcd", b"x" * 72) for i in range(MAX_SIGNATURES)]
    full = replace(note, signatures=(*note.signatures, *strangers[1:]))
    mine = cosign(note, 1_800_000_000)
    read = SignedNote.parse(full.with_cosignatures([mine], [SOCIETY]).encode())
    assert read.is_signed_by(LOG)
    assert read.cosignatures(SOCIETY) == [mine]


def test_signatures_of_unknown_keys_are_left_alone(note):
    stranger = NoteSignature("stranger.example", b"abcd", bytes(64))
    more = SignedNote(note.origin, note.size, note.root, (*note.signatures, stranger))
    assert more.is_signed_by(LOG)
    assert stranger in more.with_cosignatures([], [SOCIETY]).signatures


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n7\n", "\n07\n"),
        lambda text: text.replace("\n7\n", "\n-7\n"),
        lambda text: text.replace("\n7\n", "\n\u0667\n"),
        lambda text: text.replace("\n\n", "\n"),
        lambda text: text[:-1],
        lambda text: text.replace("=\n\n", "\n\n"),
        lambda text: text.replace("=\n\n", "=\r\n\n"),
        lambda text: text.replace("— ", "- "),
        lambda text: text.replace("\n\n— ", "\n\n—  "),
        lambda text: "\n" + text,
        lambda text: text + text.splitlines()[-1] + "\x1b\n",
        lambda text: text + (text.splitlines()[-1] + "\n") * 64,
    ],
)
def test_note_spelled_otherwise_is_refused(note, change):
    with pytest.raises(NoteError):
        SignedNote.parse(change(note.encode().decode()).encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_a_note_that_is_written_so_or_refused(data):
    try:
        note = SignedNote.parse(data)
    except NoteError:
        return
    assert note.encode() == data


def test_key_for_which_anybody_can_sign_is_refused():
    weak = str(NoteKey("society.example", bytes([1] + [0] * 31), WITNESS_KEY))
    with pytest.raises(NoteError, match="no witness's key"):
        NoteKey.parse(weak, WITNESS_KEY)


def test_mistyped_key_is_refused():
    name, digest, data = str(SOCIETY).split("+", 2)
    flipped = base64.b64encode(b"\x04" + key_of("somebody").public).decode()
    with pytest.raises(NoteError, match="check digits"):
        NoteKey.parse(f"{name}+{digest}+{flipped}", WITNESS_KEY)
    assert data != flipped


def test_logs_key_is_no_witness_key():
    with pytest.raises(NoteError, match="no witness's key"):
        NoteKey.parse(str(LOG), WITNESS_KEY)

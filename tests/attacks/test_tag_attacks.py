"""Attacks on the tag: what is not byte for byte what two people signed is refused."""

import io
import json

import pytest

from gen.provenance.admission.gate import Gate
from gen.provenance.records.roster import Person, PersonKey
from gen.provenance.records.tag import read_tag, tag_chunk
from gen.provenance.signing.canonical import canonical, sha256_hex, today_utc
from gen.provenance.signing.dsse import STATEMENT_TYPE, Envelope, sign
from houses import key_of, make_midi, make_statement, start_house, tagged


def plant(house, data, place="ana/planted.mid"):
    path = house.folder / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return place


def forged(midi, *names, payload_type=STATEMENT_TYPE, statement=None):
    """A tag signed by whoever the attacker likes."""
    payload = (statement or make_statement(midi)).stamped().payload(sha256_hex(midi))
    signatures = tuple(sign(payload_type, payload, key_of(name)) for name in names)
    return midi + tag_chunk(Envelope(payload_type, payload, signatures))


def with_envelope(file, change):
    """The file with the text of its envelope changed."""
    tag = read_tag(file)
    text = change(tag.envelope.encode())
    return tag.music + b"HPRV" + len(text).to_bytes(4, "big") + text


def test_untagged(house):
    house.enter(1)
    plant(house, make_midi(2))
    corpus = house.admit()
    assert len(corpus) == 2
    assert str(corpus.refused[0]).startswith(
        "ana/planted.mid: refused (untagged): the file has no house tag\n  to mend it: "
        "if a house composer wrote it: python scripts/contribute.py"
    )


def test_tag_copied_from_another_work(house):
    (entry,) = house.enter(1)
    tag = house.path(entry).read_bytes()[len(make_midi(1)) :]
    plant(house, make_midi(2) + tag)
    assert house.rules() == {"ana/planted.mid": "digest-mismatch"}


def _flips(data, *, every_bit):
    for place in range(len(data)):
        # A different bit in each byte covers every bit position without 8 times the work.
        for bit in range(8) if every_bit else [place % 8]:
            yield place, bytes([*data[:place], data[place] ^ 1 << bit, *data[place + 1 :]])


def _check_flips(house, *, every_bit):
    (entry,) = house.enter(1)
    path = house.path(entry)
    data, register = path.read_bytes(), house.load()
    for place, changed in _flips(data, every_bit=every_bit):
        path.write_bytes(changed)
        gate = Gate(house.house, register, "general_model", today_utc(), None, for_new_model=False)
        gate.judge(entry.path)
        corpus = gate.corpus()
        assert (len(corpus.refused), len(corpus.admitted)) == (1, 0), f"byte {place}"


def test_any_single_bit_flipped_anywhere(house):
    _check_flips(house, every_bit=False)


@pytest.mark.slow
def test_any_single_bit_flipped_anywhere_all_of_them(house):
    _check_flips(house, every_bit=True)


def _resave_mido(data):
    import mido

    out = io.BytesIO()
    mido.MidiFile(file=io.BytesIO(data)).save(file=out)
    return out.getvalue()


def _resave_pretty_midi(data):
    import pretty_midi

    out = io.BytesIO()
    pretty_midi.PrettyMIDI(io.BytesIO(data)).write(out)
    return out.getvalue()


def _resave_symusic(data):
    from symusic import Score

    return bytes(Score.from_midi(data).dumps_midi())


def _resave_miditok(data):
    import miditok
    from symusic import Score

    tokenizer = miditok.REMI()
    return bytes(tokenizer.decode(tokenizer.encode(Score.from_midi(data))).dumps_midi())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "resave", [_resave_mido, _resave_pretty_midi, _resave_symusic, _resave_miditok]
)
def test_edited_and_resaved_by_each_library(house, resave):
    (entry,) = house.enter(1)
    path = house.path(entry)
    path.write_bytes(resave(path.read_bytes()))
    (rule,) = house.rules().values()
    assert rule in ("untagged", "malformed-midi")  # what MidiTok saves is not strict either


def test_two_tags(house):
    (entry,) = house.enter(1)
    data = house.path(entry).read_bytes()
    house.path(entry).write_bytes(data + data[len(make_midi(1)) :])
    assert house.rules() == {entry.path: "two-tags"}


@pytest.mark.parametrize("tail", [b"\x00", b"\n", b"a few words more", b"MTrk\0\0\0\0"])
def test_bytes_after_the_tag(house, tail):
    (entry,) = house.enter(1)
    with house.path(entry).open("ab") as file:
        file.write(tail)
    assert house.rules()[entry.path] in ("trailing-bytes", "malformed-midi")


def test_foreign_chunks_before_or_between_tracks(house):
    midi, chunk = make_midi(1), b"XFIH\0\0\0\x02ab"
    second_track = midi.index(b"MTrk", 18)
    for number, place in enumerate((14, second_track)):
        changed = midi[:place] + chunk + midi[place:]
        statement = make_statement(midi)
        plant(house, forged(changed, "ana", "cleo", statement=statement), f"ana/p{number}.mid")
    after = midi + chunk + read_tag(tagged(midi)).encode()[len(midi) :]
    plant(house, after, "ana/p2.mid")
    assert house.rules() == {
        "ana/p0.mid": "malformed-midi",
        "ana/p1.mid": "malformed-midi",
        "ana/p2.mid": "foreign-chunk",
    }


def test_forged_key(house):
    plant(house, forged(make_midi(1), "mallory", "cleo"), "ana/p0.mid")
    plant(house, forged(make_midi(1), "ana", "mallory"), "ana/p1.mid")
    assert house.rules() == {"ana/p0.mid": "unknown-key", "ana/p1.mid": "unknown-key"}


def test_forged_signature_under_a_real_keys_name(house):
    midi = make_midi(1)
    tag = read_tag(forged(midi, "mallory", "cleo"))
    lie = tag.envelope.encode().replace(
        key_of("mallory").keyid.encode(), key_of("ana").keyid.encode()
    )
    plant(house, with_envelope(tag.encode(), lambda _: lie))
    assert house.rules() == {"ana/planted.mid": "bad-signature"}


def test_same_person_in_both_roles(tmp_path):

    both = (PersonKey(key_of("ana").public, 0), PersonKey(key_of("ana 2").public, 0))
    people = [Person("ana", "Ana", ("composer", "curator"), both)]
    house = start_house(tmp_path / "house", people=people)
    house.submit(tagged(make_midi(1)))
    result = house.accept(curator="ana 2")
    assert [item.rule for item in result.refused] == ["same-person"]
    plant(house, forged(make_midi(1), "ana", "ana 2"))
    assert house.rules() == {"ana/planted.mid": "same-person"}


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ("ben", "cleo", "wrong-role"),  # no composer of this work
        ("cleo", "ana", "wrong-role"),  # the right people the wrong way round
        ("ana", "ben", "wrong-role"),  # a composer is no curator
    ],
)
def test_the_right_people_in_the_wrong_roles(house, first, second, rule):
    plant(house, forged(make_midi(1), first, second))
    assert house.rules() == {"ana/planted.mid": rule}


@pytest.mark.parametrize("names", [("ana",), ("ana", "cleo", "dana")])
def test_another_number_of_signatures_than_two(house, names):
    plant(house, forged(make_midi(1), *names))
    assert house.rules() == {"ana/planted.mid": "signature-count"}


def test_duplicate_json_keys(house):
    (entry,) = house.enter(1)
    path = house.path(entry)
    path.write_bytes(
        with_envelope(path.read_bytes(), lambda e: e[:-1] + b',"payloadType":"text/plain"}')
    )
    (refusal,) = house.admit().refused
    assert refusal.rule == "bad-envelope"
    assert "'payloadType' appears twice" in refusal.found


def test_duplicate_json_keys_inside_the_signed_payload(house):
    midi = make_midi(1)
    payload = make_statement(midi).stamped().payload(sha256_hex(midi))
    payload = payload[:-1] + b',"subject":[]}'
    signatures = tuple(sign(STATEMENT_TYPE, payload, key_of(name)) for name in ("ana", "cleo"))
    plant(house, midi + tag_chunk(Envelope(STATEMENT_TYPE, payload, signatures)))
    (refusal,) = house.admit().refused
    assert (refusal.rule, "appears twice" in refusal.found) == ("bad-envelope", True)


def test_wrong_payload_type(house):
    plant(house, forged(make_midi(1), "ana", "cleo", payload_type="text/plain"))
    assert house.rules() == {"ana/planted.mid": "wrong-payload-type"}


def test_signature_made_for_another_kind_of_record(house):
    """The payload type is signed: changing its name back does not help."""
    other = read_tag_loosely(forged(make_midi(1), "ana", "cleo", payload_type="text/plain"))
    other["payloadType"] = STATEMENT_TYPE
    text = canonical(other)
    plant(house, make_midi(1) + b"HPRV" + len(text).to_bytes(4, "big") + text)
    assert house.rules() == {"ana/planted.mid": "bad-signature"}


def read_tag_loosely(data):
    return json.loads(data[data.index(b"HPRV") + 8 :])


@pytest.mark.parametrize("change", [lambda e: e + b" ", lambda e: b" " + e, lambda e: e[:-1]])
def test_envelope_spelled_otherwise(house, change):
    (entry,) = house.enter(1)
    path = house.path(entry)
    path.write_bytes(with_envelope(path.read_bytes(), change))
    assert house.rules() == {entry.path: "bad-envelope"}


def test_statement_about_another_sound(house):
    """Two colluding signers state a musical hash that is not the music's."""
    midi = make_midi(1)
    statement = make_statement(midi, musical_hash=make_statement(make_midi(2)).musical_hash)
    result = house.submit(forged(midi, "ana", statement=statement))
    house.accept()
    assert not house.entries
    assert result[0].rule == ""  # the inbox takes it; the curator's command does not
    plant(house, forged(midi, "ana", "cleo", statement=statement))
    assert house.rules() == {"ana/planted.mid": "unregistered"}

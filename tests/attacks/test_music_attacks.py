"""Attacks with the music itself: generated pieces that come back, bombs, parser disagreement."""

import hashlib
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_tag_attacks import forged, plant

from gen.likeness.voices import pack_voices, voices_of
from gen.piece import Note, Piece, Track
from gen.provenance.admission.mark import MARK_TEXT, mark_generated
from gen.provenance.records.tag import TagError
from gen.smf import RuleBroken, musical_hash, parse, write
from houses import make_midi, make_statement, tagged

RECEIPT = "ab" * 32


def log_output(house, midi):
    """What sampling writes down about a piece."""
    piece = parse(midi)
    melody = pack_voices(voices_of(piece))
    house.log_output(musical_hash(piece), receipt=RECEIPT, fingerprint=melody)


def test_generated_piece_submitted(house):
    marked = mark_generated(make_midi(1), RECEIPT)
    with pytest.raises(TagError, match="'HGEN' chunk already follows"):
        tagged(marked)
    plant(house, marked)
    assert house.rules() == {"ana/planted.mid": "generated"}


def test_generated_piece_with_its_chunk_stripped(house):
    marked = mark_generated(make_midi(1), RECEIPT)
    plant(house, marked[: marked.rindex(b"HGEN")])
    assert house.rules() == {"ana/planted.mid": "generated"}


def test_generated_piece_with_its_mark_stripped(house):
    """Both marks gone, tagged by a real composer: the log knows its sound."""
    midi = make_midi(1)
    log_output(house, midi)
    assert house.contribute(midi) == "generated"
    (result,) = house.submit(tagged(midi))
    assert (result.rule, "generated piece" in result.found) == ("generated", True)


def melody(seed, count=60):
    """A line of equal notes that shares no long run with another seed's."""
    steps = [byte % 8 - 4 or 5 for byte in hashlib.shake_128(str(seed).encode()).digest(count)]
    line = [64]
    for step in steps:
        line.append(line[-1] + (step if 48 < line[-1] + step < 84 else -step))
    return line


def played(*line, length=240):
    notes = [Note(i * length, length - 20, pitch, 80) for i, pitch in enumerate(line)]
    return write(Piece(480, [Track("Tune", 73, notes=notes)]))


def test_generated_piece_transposed_and_resubmitted(house):
    """Another key, other lengths, no mark: another hash, the same melody."""
    midi = played(*melody(1))
    log_output(house, midi)
    moved = played(*(pitch + 3 for pitch in melody(1)), length=360)
    assert musical_hash(parse(moved)) != musical_hash(parse(midi))
    assert house.contribute(moved) == "generated"
    assert house.smuggle(tagged(moved)) == "generated"


def test_validly_signed_excerpt_of_somebody_elses_tune(house):
    """Some bars of ben's amid ana's own: whether contributed or laid into the inbox."""
    house.submit(tagged(played(*melody(1)), "ben"))
    house.accept()
    few = played(*melody(4), *(pitch + 2 for pitch in melody(1)[10:36]), *melody(5))
    assert house.smuggle(tagged(few)) == "wants-review"
    stolen = played(*melody(2), *(pitch + 2 for pitch in melody(1)[10:55]), *melody(3))
    assert house.contribute(stolen) == "too-similar"
    assert house.smuggle(tagged(stolen)) == "too-similar"
    own = played(*melody(6), *melody(7))
    assert house.smuggle(tagged(own)) == ""
    assert house.rules() == {}


def test_generated_piece_entered_before_the_log_knew_is_told(house):
    """The order in the log decides: whoever enters pieces could else refuse any work."""
    house.enter(1)
    log_output(house, make_midi(1))
    assert house.rules() == {}
    code, told = house._run("house", "verify")
    assert (code, told["written_again"]) == (0, [house.entries[0].work])


def test_two_colluding_signers_enter_a_generated_piece(house):
    midi = make_midi(1)
    log_output(house, midi)
    (house.folder / "inbox").mkdir(exist_ok=True)
    statement = make_statement(midi)
    path = house.folder / "inbox" / f"{statement.work}.mid"
    path.write_bytes(forged(midi, "ana", statement=statement))
    (waiting,) = house.accept().refused
    assert waiting.rule == "generated"


BOMBS = {
    "delta of 2**28 at division 24": b"MThd\0\0\0\6\0\0\0\1\0\x18MTrk\0\0\0\x0f"
    b"\0\x90\x3c\x40\xff\xff\xff\x7f\x80\x3c\x40\0\xff\x2f\0",
    "division 1": b"MThd\0\0\0\6\0\0\0\1\0\1MTrk\0\0\0\4\0\xff\x2f\0",
    "65535 tracks": b"MThd\0\0\0\6\0\1\xff\xff\1\xe0MTrk\0\0\0\4\0\xff\x2f\0",
    "track of 4 GB": b"MThd\0\0\0\6\0\0\0\1\1\xe0MTrk\xff\xff\xff\xff\0\xff\x2f\0",
    "empty file": b"",
    "header only": b"MThd\0\0\0\6\0\0\0\1\1\xe0",
}


@pytest.mark.parametrize("name", BOMBS)
def test_malformed_or_bomb_midi(house, name):
    midi = BOMBS[name]
    with pytest.raises(RuleBroken):
        parse(midi)
    assert house.contribute(midi)
    plant(house, forged(midi, "ana", "cleo", statement=make_statement(make_midi(1))))
    assert house.rules()["ana/planted.mid"] in ("malformed-midi", "unregistered")
    assert len(house.admit().admitted) == 0


def _walker_notes(midi):
    return sorted(
        (n.onset_ticks, n.duration_ticks, n.pitch, n.velocity)
        for track in parse(midi).tracks
        for n in track.notes
    )


def _symusic_notes(midi):
    from symusic import Score

    score = Score.from_midi(midi)
    return sorted((n.time, n.duration, n.pitch, n.velocity) for t in score.tracks for n in t.notes)


def _mido_notes(midi):
    import mido

    found = []
    for track in mido.MidiFile(file=io.BytesIO(midi)).tracks:
        now, sounding = 0, {}
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity:
                sounding[message.channel, message.note] = (now, message.velocity)
            elif message.type in ("note_on", "note_off"):
                start, velocity = sounding.pop((message.channel, message.note))
                found.append((start, now - start, message.note, velocity))
    return sorted(found)


@given(st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_parser_disagreement(data):
    """Whatever the strict walker lets through, symusic and mido read the same notes in."""
    midi = bytearray(make_midi(data.draw(st.integers(0, 5)), bars=1))
    for _ in range(data.draw(st.integers(0, 2))):
        midi[data.draw(st.integers(14, len(midi) - 1))] = data.draw(st.integers(0, 255))
    changed = bytes(midi)
    try:
        notes = _walker_notes(changed)
    except RuleBroken:
        return
    assert notes == _symusic_notes(changed) == _mido_notes(changed)


def test_mark_is_written_for_people_too():
    marked = mark_generated(make_midi(1), RECEIPT)
    assert MARK_TEXT + RECEIPT.encode() in marked
    assert _walker_notes(marked) == _walker_notes(make_midi(1))


SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("kind", [b"\x7f", b"\x01"])
def test_a_file_that_says_itself_that_a_machine_made_it(house, encoding, kind):
    """As an event of C2PA's, or as XMP in a text."""
    midi = make_midi(1)
    said = b"\x00\x43\x32" + SOURCE.encode(encoding)
    length = bytes([0x81, len(said) - 128]) if len(said) > 127 else bytes([len(said)])
    event = b"\x00\xff" + kind + length + said
    size = int.from_bytes(midi[18:22], "big") + len(event)
    assert house.contribute(midi[:18] + size.to_bytes(4, "big") + event + midi[22:]) == "generated"


def test_a_withdrawn_work_with_one_velocity_changed(house):
    from dataclasses import replace

    from gen.provenance.desk.works import withdraw
    from houses import key_of

    house.submit(tagged(played(*melody(1))))
    (entry,) = house.accept().entered
    withdraw(house.house, [entry.work], key_of("ana"), "contract ended")
    piece = parse(played(*melody(1)))
    notes = piece.tracks[0].notes
    notes[3] = replace(notes[3], velocity=81)
    assert house.contribute(write(piece)) == "withdrawn"
    assert house.smuggle(tagged(write(piece))) == "withdrawn"

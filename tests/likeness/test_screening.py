"""Screening: excerpts, transpositions and re-played melodies are found, unrelated music is not."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.errors import HouseError, SettingError
from gen.likeness.alignment import _is_again
from gen.likeness.columns import decode, encode
from gen.likeness.fingerprint import Fingerprint, NewPiece
from gen.likeness.lists import read_fingerprints
from gen.likeness.passages import GUARANTEED_RUN, PassageIndex, counted_length, winnow
from gen.likeness.report import BLOCK, CLEAR, FINGERPRINT, OUTPUT, REVIEW, WORK, Known, Report
from gen.likeness.screening import Screen
from gen.likeness.thresholds import Thresholds
from gen.likeness.voices import (
    Voice,
    pack_voices,
    shingle_hashes,
    shingles_of,
    unpack_voices,
    voices_of,
    voices_of_music,
)
from gen.piece import Note, Piece, Track
from gen.provenance.desk.works import kept_work
from gen.provenance.signing.canonical import sha256_hex
from thorough import examples

UNIT = 480


def melody(seed: int, count: int = 120) -> list[int]:
    """A tune by chance: steps and some leaps between C3 and C6."""
    rng = random.Random(seed)  # noqa: S311 - chance, no secret
    pitches = [64]
    while len(pitches) < count:
        step = rng.choice((-5, -4, -3, -2, -2, -1, -1, 1, 1, 2, 2, 3, 4, 5, 7))
        pitches.append(min(max(pitches[-1] + step, 48), 84))
    return pitches


def piece_of(*lines: list[int], late_ticks: int = 0) -> Piece:
    """One track a line, quavers; humanised by up to `late_ticks`."""
    rng = random.Random(1)  # noqa: S311
    tracks = [
        Track(
            f"line {number}",
            notes=[
                Note(i * 240 + rng.randint(0, late_ticks), 200, pitch, 80)
                for i, pitch in enumerate(line)
            ],
        )
        for number, line in enumerate(lines)
    ]
    return Piece(UNIT, tracks)


def print_of(piece: Piece, roles: tuple[str, ...] = ()) -> Fingerprint:
    return NewPiece.of(piece, roles).fingerprint


def screen_of(*seeds: int, thresholds: Thresholds | None = None) -> Screen:
    screen = Screen(thresholds)
    for seed in seeds:
        screen.add(Known(WORK, f"work-{seed}", ("ana",)), print_of(piece_of(melody(seed))))
    return screen


@pytest.fixture(scope="module")
def hundred() -> Screen:
    return screen_of(*range(100))


def compare(
    screen: Screen, piece: Piece, roles: tuple[str, ...] = (), composers: Sequence[str] = ()
) -> Report:
    return screen.compare(NewPiece.of(piece, roles), composers)


def only_match(report: Report):
    assert len(report.matches) == 1
    return report.matches[0]


def test_unrelated_melodies_are_clear(hundred: Screen) -> None:
    verdicts = [compare(hundred, piece_of(melody(s))).verdict for s in range(1000, 1060)]
    assert verdicts == [CLEAR] * 60


def test_a_work_that_is_forgotten_shares_what_it_would_share_were_it_new() -> None:
    seeds = range(40)
    others, everything = screen_of(*seeds[:-1]), screen_of(*seeds)
    others.shared.learn(seeds[:-1])
    everything.shared.learn(seeds)
    new = NewPiece.of(piece_of(melody(seeds[-1])))
    as_new = max(found.weight for found in others.shared.find(new))
    last = [seeds[-1]]
    learned = everything.shared.best_by_chance(last[0], last)
    with everything.shared.forgetting(last):
        assert everything.shared.best_by_chance(last[0], last) == pytest.approx(as_new)
    assert everything.shared.best_by_chance(last[0], last) == learned < as_new


@pytest.mark.parametrize("semitones", [0, 5, -7])
def test_a_transposed_humanised_copy_is_blocked(hundred: Screen, semitones: int) -> None:
    copy = piece_of([p + semitones for p in melody(7)], late_ticks=25)
    found = compare(hundred, copy)
    match = only_match(found)
    assert (found.verdict, match.known.name) == (BLOCK, "work-7")
    assert match.similarity > 0.95
    assert match.passage is not None
    assert match.passage.notes > 100


def test_an_excerpt_inside_another_melody_is_blocked_though_the_whole_differs(hundred) -> None:
    own = melody(2000)
    stolen = [pitch + 3 for pitch in melody(41)[30:62]]
    found = compare(hundred, piece_of(own[:60] + stolen + own[60:]))
    match = only_match(found)
    assert (found.verdict, match.known.name) == (BLOCK, "work-41")
    assert match.similarity < 0.2
    assert match.passage is not None
    assert 32 <= match.passage.notes <= 34


def recited(seed: int) -> Piece:
    """A tune of few moves: each note is struck again several times, when is the tune's own."""
    rng = random.Random(f"recited {seed}")  # noqa: S311
    notes, onset = [], 0
    for pitch in melody(seed, 40):
        for _ in range(rng.choice((1, 3, 4, 5))):
            length = rng.choice((120, 240, 240, 360, 480))
            notes.append(Note(onset, length - 20, pitch, 80))
            onset += length
    return Piece(UNIT, [Track("voice", notes=notes)])


def test_where_a_note_is_struck_again_is_somebodys_too() -> None:
    screen, tune = Screen(), recited(3)
    for seed in range(30):
        screen.add(Known(WORK, f"work-{seed}", ("ana",)), print_of(recited(seed)))
    (voice,) = tune.tracks
    few = replace(tune, tracks=[replace(voice, notes=voice.notes[:32])])  # some ten moves
    match = only_match(compare(screen, few))
    assert match.known.name == "work-3"
    assert len(print_of(few).tracks[0].pitches) < 14
    assert match.passage is not None
    assert match.passage.notes == 32


def test_passages_are_judged_at_the_thresholds() -> None:
    line = piece_of(melody(3000)[:40] + melody(63)[20:44] + melody(3000)[40:])
    bits = only_match(compare(screen_of(63, thresholds=Thresholds(1, 999)), line)).passage.bits
    verdicts = [
        compare(screen_of(63, thresholds=Thresholds(*limits)), line).verdict
        for limits in ((bits + 2, 999), (bits - 2, bits + 2), (bits - 4, bits - 2))
    ]
    assert verdicts == [CLEAR, REVIEW, BLOCK]


def test_a_re_struck_or_ornamented_chord_keeps_the_line() -> None:
    screen = screen_of(5)
    notes = []
    for i, pitch in enumerate(melody(5)):
        notes += [Note(i * 240, 100, pitch, 80), Note(i * 240 + 120, 90, pitch, 80)]
        notes.append(Note(i * 240 + 3, 100, pitch - 12, 60))  # an octave below, a little late
    found = compare(screen, Piece(UNIT, [Track("octaves", notes=sorted(notes))]))
    assert found.verdict == BLOCK


def test_a_composer_s_own_theme_again_is_for_review_not_blocked() -> None:
    screen, again = screen_of(5), piece_of(melody(5))
    assert compare(screen, again, composers=["ana", "ben"]).verdict == REVIEW
    assert compare(screen, again, composers=["ben"]).verdict == BLOCK


@pytest.mark.parametrize("kind", [OUTPUT, FINGERPRINT])
def test_an_output_or_a_listed_work_is_nobody_s_own(kind: str) -> None:
    screen = Screen()
    screen.add(Known(kind, "x", ("ana",)), print_of(piece_of(melody(5))))
    assert compare(screen, piece_of(melody(5)), composers=["ana"]).verdict == BLOCK


def arpeggios(bars: int, seed: int) -> list[int]:
    rng = random.Random(seed)  # noqa: S311
    return [48 + rng.randrange(12) + step for _ in range(bars) for step in (0, 4, 7, 12, 7, 4)]


def test_broken_chords_alike_for_pages_are_never_blocked() -> None:
    screen = Screen(Thresholds(block_similarity=1, review_similarity=1))
    screen.add(Known(WORK, "a"), print_of(piece_of(melody(1), arpeggios(40, 9))))
    found = compare(screen, piece_of(melody(2), arpeggios(39, 9)))
    assert found.verdict in (CLEAR, REVIEW)


def test_a_line_declared_as_accompaniment_does_not_block_unless_the_other_is_a_tune() -> None:
    limits = Thresholds(block_similarity=1, review_similarity=1)
    known, new = piece_of(melody(5), melody(6)), piece_of(melody(5), melody(7))
    tune, bass = Screen(limits), Screen(limits)
    tune.add(Known(WORK, "a"), print_of(known, ("main_melody", "sub_melody")))
    bass.add(Known(WORK, "a"), print_of(known, ("bass", "sub_melody")))
    assert compare(tune, new, ("bass", "main_melody")).verdict == BLOCK
    assert compare(bass, new, ("bass", "main_melody")).verdict == REVIEW


def test_a_pattern_repeated_for_pages_counts_once() -> None:
    assert counted_length(np.array([4, 3, -7] * 50, dtype=np.int16)) == 3 + 3
    assert counted_length(np.array([1, 2], dtype=np.int16)) == 2
    assert counted_length(np.diff(np.array(melody(4)[:20], dtype=np.int16))) == 19


def test_drums_and_short_lines_have_no_voice() -> None:
    kit = Track("kit", 0, True, notes=[Note(i * 60, 50, 35 + i % 5, 80) for i in range(60)])
    few = Track("few", notes=[Note(i * 60, 50, 60 + i % 5, 80) for i in range(6)])
    assert voices_of(Piece(UNIT, [kit, few])) == ()
    assert compare(screen_of(1), Piece(UNIT, [kit, few])).verdict == CLEAR


@given(st.lists(st.integers(-12, 12), min_size=GUARANTEED_RUN, max_size=60), st.integers(0, 2**32))
@examples(80)
def test_every_shared_run_of_guaranteed_length_has_a_kept_shingle_in_common(steps, seed) -> None:
    rng = random.Random(seed)  # noqa: S311
    shared = np.array(steps, dtype=np.int16)

    def wrapped() -> set[int]:
        before, after = ([rng.randint(-12, 12) for _ in range(30)] for _ in range(2))
        line = np.concatenate([before, shared, after]).astype(np.int16)
        hashes = shingle_hashes(line)
        return {int(hashes[place]) for place in winnow(hashes)}

    assert wrapped() & wrapped()


def test_shingle_hashes_tell_intervals_apart() -> None:
    rng = random.Random(3)  # noqa: S311
    runs = {tuple(rng.randint(-20, 20) for _ in range(6)) for _ in range(5_000)}
    hashes = {int(shingle_hashes(np.array(run, dtype=np.int16))[0]) for run in runs}
    assert len(hashes) == len(runs)


@pytest.mark.parametrize("recent", [30, 100_000])
def test_the_index_finds_the_same_however_it_grew(recent: int, monkeypatch) -> None:
    monkeypatch.setattr("gen.likeness.passages._RECENT", recent)
    index, lines = PassageIndex(), [voices_of(piece_of(melody(s, 60)))[0] for s in range(40)]
    for line in lines:
        index.extend([line])
    for number, line in enumerate(lines):
        best = max(index.shared_runs(line), key=lambda run: run.length)
        assert (best.voice, best.our_first, best.intervals) == (number, 0, len(line.intervals))


def test_both_passages_are_told_with_bars_and_names() -> None:
    screen = screen_of(41)
    found = compare(screen, piece_of(melody(9)[:8] + [p + 1 for p in melody(41)[8:30]]))
    text = found.side_by_side()
    assert "review: " in text
    assert "the house's work work-41" in text
    assert "honest pieces to be looked at in vain" in text
    assert "here   line 0, bars 2-4: " in text
    assert "there  line 0, bars 2-4: " in text
    ours, theirs = (line.split(": ")[1].split() for line in text.splitlines()[2:4])
    assert len(ours) == len(theirs) > 16


def test_the_report_s_digest_is_that_of_its_bytes_and_moves_with_them() -> None:
    screen = screen_of(5, 6)
    one = compare(screen, piece_of(melody(5)))
    other = compare(screen, piece_of(melody(6)))
    assert one.digest == sha256_hex(one.encode())
    assert one.digest != other.digest
    content = json.loads(one.encode())
    assert content["verdict"] == BLOCK
    assert content["compared"] == 2
    assert content["matches"][0]["known"]["name"] == "work-5"
    assert 40 < content["bits"]["review"] < content["bits"]["block"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"review_similarity": 0},
        {"review_similarity": 0.6},
        {"block_similarity": 1.1},
        {"review_bits": 0},
        {"review_bits": float("inf")},
        {"block_bits": float("nan")},
        {"review_bits": 60, "block_bits": 50},
        {"block_bars": 0},
    ],
)
def test_thresholds_that_contradict_are_refused(wrong: dict) -> None:
    with pytest.raises(SettingError):
        Thresholds(**wrong)


def test_voices_survive_being_logged_as_json() -> None:
    voices = voices_of(piece_of(melody(1), melody(2)), ("main_melody", "bass"))
    back = unpack_voices(json.loads(json.dumps(pack_voices(voices))))
    for one, other in zip(voices, back, strict=True):
        assert (one.label, one.is_leading) == (other.label, other.is_leading)
        assert one.pitches.tolist() == other.pitches.tolist()
        assert one.bars.tolist() == other.bars.tolist()
    assert shingles_of(voices).tolist() == shingles_of(back).tolist()


def test_a_rights_holder_s_list_of_intervals_blocks_its_melody(tmp_path: Path) -> None:
    steps = np.diff(melody(77)).tolist()
    path = tmp_path / "list.json"
    works = [{"name": "Opus 1", "voices": [steps]}]
    path.write_text(json.dumps({"holder": "Example Music", "works": works}), encoding="utf-8")
    screen = Screen()
    for known, fingerprint in read_fingerprints(path):
        screen.add(known, fingerprint)
    found = compare(screen, piece_of(melody(77)), composers=["ana"])
    assert found.verdict == BLOCK
    assert "the listed work Example Music: Opus 1" in found.side_by_side()


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        '{"holder": "x"}',
        '{"holder": "x", "works": [{"name": "y", "voices": "z"}]}',
        '{"holder": "x", "works": [{"name": "y", "voices": [["up"]]}]}',
        '{"holder": "x", "works": [{"name": "y", "voices": [{"pitches": "!"}]}]}',
        '{"holder": "x", "works": [{"name": "y", "voices": [[99999]]}]}',
    ],
)
def test_a_list_that_cannot_be_read_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(HouseError, match="no list of fingerprints") as refusal:
        read_fingerprints(path)
    assert str(path) in str(refusal.value)


def test_a_voice_s_intervals_are_its_steps() -> None:
    voice = Voice("x", True, np.array([60, 62, 59], dtype=np.int16), np.zeros(3, dtype=np.int32))
    assert voice.intervals.tolist() == [2, -3]


def voice_of(seed: int) -> Voice:
    pitches = np.array(melody(seed), dtype=np.int16)
    return Voice(f"line {seed}", True, pitches, np.arange(len(pitches), dtype=np.int32) // 8 + 1)


def test_an_index_made_at_once_grown_or_packed_finds_the_same() -> None:
    voices = [voice_of(seed) for seed in range(30)]
    grown = PassageIndex()
    for voice in voices:
        grown.extend([voice])
    at_once = PassageIndex(voices)
    packed = PassageIndex.of_state(decode(encode(at_once.state())))
    packed.extend([voice_of(30)])
    for index in (grown, at_once):
        index.extend([voice_of(30)])
    stolen = np.concatenate([voice_of(99).pitches[:40], voice_of(7).pitches[10:60] + 3])
    for new in (Voice("new", True, stolen.astype(np.int16), stolen.astype(np.int32)), voice_of(30)):
        found = [index.shared_runs(new) for index in (grown, at_once, packed)]
        assert found[0]
        assert found[0] == found[1] == found[2]
    assert [v.label for v in packed.voices] == [v.label for v in grown.voices]
    assert packed.voices[4].bars.tolist() == voices[4].bars.tolist()


def test_voices_that_are_set_apart_are_not_compared_with() -> None:
    index = PassageIndex(voice_of(seed) for seed in (1, 2))
    apart = np.array([True, False])
    assert [run.voice for run in index.shared_runs(voice_of(1))] == [0]
    assert index.shared_runs(voice_of(1), apart_from=apart) == []
    assert [run.voice for run in index.shared_runs(voice_of(2), apart_from=apart)] == [1]


def test_a_work_is_compared_only_as_it_was_entered(house) -> None:
    (entry,) = house.enter(1)
    record = house.load().works[entry.work]
    tagged = kept_work(house.house, record)
    roles = tagged.statement.description.roles
    assert voices_of_music(tagged.music, roles)[0].label == "melody"
    data = bytearray(house.path(entry).read_bytes())
    data[60] ^= 1
    house.path(entry).write_bytes(data)
    with pytest.raises(HouseError, match="not those the register names"):
        kept_work(house.house, record)
    house.path(entry).unlink()
    with pytest.raises(HouseError, match="is gone"):
        kept_work(house.house, record)


def test_a_figure_says_what_it_says_where_it_is_found_first() -> None:
    """Six notes, three and the same again; the second is left out, and so is the last."""
    found = np.array([True, False, True, True, True, False])
    earlier = np.array([-1, -1, -1, 0, 1, 2])
    again = _is_again(earlier, 0, found)
    assert again.tolist() == [False, False, False, True, False, True]
    assert not _is_again(earlier, 3, found).any()  # the stretch begins behind the first time

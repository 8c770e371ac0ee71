"""Do the parts agree, and is there a home? One function a measure, of one piece by its notes.

Parts are melodic tracks; drums have no part in any measure here. Shares are in [0, 1], NaN where a
piece says nothing of it. Time is looked at on a grid of sixteenths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gen.analysis import infer_chords
from gen.analysis.key import krumhansl_kessler, note_table, pitch_class_ticks, stated_key
from gen.harmony import Key
from gen.piece import Note, Piece, Track
from gen.rendering.labels import signs
from gen.sampling.drafting.steering import beside
from gen.sampling.planning.deciding import MAJOR_MOODS, MINOR_MOODS

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_NOT_RECALLED: Final = {"intro", "ending", "break", "build"}
_KICK_AND_SNARE: Final = {35, 36, 38, 40}


def same_key(one: Key, other: Key) -> bool:
    """Whether both have one tonic, and a third of one kind."""
    return (one.tonic, one.is_minor) == (other.tonic, other.is_minor)


def sounding(piece: Piece) -> Bools:
    """Which pitches sound in each track at each sixteenth. (sixteenths, tracks, 128)."""
    unit = piece.ticks_per_quarter / 4
    length = math.ceil(piece.end_ticks / unit)
    melodic = [track for track in piece.tracks if not track.is_drum]
    grid = np.zeros((length, len(melodic), 128), dtype=np.bool_)
    for number, track in enumerate(melodic):
        for note in track.notes:
            begin = round(note.onset_ticks / unit)
            end = max(round(note.end_ticks / unit), begin + 1)
            grid[begin:end, number, note.pitch] = True
    return grid


def clashing(grid: Bools) -> Bools:
    """Where a pitch stands a semitone beside another part's. Same shape as `sounding`."""
    counts = grid.sum(axis=1, dtype=np.int16)  # (sixteenths, 128)
    others = (counts[:, None, :] - grid) > 0  # sounding in another part
    found: Bools = grid & beside(others)
    return found


def clash(piece: Piece) -> float:
    """Share of the sixteenths with sound in which two parts stand a semitone apart."""
    grid = sounding(piece)
    sounds: Bools = np.logical_or.reduce(grid, axis=(1, 2))
    found: Bools = np.logical_or.reduce(clashing(grid), axis=(1, 2))
    return float(found[sounds].mean()) if sounds.any() else math.nan


def melody_clash(piece: Piece) -> float:
    """Share of the melody's notes that clash with another part for half their length or more."""
    melodic = [track for track in piece.tracks if not track.is_drum]
    leads = [n for n, track in enumerate(melodic) if track.role == "main_melody"]
    if not leads or len(melodic) < 2:
        return math.nan
    clashes, unit = clashing(sounding(piece)), piece.ticks_per_quarter / 4
    shares = []
    for number in leads:
        for note in melodic[number].notes:
            begin = round(note.onset_ticks / unit)
            end = max(round(note.end_ticks / unit), begin + 1)
            shares.append(clashes[begin:end, number, note.pitch].mean() >= 0.5)
    return float(np.mean(shares)) if shares else math.nan


def chroma(tracks: Sequence[Track], edges: Sequence[int]) -> Floats:
    """How long each pitch class sounds in each stretch, in ticks. (stretches, 12).

    Args:
        tracks: that sound together.
        edges: (stretches + 1,) ticks, ascending, where each stretch begins and the last ends.
    """
    found = np.zeros((len(edges) - 1, 12))
    for note in (note for track in tracks for note in track.notes):
        first = max(int(np.searchsorted(edges, note.onset_ticks, side="right")) - 1, 0)
        for place in range(first, len(edges) - 1):
            if edges[place] >= note.end_ticks:
                break
            begin, end = max(note.onset_ticks, edges[place]), min(note.end_ticks, edges[place + 1])
            found[place, note.pitch % 12] += end - begin
    return found


def alike(one: Floats, other: Floats) -> float:
    """Mean cosine of two `chroma` over the stretches in which both sound; NaN where none is."""
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    both = norms > 0
    return float(((one * other).sum(axis=1)[both] / norms[both]).mean()) if both.any() else math.nan


def ends_at_home(piece: Piece, home: Key | None = None) -> float:
    """Whether the last bass note is the tonic; of the key that the file states, if none is given.

    The last bass note is the last of the part that is the bass, or of the lowest part.
    """
    home = home or stated_key(piece)
    parts = [track for track in piece.tracks if track.notes and not track.is_drum]
    basses = [track for track in parts if track.role == "bass"]
    if home is None or not parts:
        return math.nan
    bass = (basses or sorted(parts, key=lambda t: float(np.mean([n.pitch for n in t.notes]))))[0]
    last = max(note.onset_ticks for note in bass.notes)
    return float(min(n.pitch for n in bass.notes if n.onset_ticks == last) % 12 == home.tonic)


def fits_mood(piece: Piece, mood: str) -> float:
    """Whether the piece is in the mode of a mood that has one."""
    key = krumhansl_kessler(piece)
    if key is None or mood not in MINOR_MOODS | MAJOR_MOODS:
        return math.nan
    return float(key.is_minor == (mood in MINOR_MOODS))


def stays(piece: Piece) -> float:
    """Share of the bars whose chords, as the notes suggest them, are those of the bar before."""
    bars = [bar.strip() for bar in infer_chords(piece).split("|")]
    return float(np.mean([one == other for one, other in pairwise(bars)])) if bars[1:] else math.nan


def beside_key(piece: Piece) -> float:
    """Share of the sound that the key of the file has not, in minor with its leading note."""
    key, ticks = stated_key(piece), pitch_class_ticks(note_table(piece))
    if key is None or not ticks.any():
        return math.nan
    scale = {*key.scale, *([(key.tonic - 1) % 12] if key.is_minor else [])}
    return float(ticks[[tone for tone in range(12) if tone not in scale]].sum() / ticks.sum())


def steps(piece: Piece) -> float:
    """Share of the melody's moves that are by one or two semitones."""
    moves = _melody_moves(piece)
    return float(np.isin(moves, (1, 2)).mean()) if len(moves) else math.nan


def repeats(piece: Piece) -> float:
    """Share of the melody's moves that go nowhere."""
    moves = _melody_moves(piece)
    return float((moves == 0).mean()) if len(moves) else math.nan


def _melody_moves(piece: Piece) -> Ints:
    """How many semitones the main melody moves from each note to the next."""
    leads = [track.notes for track in piece.tracks if track.role == "main_melody" and track.notes]
    pitches = [note.pitch for note in sorted(leads[0])] if leads else []
    moves: Ints = np.abs(np.diff(np.array(pitches, dtype=np.int64)))
    return moves


def stuck(piece: Piece) -> float:
    """Share of four bars in a row of a part with one and the same pitch, while chords change.

    Of all in which a melodic part begins notes in each bar.
    """
    starts = [start for start, _ in piece.bar_starts()]
    chords = [bar.strip() for bar in infer_chords(piece).split("|")]
    found = []
    for track in piece.tracks:
        bars: dict[int, set[int]] = {}
        for note in () if track.is_drum else track.notes:
            bar = int(np.searchsorted(starts, note.onset_ticks, side="right")) - 1
            bars.setdefault(bar, set()).add(note.pitch)
        for bar in bars:
            four = range(bar, bar + 4)
            if all(each in bars for each in four):
                pitches = set.union(*(bars[each] for each in four))
                found.append(len(pitches) == 1 and len(set(chords[bar : bar + 4])) > 1)
    return float(np.mean(found)) if found else math.nan


def section_density(piece: Piece, name: str) -> float:
    """Notes a bar in the sections of a name, by those in all the other bars."""
    starts = [start for start, _ in piece.bar_starts()]
    onsets = [note.onset_ticks for track in piece.tracks for note in track.notes]
    notes = np.bincount(np.searchsorted(starts, onsets, side="right") - 1, minlength=len(starts))
    inside = np.zeros(len(starts), dtype=np.bool_)
    sections = _sections(piece)
    for number, (begin, title) in enumerate(sections):
        end = sections[number + 1][0] if number + 1 < len(sections) else piece.end_ticks
        if title == name:
            inside |= (np.array(starts) >= begin) & (np.array(starts) < end)
    if not inside.any() or inside.all() or not notes[~inside].any():
        return math.nan
    return float(notes[inside].mean() / notes[~inside].mean())


def section_growth(piece: Piece, name: str) -> float:
    """Notes in the second halves of the sections of a name, by those in their first halves."""
    starts = np.array([start for start, _ in piece.bar_starts()])
    onsets = [note.onset_ticks for track in piece.tracks for note in track.notes]
    notes = np.bincount(np.searchsorted(starts, onsets, side="right") - 1, minlength=len(starts))
    halves = np.zeros(2)
    for (begin, title), (end, _) in pairwise([*_sections(piece), (piece.end_ticks, "")]):
        first, last = np.searchsorted(starts, [begin, end]).tolist()
        if title == name and last - first > 1:
            half = (last - first) // 2
            halves += notes[first : first + half].sum(), notes[last - half : last].sum()
    return float(halves[1] / halves[0]) if halves[0] else math.nan


def _sections(piece: Piece) -> list[tuple[int, str]]:
    return [(marker.onset_ticks, marker.text.lower()) for marker in signs(piece).sections]


def recalls(piece: Piece) -> float:
    """Mean share of the main melody that is as it was, where a section comes back.

    That is twice the notes of the same pitch and place, by those of both; without introductions,
    endings, breaks and builds.
    """
    leads = [track.notes for track in piece.tracks if track.role == "main_melody" and track.notes]
    sections, shares = [*_sections(piece), (piece.end_ticks, "")], []
    firsts: dict[str, tuple[int, int]] = {}
    for (begin, title), (end, _) in pairwise(sections if leads else []):
        first, stop = firsts.setdefault(title, (begin, end))
        if first == begin or title in _NOT_RECALLED:
            continue
        length = min(end - begin, stop - first)
        was, now = (_placed(piece, leads[0], start, length) for start in (first, begin))
        if was and now:
            shares.append(2 * len(was & now) / (len(was) + len(now)))
    return float(np.mean(shares)) if shares else math.nan


def _placed(piece: Piece, notes: Sequence[Note], begin: int, length: int) -> set[tuple[int, int]]:
    """Sixteenth and pitch of the notes of a stretch."""
    unit = piece.ticks_per_quarter / 4
    placed = {(round((note.onset_ticks - begin) / unit), note.pitch) for note in notes}
    return {(place, pitch) for place, pitch in placed if 0 <= place < round(length / unit)}


def struck_close(piece: Piece) -> float:
    """Whether all that is struck in the last bar is struck as it begins, drums aside."""
    last, _ = piece.bar_starts()[-1]
    melodic = [track for track in piece.tracks if not track.is_drum]
    length = piece.bars_end_ticks - last
    places = {place for track in melodic for place, _ in _placed(piece, track.notes, last, length)}
    return float(places == {0}) if places else math.nan


def inner_moves(piece: Piece) -> list[int]:
    """Semitones of the moves of voices that are neither melody nor bass, one note at a time."""
    moves = []
    for track in piece.tracks:
        onsets = {note.onset_ticks for note in track.notes}
        is_line = not track.is_drum and len(onsets) > 0.9 * len(track.notes)
        if is_line and track.role not in ("main_melody", "bass"):
            pitches = [note.pitch for note in sorted(track.notes)]
            moves += [abs(after - before) for before, after in pairwise(pitches)]
    return moves


def closing_tempo(piece: Piece) -> float:
    """Lowest tempo of the last eight bars by the one before them; NaN where none changes there."""
    changes = _closing(piece)
    return min(changes[1:]) / changes[0] if len(changes) > 1 else math.nan


def speeds_up(piece: Piece) -> float:
    """Whether a tempo of the last eight bars is faster than the one before it."""
    changes = _closing(piece)
    if len(changes) < 2:
        return math.nan
    return float(any(after > before for before, after in pairwise(changes)))


def _closing(piece: Piece) -> list[float]:
    """The tempo before the last eight bars, and all that follow, in quarters a minute."""
    starts = [start for start, _ in piece.bar_starts()]
    begin = starts[max(len(starts) - 8, 0)]
    tempos = sorted(piece.tempos)
    before = [t.quarters_per_minute for t in tempos if t.onset_ticks <= begin]
    after = [t.quarters_per_minute for t in tempos if begin < t.onset_ticks < piece.end_ticks]
    return [*before[-1:], *after] if before else after


def parallels(piece: Piece) -> tuple[int, int]:
    """Moves of the outer voices in one direction, and those of them in fifths or octaves.

    The outer voices are the highest and lowest pitch where all parts sound; a move is from one
    sixteenth to the next in which both have changed.
    """
    grid: Bools = np.logical_or.reduce(sounding(piece), axis=1)
    voices = [np.flatnonzero(pitches)[[0, -1]] for pitches in grid if pitches.sum() > 1]
    moves = found = 0
    for before, after in pairwise(voices):
        low, high = after - before
        if low * high > 0:
            moves += 1
            span = (before[1] - before[0]) % 12
            found += bool(span in (0, 7) and (after[1] - after[0]) % 12 == span)
    return moves, found


def drums_alone(piece: Piece) -> float:
    """Share of the bars with drums in which nothing but kick and snare is struck."""
    starts = [start for start, _ in piece.bar_starts()]
    bars: dict[int, set[int]] = {}
    for track in piece.tracks:
        for note in track.notes if track.is_drum else ():
            bar = int(np.searchsorted(starts, note.onset_ticks, side="right")) - 1
            bars.setdefault(bar, set()).add(note.pitch)
    alone = [float(found <= _KICK_AND_SNARE) for found in bars.values()]
    return float(np.mean(alone)) if alone else math.nan


def bass_enters(piece: Piece) -> float:
    """Where the bass first plays, as a share of the piece; NaN without a bass."""
    basses = [t for t in piece.tracks if t.role == "bass" and t.notes]
    if not basses:
        return math.nan
    return min(t.notes[0].onset_ticks for t in basses) / piece.end_ticks


def mean(values: Sequence[float]) -> tuple[float, int]:
    """Mean of those that are known, and how many they are."""
    known = [value for value in values if not math.isnan(value)]
    return (float(np.mean(known)), len(known)) if known else (math.nan, 0)

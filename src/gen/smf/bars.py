"""Bar lines as the model can write them, and what of a piece's time line wants a look."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

from gen.meter import SIGNATURES, STEPS_PER_QUARTER, write_bars
from gen.piece import KeySignature, Marker, Note, Pedal, Piece, Tempo, TimeSignature
from gen.smf.rules import MAX_TICKS_PER_QUARTER

_Event = TypeVar("_Event", Note, Pedal, Tempo, KeySignature, Marker)
_Lasting = TypeVar("_Lasting", Note, Pedal)

Bars = list[tuple[int, TimeSignature]]

_MANY_EMPTY_BARS, _LONG_SILENCE_BARS = 3, 8
_FEWEST_NOTES = 12
_OFF_THE_BARS = 1.5
"""So much better long notes must fit other bars; of 263 works and songs by code none was told."""


def set_bar_lines(piece: Piece) -> str:
    """Give a piece time signatures that the model can write; no note moves.

    Bars of lengths without a signature become several, and a change that is a little off a bar
    line goes onto it. A piece that needs none of this is left as it is.

    Returns:
        What was changed and why, in a sentence; "" if nothing was.
    """
    bars = _written_bars(piece)
    actual = piece.bar_starts()
    unit = piece.ticks_per_quarter
    unknown = [s for _, s in actual if (s.numerator, s.denominator) not in SIGNATURES]
    moved = next(
        (
            number
            for number, ((step, _, _), (tick, _)) in enumerate(zip(bars, actual, strict=False), 1)
            if step * unit != tick * STEPS_PER_QUARTER
        ),
        None,
    )
    if moved is None and not unknown:
        return ""
    why = "a time signature begins off the bar lines"
    if unknown:
        names = dict.fromkeys(f"{s.numerator}/{s.denominator}" for s in unknown)
        why = f"the model knows no bars of {', '.join(names)}"
    _put_signatures(piece, bars)
    place = f" from bar {moved} on" if moved else ""
    return f"bar lines set anew{place}, since {why}; no note was moved"


def _written_bars(piece: Piece) -> list[tuple[int, int, int]]:
    """The bars that the tokenizer makes of the piece."""
    signatures = {_step(piece, s.onset_ticks): s for s in sorted(piece.time_signatures)}
    changes = [(step, s.numerator, s.denominator) for step, s in sorted(signatures.items())]
    return write_bars(changes, max(_step(piece, piece.end_ticks), 1))


def _step(piece: Piece, tick: int) -> int:
    doubled, unit = tick * 2 * STEPS_PER_QUARTER, piece.ticks_per_quarter
    return (doubled + unit) // (2 * unit)


def _put_signatures(piece: Piece, bars: list[tuple[int, int, int]]) -> None:
    _make_sixteenths_whole(piece)
    unit, last = piece.ticks_per_quarter, None
    piece.time_signatures = []
    for step, numerator, denominator in bars:
        if (numerator, denominator) != last:
            tick = round(Fraction(step * unit, STEPS_PER_QUARTER))
            piece.time_signatures.append(TimeSignature(tick, numerator, denominator))
            last = numerator, denominator


def _make_sixteenths_whole(piece: Piece) -> None:
    """Raise the resolution until a sixteenth is a whole number of ticks."""
    for factor in (1, 2, 4):
        new = piece.ticks_per_quarter * factor
        if new % 4 == 0 and new <= MAX_TICKS_PER_QUARTER:
            _refine(piece, factor)
            return


def _refine(piece: Piece, factor: int) -> None:
    """Count time in ticks that are `factor` times as fine."""
    piece.ticks_per_quarter *= factor
    for track in piece.tracks:
        track.notes = [_later(_longer(note, factor), factor) for note in track.notes]
        track.pedals = [_later(_longer(pedal, factor), factor) for pedal in track.pedals]
    piece.tempos = [_later(tempo, factor) for tempo in piece.tempos]
    piece.key_signatures = [_later(key, factor) for key in piece.key_signatures]
    piece.markers = [_later(marker, factor) for marker in piece.markers]


def _later(event: _Event, factor: int) -> _Event:
    return replace(event, onset_ticks=event.onset_ticks * factor)


def _longer(event: _Lasting, factor: int) -> _Lasting:
    return replace(event, duration_ticks=event.duration_ticks * factor)


def look_at_time(piece: Piece) -> list[str]:
    """Cut bars, empty bars before the music and in it, notes that stand off every beat."""
    if not piece.note_count:
        return []
    bars = piece.bar_starts()
    return [
        *_cut_bars(piece, bars),
        *_empty_bars_first(piece, bars),
        *_empty_bars_between(piece, bars),
        *_hidden_pickup(piece, bars),
    ]


def _cut_bars(piece: Piece, bars: Bars) -> list[str]:
    cuts = [
        (number, start, following)
        for number, ((start, signature), (following, _)) in enumerate(pairwise(bars), 1)
        if following - start < piece.bar_ticks(signature)
    ]
    if not cuts:
        return []
    number, start, following = cuts[0]
    signature, new = bars[number - 1][1], bars[number][1]
    quarters = Fraction(following - start, piece.ticks_per_quarter)
    more = f" (and {len(cuts) - 1} more like it)" if len(cuts) > 1 else ""
    return [
        f"a time signature of {new.numerator}/{new.denominator} begins inside bar {number} of "
        f"{signature.numerator}/{signature.denominator} and cuts it to {float(quarters):g} quarter "
        f"notes{more}: if that is not meant, move it to the bar line and export again; if it is, "
        "give the short bar a time signature of its own"
    ]


def _empty_bars_first(piece: Piece, bars: Bars) -> list[str]:
    first = min(n.onset_ticks for t in piece.tracks for n in t.notes)
    empty = sum(start <= first for start, _ in bars) - 1
    if empty < _MANY_EMPTY_BARS:
        return []
    return [
        f"{empty} empty bars come before the first note: the model takes them for music; delete "
        "them in your sequencer and export again"
    ]


def _empty_bars_between(piece: Piece, bars: Bars) -> list[str]:
    """The longest silence within the music: takes lie behind one another, or a region strayed."""
    starts = [start for start, _ in bars]
    silences, sounding = [(0, 0)], 0
    for note in sorted(note for track in piece.tracks for note in track.notes):
        if sounding and note.onset_ticks > sounding:
            # The first bar that begins in the silence, and the one in which it ends.
            first, last = bisect_left(starts, sounding), bisect_right(starts, note.onset_ticks) - 1
            silences.append((last - first, first))
        sounding = max(sounding, note.end_ticks)
    empty, first = max(silences)
    if empty < _LONG_SILENCE_BARS:
        return []
    return [
        f"bars {first + 1:,} to {first + empty:,} are empty: the model takes them for music; if a "
        "region strayed, or takes or pieces lie behind one another, delete what does not belong "
        "and export again"
    ]


def _hidden_pickup(piece: Piece, bars: Bars) -> list[str]:
    """Whether long notes stand where bars would begin after an unwritten pick-up.

    Bars are laid at each eighth in turn, and long notes weighed by how strong their place is there
    (after Longuet-Higgins & Lee 1984). Few players play before a pick-up's first bar line.
    """
    signature = bars[0][1]
    meters = {(other.numerator, other.denominator) for _, other in bars}
    if len(meters) > 1 or 8 * signature.numerator % signature.denominator:
        return []
    eighth, weights = piece.ticks_per_quarter // 2, _strengths(signature)
    profile, count = _long_notes(piece, eighth, len(weights))
    if count < _FEWEST_NOTES:
        return []
    fits = [
        sum(w * p for w, p in zip(weights, profile[shift:] + profile[:shift], strict=True))
        for shift in range(len(weights))
    ]
    best = max(range(len(fits)), key=fits.__getitem__)
    if fits[best] < _OFF_THE_BARS * fits[0] or not _begins_after(piece, bars[0][0], best * eighth):
        return []
    return [
        f"most long notes fit bars that begin {best} eighth{'s' * (best > 1)} later than the "
        f"file's: if the piece begins with a pick-up, give its first bar a time signature of its "
        f"own ({Fraction(best, 8)}) and export again, or move the music to the bar lines"
    ]


def _strengths(signature: TimeSignature) -> list[float]:
    """How strong each eighth of a bar is."""
    count = signature.numerator * 8 // signature.denominator
    is_compound = signature.denominator == 8 and signature.numerator % 3 == 0
    beat = 3 if is_compound else max(8 // signature.denominator, 1)
    return [1.0, *(0.3 if place % beat == 0 else 0.1 for place in range(1, count))]


def _long_notes(piece: Piece, eighth: int, places: int) -> tuple[list[float], int]:
    """Length of all notes of an eighth or more by where in the bar they begin, and their number."""
    profile, count = [0.0] * places, 0
    for track in piece.tracks:
        for note in track.notes if not track.is_drum else ():
            place, rest = divmod(note.onset_ticks + eighth // 4, eighth)
            if 2 * note.duration_ticks > eighth and 2 * rest < eighth:
                profile[place % places] += min(note.duration_ticks, eighth * places)
                count += 1
    return profile, count


def _begins_after(piece: Piece, start: int, pickup_ticks: int) -> bool:
    """Whether at most half of the tracks play before a pick-up's end, where there are several."""
    onsets = [min(n.onset_ticks for n in track.notes) for track in piece.tracks if track.notes]
    early = sum(onset + piece.ticks_per_quarter // 8 < start + pickup_ticks for onset in onsets)
    return len(onsets) == 1 or 2 * early <= len(onsets)

"""Chords as sets of pitches: chosen so that each moves little from the one before."""

from __future__ import annotations

from functools import cache
from itertools import combinations, pairwise

from gen.harmony import Chord

# Below each pitch, intervals smaller than this many semitones sound muddy.
_LOW_LIMITS = ((40, 12), (48, 7), (53, 5), (58, 3))


@cache
def voice(
    symbol: Chord,
    count: int,
    low: int,
    high: int,
    previous: tuple[int, ...] = (),
    avoid: frozenset[int] = frozenset(),
    rootless: bool = False,
    spread: int = 16,
    ceiling: int = 127,
) -> tuple[int, ...]:
    """Voice a chord smoothly.

    Args:
        symbol: the chord.
        count: voices.
        low: lowest pitch allowed.
        high: highest pitch allowed.
        previous: the voicing before, low to high (empty: begin in the middle).
        avoid: pitches of other lines that sound with it: no semitone against them.
        rootless: leave the root to the bass where the chord has enough other tones.
        spread: widest distance from lowest to highest voice.
        ceiling: the melody's lowest long pitch: what lies above it costs.

    Returns:
        Pitches low to high; fewer than `count` where the range is narrow.
    """
    tones = _tones(symbol, count, rootless)
    pool = [p for p in range(low, high + 1) if p % 12 in tones]
    best: tuple[float, tuple[int, ...]] | None = None
    for size in range(min(count, len(pool)), 0, -1):
        for chord in combinations(pool, size):
            if chord[-1] - chord[0] > spread or _clustered(chord):
                continue
            cost = _cost(chord, symbol, tones, previous, avoid, (low + high) / 2)
            cost += sum(1.0 + 0.15 * (p - ceiling) for p in chord if p >= ceiling)
            if best is None or (cost, chord) < best:
                best = (cost, chord)
        if best is not None:
            return best[1]
    return ()


def _tones(symbol: Chord, count: int, rootless: bool) -> tuple[int, ...]:
    tones = symbol.pitch_classes
    if rootless and len(tones) > 3:
        tones = tuple(t for t in tones if t != symbol.root)
    if 18 not in symbol.intervals and len(tones) > count + 1 and symbol.fifth in tones:
        tones = tuple(t for t in tones if t != symbol.fifth or 7 not in symbol.intervals)
    return tones


def _clustered(chord: tuple[int, ...]) -> bool:
    """Neighbouring voices a semitone apart, or three within three semitones."""
    gaps = [b - a for a, b in pairwise(chord)]
    return min(gaps, default=9) < 2 or any(x + y < 4 for x, y in pairwise(gaps))


def _cost(
    chord: tuple[int, ...],
    symbol: Chord,
    tones: tuple[int, ...],
    previous: tuple[int, ...],
    avoid: frozenset[int],
    centre: float,
) -> float:
    classes = [p % 12 for p in chord]
    cost = 0.15 * abs(sum(chord) / len(chord) - centre)
    cost += 4.0 * sum(guide not in classes for guide in symbol.guides if guide in tones)
    missing = [t for t in tones if t not in classes]
    cost += 1.2 * len(missing)
    cost += 2.0 * (len(classes) - len(set(classes))) * (len(set(classes)) < len(tones))
    if symbol.third in classes and len(symbol.pitch_classes) > 2:
        cost += 1.5 * (classes.count(symbol.third) - 1)
    cost += _mud(chord) + _movement(chord, previous)
    cost += sum(5.0 for a in avoid for p in chord if abs(a - p) == 1)
    return cost + sum(2.5 for a in avoid for p in chord if a - p == 13)


def _mud(chord: tuple[int, ...]) -> float:
    cost = 0.0
    for lower, upper in pairwise(chord):
        for limit, gap in _LOW_LIMITS:
            if lower < limit and upper - lower < gap:
                cost += 3.0
                break
    return cost


def _movement(chord: tuple[int, ...], previous: tuple[int, ...]) -> float:
    if not previous:
        return 0.0
    if len(previous) == len(chord):
        moves = [abs(a - b) for a, b in zip(previous, chord, strict=True)]
    else:
        moves = [min(abs(p - q) for q in previous) for p in chord]
    return sum(moves) * 0.45 + sum(1.5 for m in moves if m > 5)


def parallels(upper: list[int], lower: list[int]) -> int:
    """Count parallel perfect fifths and octaves between two lines.

    Args:
        upper: pitches at successive moments.
        lower: pitches at the same moments.

    Returns:
        Moves in which both lines move the same way from one perfect fifth (octave, unison)
        to another of the same kind.
    """
    found = 0
    for place in range(1, min(len(upper), len(lower))):
        before = (upper[place - 1] - lower[place - 1]) % 12
        now = (upper[place] - lower[place]) % 12
        up = upper[place] - upper[place - 1]
        down = lower[place] - lower[place - 1]
        if now == before and now in (0, 7) and up * down > 0:
            found += 1
    return found

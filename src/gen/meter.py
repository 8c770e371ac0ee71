"""Bars on the model's time grid: which it can write, and how any other is written.

The grid has 12 steps a quarter note. A bar that the model writes has a time signature of
`SIGNATURES`; its length is a whole number of sixteenths, at most twelve quarters. Bars of other
lengths (17/8, or what a time signature inside a bar leaves of it) are written as several bars
that last as long together. Only a length that no sixteenths fill moves the next bar line, by one
or two steps, to the nearest sixteenth. Notes stay where they are in either case.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import cycle
from typing import Final

STEPS_PER_QUARTER: Final = 12
MAX_BAR_STEPS: Final = 144
_SIXTEENTH: Final = STEPS_PER_QUARTER // 4

SIGNATURES: Final = tuple(
    (numerator, denominator)
    for denominator in (2, 4, 8, 16)
    for numerator in range(1, 17)
    if numerator * 48 // denominator <= MAX_BAR_STEPS
)
"""(numerator, denominator) of every time signature that the model can write."""

Bar = tuple[int, int, int]
"""First step, numerator, denominator."""


def bar_steps(numerator: int, denominator: int) -> int:
    """Length of a bar in grid steps."""
    return numerator * 4 * STEPS_PER_QUARTER // denominator


def signature_of(steps: int) -> tuple[int, int] | None:
    """The plainest signature whose bar lasts `steps`; None where there is none."""
    for denominator in (4, 8, 16):
        numerator, rest = divmod(steps * denominator, 4 * STEPS_PER_QUARTER)
        if rest == 0 and (numerator, denominator) in SIGNATURES:
            return numerator, denominator
    return None


def write_bars(changes: Sequence[Bar], end: int) -> list[Bar]:
    """Every bar from step 0 until step `end`, each with a signature of `SIGNATURES`.

    Args:
        changes: time signatures in order of time, at most one a step; 4/4 holds before the
            first. One that falls inside a bar cuts that bar short.
        end: in steps, at least 1; the last bar reaches it.
    """
    if not changes or changes[0][0] > 0:
        changes = [(0, 4, 4), *changes]
    changes = [change for change in changes if change[0] < end]
    bars: list[Bar] = []
    start = 0
    for (_, numerator, denominator), following in zip(changes, [*changes[1:], None], strict=True):
        if following is None:
            lengths = _until(end - start, _group(numerator, denominator))
        else:
            lengths = _filling(following[0] - start, _group(numerator, denominator))
        for length in lengths:
            bars.append((start, *_named(length, numerator, denominator)))
            start += length
    return bars


def _until(steps: int, group: list[int]) -> Iterator[int]:
    """Lengths of whole bars until `steps` are reached."""
    for length in cycle(group):
        if steps <= 0:
            return
        yield length
        steps -= length


def _filling(steps: int, group: list[int]) -> Iterator[int]:
    """Lengths of bars that fill `steps`, the last one cut short, to the nearest sixteenth."""
    for length in cycle(group):
        if steps <= length - _SIXTEENTH:
            break
        yield length
        steps -= length
    yield from _split(_to_sixteenths(steps))


def _group(numerator: int, denominator: int) -> list[int]:
    """Steps of the bars that stand for one bar of a signature, or for several of them."""
    if (numerator, denominator) in SIGNATURES:
        return [bar_steps(numerator, denominator)]
    steps = Fraction(numerator * 4 * STEPS_PER_QUARTER, denominator)
    whole = next(n * steps for n in (1, 2, 4, 8, 16) if n * steps % _SIXTEENTH == 0)
    return _split(int(whole))


def _split(steps: int) -> list[int]:
    """Lengths of bars that last `steps`, a multiple of a sixteenth, together."""
    if steps == 0:
        return []
    if signature_of(steps):
        return [steps]
    half = min(steps // 2, MAX_BAR_STEPS)
    last = half - half % STEPS_PER_QUARTER
    return [*_split(steps - last), last]


def _to_sixteenths(steps: int) -> int:
    """The nearest multiple of a sixteenth; less than one is none."""
    return (steps + 1) // _SIXTEENTH * _SIXTEENTH if steps >= _SIXTEENTH else 0


def _named(length: int, numerator: int, denominator: int) -> tuple[int, int]:
    """The signature asked for where it fits, else the plainest one of that length."""
    if (numerator, denominator) in SIGNATURES and bar_steps(numerator, denominator) == length:
        return numerator, denominator
    found = signature_of(length)
    assert found is not None  # noqa: S101 - lengths come from `_split`
    return found

"""A new piece as it is, and as it would be if it were another one upside down or backwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gen.likeness.voices import CHORD_SPREAD, TIME_UNIT, Ints, Part, Voice, lines_of

INVERTED, BACKWARDS = "upside down", "backwards"
_SPREAD = max(TIME_UNIT // CHORD_SPREAD, 1)


def with_plain_lines(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Each part with one more line: its upper one without what is put between, such as graces."""
    return tuple(
        Part((*part.voices, *_plain(part.voices)), part.onsets, part.ends, part.pitches)
        for part in parts
    )


def _plain(voices: Sequence[Voice]) -> Iterator[Voice]:
    """The upper line without notes that are much nearer to the next than to the one before."""
    for voice in voices[:1]:
        gaps = np.diff(voice.onsets)
        if len(gaps) < 2:
            return
        kept = np.ones(len(voice.onsets), dtype=np.bool_)
        kept[1:-1] = 2 * gaps[1:] >= gaps[:-1]
        kept[1:][kept[1:]] = np.diff(voice.pitches[kept]) != 0
        if not kept.all():
            onsets, pitches, bars = voice.onsets[kept], voice.pitches[kept], voice.bars[kept]
            yield Voice(voice.label, voice.is_leading, pitches, bars, onsets, voice.is_together)


def turned(parts: Sequence[Part]) -> Iterator[tuple[str, tuple[Part, ...]]]:
    """The parts upside down, backwards and both, each with what it is.

    A piece that was turned round by its notes' beginnings is found by these, one that was turned
    round by their ends is found by those.
    """
    for is_inverted, clock in ((True, ""), (False, "ends"), (False, "onsets"), (True, "ends")):
        words = [INVERTED] * is_inverted + [BACKWARDS] * bool(clock)
        yield " and ".join(words), tuple(_turned(part, is_inverted, clock) for part in parts)


def _turned(part: Part, is_inverted: bool, clock: str) -> Part:
    pitches = 127 - part.pitches if is_inverted else part.pitches
    times = {"": part.onsets, "ends": -part.ends, "onsets": -part.onsets}[clock]
    times = times - times.min(initial=0)
    order = np.argsort(times, kind="stable")
    onsets, pitches = times[order], pitches[order]
    voices = tuple(_voice(at, line) for at, line, _ in lines_of(onsets, pitches, _SPREAD, 1))
    return Part(voices, onsets, onsets, pitches)


def _voice(onsets: Ints, pitches: Ints) -> Voice:
    bars = np.zeros(len(onsets), dtype=np.int32)
    return Voice("", False, pitches.astype(np.int16), bars, onsets.astype(np.int32))

"""Windows: a stretch of a work's events, with its header, as the model is shown it.

Every window begins with the header (what the piece is) and goes on from a bar line. All
randomness comes from the generator passed in, so that a window is a function of its seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gen.errors import SettingError
from gen.tokens import vocabulary as v
from gen.tokens.columns import context_columns
from gen.tokens.vocabulary import FIRST, SPANS, Kind

Events = NDArray[np.int16]
ATTRIBUTES = (Kind.GENRE, Kind.MOOD, Kind.KEY, Kind.STYLE, Kind.SECTION, Kind.CHORD)


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """What is varied from window to window.

    Args:
        transpose: most semitones up or down; drums stay.
        tempo: most tempo classes (2.9 % each) up or down.
        velocity: most velocity classes (4 steps each) up or down.
        forget: chance that one kind of annotation is left out.
        forget_all: chance that all are.
    """

    transpose: int = 6
    tempo: int = 3
    velocity: int = 2
    forget: float = 0.3
    forget_all: float = 0.3

    def __post_init__(self) -> None:
        for name in ("forget", "forget_all"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingError(f"{getattr(self, name)} is outside [0, 1]", where=name)
        for name in ("transpose", "tempo", "velocity"):
            if getattr(self, name) < 0:
                raise SettingError(f"{getattr(self, name)} is below 0", where=name)


@dataclass(frozen=True, slots=True)
class Sequence:
    """One work's events, with the places where windows may begin.

    Attributes:
        events: (T, 5), from BOS to EOS.
        bar_rows: row of each BAR.
        notes: number of NOTE events.
    """

    events: Events
    bar_rows: NDArray[np.int64]
    notes: int

    @classmethod
    def of(cls, events: Events) -> Sequence:
        kinds = events[:, v.KIND]
        return cls(events, np.flatnonzero(kinds == Kind.BAR), int((kinds == Kind.NOTE).sum()))

    @property
    def header(self) -> Events:
        end = self.bar_rows[0] if len(self.bar_rows) else len(self.events) - 1
        return self.events[:end]


@dataclass(frozen=True, slots=True)
class Window:
    """What one training or test example is cut to.

    Attributes:
        columns: (T, C) events seen, fields then context columns.
        targets: (T, 5) the event after each.
        counted: (T,) whether a target counts when every event of a work counts once.
    """

    columns: Events
    targets: Events
    counted: NDArray[np.bool_]


def from_bar(sequence: Sequence, bar: int, length: int) -> tuple[Events, NDArray[np.int64]]:
    """Header and events from bar `bar` on, at most `length`.

    The section and tempo in force are told again where the bar does not begin with its own.

    Returns:
        (T, 5) events, and (T,) the row of the work that each is, -1 for what is told again.
    """
    events, row = sequence.events, int(sequence.bar_rows[bar])
    parts = [(sequence.header, np.arange(len(sequence.header))), (events[row : row + 1], [row])]
    following = row + 1
    for kind in (Kind.SECTION, Kind.TEMPO):
        begins = FIRST["position"] if kind == Kind.TEMPO else 0
        if events[following : following + 1, : v.VALUE].tolist() == [[kind, begins]]:
            parts.append((events[following : following + 1], [following]))
            following += 1
        elif (earlier := np.flatnonzero(events[:row, v.KIND] == kind)).size:
            told = events[earlier[-1] :][:1].copy()
            told[0, v.POSITION] = begins
            parts.append((told, [-1]))
    parts.append((events[following:], np.arange(following, len(events))))
    rows = np.concatenate([rows for _, rows in parts])
    return np.concatenate([part for part, _ in parts])[:length], rows[:length]


def training_window(
    sequence: Sequence, length: int, augment: AugmentConfig, rng: Generator
) -> Window:
    """Cut and vary one window of at most `length` predicted events."""
    first_bar = _random_bar(sequence, length, rng)
    events, _ = from_bar(sequence, first_bar, length + 1)
    events = transposed(events, random_shift(events, augment.transpose, rng))
    events = revoiced(events, augment, rng)
    forget = 1.0 if rng.random() < augment.forget_all else augment.forget
    events = forgetful(events, forget, rng)
    bars = None if rng.random() < forget else len(sequence.bar_rows)
    return _window(events, first_bar, bars)


def _random_bar(sequence: Sequence, length: int, rng: Generator) -> int:
    """A bar to begin with: often the first; never so late that much of the window is empty."""
    room = length + 1 - len(sequence.header)
    latest = int(np.searchsorted(sequence.bar_rows, len(sequence.events) - room, side="left"))
    latest = min(latest, len(sequence.bar_rows) - 1)
    return 0 if rng.random() < 0.15 else int(rng.integers(0, latest + 1))


def _window(
    events: Events, first_bar: int, bars: int | None, counted: NDArray[np.bool_] | None = None
) -> Window:
    context = context_columns(events, first_bar=first_bar, bars=bars)
    columns = np.concatenate([events, context], axis=1)
    if counted is None:
        counted = np.ones(len(events), dtype=np.bool_)
    return Window(columns[:-1], events[1:], counted[1:])


def covering_windows(sequence: Sequence, length: int, *, tell_bars: bool) -> Iterator[Window]:
    """Windows in which every event of a work counts exactly once.

    Each window after the first begins at a bar about half a window back, so that what counts
    is predicted from at least that much music. `tell_bars` makes the length known.

    Raises:
        SettingError: a bar holds more events than a window.
    """
    bars = len(sequence.bar_rows) if tell_bars else None
    done, bar = 0, 0
    while done < len(sequence.events):
        events, rows = from_bar(sequence, bar, length + 1)
        yield _window(events, bar, bars, rows >= done)
        done = max(done, int(rows.max()) + 1)
        back = done - (length - len(sequence.header)) // 2
        bar = max(int(np.searchsorted(sequence.bar_rows, back, side="right")) - 1, bar + 1)
        if done < len(sequence.events) and (
            bar >= len(sequence.bar_rows) or sequence.bar_rows[bar] > done
        ):
            raise SettingError(
                f"bar {bar} holds more events than a window of {length}",
                where="data.window",
                mend="use a longer window",
            )


# Variation -----------------------------------------------------------------------------


def random_shift(events: Events, most: int, rng: Generator) -> int:
    """A transposition of at most `most` semitones that keeps every pitch within MIDI's range."""
    value = events[:, v.VALUE]
    pitches = value[(value >= SPANS["pitch"].start) & (value < SPANS["pitch"].stop)]
    if not len(pitches) or most == 0:
        return 0
    low = max(-most, SPANS["pitch"].start - int(pitches.min()))
    high = min(most, SPANS["pitch"].stop - 1 - int(pitches.max()))
    return int(rng.integers(low, high + 1)) if low <= high else 0


def transposed(events: Events, semitones: int) -> Events:
    """Move melodic notes, chords and key; drums stay. The caller keeps pitches in range."""
    result = events.copy()
    value = events[:, v.VALUE].astype(np.int64)
    pitch = (value >= SPANS["pitch"].start) & (value < SPANS["pitch"].stop)
    result[pitch, v.VALUE] += semitones
    for name, first, per_root in (("chord", FIRST["chord"] + 1, 13), ("key", FIRST["key"], 2)):
        chosen = (value >= first) & (value < SPANS[name].stop)
        root, rest = np.divmod(value[chosen] - first, per_root)
        result[chosen, v.VALUE] = first + (root + semitones) % 12 * per_root + rest
    return result


def revoiced(events: Events, augment: AugmentConfig, rng: Generator) -> Events:
    """Shift all tempos alike and all velocities alike, clipped to what exists."""
    result = events.copy()
    for kind, field, name, most in (
        (Kind.TEMPO, v.VALUE, "tempo", augment.tempo),
        (Kind.NOTE, v.LEVEL, "velocity", augment.velocity),
    ):
        chosen = events[:, v.KIND] == kind
        moved = events[chosen, field] + int(rng.integers(-most, most + 1))
        result[chosen, field] = np.clip(moved, SPANS[name].start, SPANS[name].stop - 1)
    return result


def forgetful(events: Events, chance: float, rng: Generator) -> Events:
    """Leave out each kind of annotation with the given chance: 1 leaves the bare music."""
    forgotten = {kind for kind in ATTRIBUTES if rng.random() < chance}
    kept = events[~np.isin(events[:, v.KIND], list(forgotten))].copy()
    for kind, field in ((Kind.TRACK, v.EXTENT), (Kind.TRACK, v.LEVEL), (Kind.CELL, v.EXTENT)):
        if rng.random() < chance:
            kept[kept[:, v.KIND] == kind, field] = 0
    return kept


def bare(sequence: Sequence) -> Sequence:
    """The work with nothing but its music, as bits per note are counted."""
    return Sequence.of(forgetful(sequence.events, 1.0, np.random.default_rng(0)))

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
from gen.tokens.columns import context_columns, latest
from gen.tokens.echo import echoes, shown
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
        infill: share of windows in which cells are left out, to be filled in at the end.
        fresh: share of windows that echo themselves alone, as a piece does that has just begun:
            without them a model hardly learns to go on where nothing can be taken up.
    """

    transpose: int = 6
    tempo: int = 3
    velocity: int = 2
    forget: float = 0.3
    forget_all: float = 0.3
    infill: float = 0.2
    fresh: float = 0.5

    def __post_init__(self) -> None:
        for name in ("forget", "forget_all", "infill", "fresh"):
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
        echo: (T, 9) what the whole work up to each row tells, as `tokens.echo` has it.
        means: (tracks,) mean pitch of each, see `mean_pitches`.
    """

    events: Events
    bar_rows: NDArray[np.int64]
    notes: int
    echo: Events
    means: NDArray[np.float64]

    @classmethod
    def of(cls, events: Events, echo: Events | None = None) -> Sequence:
        """A work's events, and what they tell again where that is known already."""
        kinds = events[:, v.KIND]
        bars, notes = np.flatnonzero(kinds == Kind.BAR), int((kinds == Kind.NOTE).sum())
        told = echoes(events) if echo is None else echo
        return cls(events, bars, notes, told, mean_pitches(events))

    def heard(self, rows: NDArray[np.int64]) -> Events:
        """Echo columns of some rows of the work; nothing for rows of -1. (T,) -> (T, 9)."""
        return heard(self.echo, rows)

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


def heard(
    told: Events, rows: NDArray[np.int64], *, semitones: int = 0, velocity: int = 0
) -> Events:
    """Columns of some rows of what `tokens.echoes` tells; nothing for rows of -1. -> (T, 9)."""
    columns = shown(told[rows], semitones=semitones, velocity=velocity)
    columns[rows < 0] = 0
    return columns


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
    events, rows = from_bar(sequence, first_bar, length + 1)
    semitones = random_shift(events, augment.transpose, rng)
    tempo = int(rng.integers(-augment.tempo, augment.tempo + 1))
    velocity = int(rng.integers(-augment.velocity, augment.velocity + 1))
    events = revoiced(transposed(events, semitones, sequence.means), tempo=tempo, velocity=velocity)
    forget = 1.0 if rng.random() < augment.forget_all else augment.forget
    kept = forgetful(np.concatenate([events, rows[:, None]], axis=1), forget, rng)
    events, rows = kept[:, : len(v.FIELDS)].astype(np.int16), kept[:, -1].astype(np.int64)
    bars = None if rng.random() < forget else len(sequence.bar_rows)
    holes = holes_at_random(events, length + 1, rng) if rng.random() < augment.infill else None
    alone = rng.random() < augment.fresh
    if holes is not None:
        events, chosen = punched(events, holes)
        rows = np.where(chosen >= 0, rows[chosen], -1)
    if alone:
        return _window(events, first_bar, bars)
    told = sequence.echo
    if holes is not None:
        told, rows = holed_echo(sequence, first_bar, holes, events, rows)
    echo = heard(told, rows, semitones=semitones, velocity=velocity)
    return _window(events, first_bar, bars, echo=echo)


def _random_bar(sequence: Sequence, length: int, rng: Generator) -> int:
    """A bar to begin with: often the first; never so late that much of the window is empty."""
    room = length + 1 - len(sequence.header)
    latest = int(np.searchsorted(sequence.bar_rows, len(sequence.events) - room, side="left"))
    latest = min(latest, len(sequence.bar_rows) - 1)
    return 0 if rng.random() < 0.25 else int(rng.integers(0, latest + 1))


def _window(
    events: Events,
    first_bar: int,
    bars: int | None,
    *,
    echo: Events | None = None,
    counted: NDArray[np.bool_] | None = None,
) -> Window:
    context = context_columns(events, first_bar=first_bar, bars=bars, echo=echo)
    columns = np.concatenate([events, context], axis=1)
    if counted is None:
        counted = np.ones(len(events), dtype=np.bool_)
    targets = events[1:].copy()
    targets[targets[:, v.KIND] == Kind.HOLE] = 0  # where a hole is, is asked, never predicted
    return Window(columns[:-1], targets, counted[1:])


def covering_windows(sequence: Sequence, length: int, *, tell_bars: bool) -> Iterator[Window]:
    """Windows in which every event of a work counts exactly once.

    Each window after the first begins at a bar about half a window back, so that what counts
    is predicted from at least that much music. `tell_bars` makes the length known.

    Raises:
        SettingError: a bar holds more events than a window.
    """
    for bar, done in covering_places(sequence, length):
        yield covering_window(sequence, length, bar, done, tell_bars=tell_bars)


def covering_window(
    sequence: Sequence, length: int, bar: int, done: int, *, tell_bars: bool = False
) -> Window:
    """The window that begins at a bar and counts what follows the first `done` events."""
    events, rows = from_bar(sequence, bar, length + 1)
    bars = len(sequence.bar_rows) if tell_bars else None
    return _window(events, bar, bars, echo=sequence.heard(rows), counted=rows >= done)


def covering_places(sequence: Sequence, length: int) -> Iterator[tuple[int, int]]:
    """First bar of each covering window, and how many events were counted before it.

    Raises:
        SettingError: a bar holds more events than a window.
    """
    done, bar = 0, 0
    while done < len(sequence.events):
        yield bar, done
        rows = from_bar(sequence, bar, length + 1)[1]
        done = max(done, int(rows.max()) + 1)
        back = done - (length - len(sequence.header)) // 2
        bar = max(int(np.searchsorted(sequence.bar_rows, back, side="right")) - 1, bar + 1)
        if done < len(sequence.events) and (
            bar >= len(sequence.bar_rows) or sequence.bar_rows[bar] > done
        ):
            raise SettingError(
                f"bar {bar} holds more events than a window of {length}",
                where="data.training_window",
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


def mean_pitches(events: Events) -> NDArray[np.float64]:
    """Mean pitch of each track, of its melodic notes alone; nan without any. (tracks,)."""
    cell = latest(events[:, v.KIND] == Kind.CELL)
    value = events[:, v.VALUE].astype(np.int64)
    sounds = (events[:, v.KIND] == Kind.NOTE) & (value < SPANS["pitch"].stop)
    slot = value[cell[sounds]] - FIRST["slot"]
    tracks = int((events[:, v.KIND] == Kind.TRACK).sum())
    sums = np.bincount(slot, value[sounds] - FIRST["pitch"], tracks)
    counts = np.bincount(slot, minlength=tracks)
    means: NDArray[np.float64] = np.full(tracks, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def transposed(events: Events, semitones: int, means: NDArray[np.float64] | None = None) -> Events:
    """Move melodic notes, chords and key; drums stay. The caller keeps pitches in range.

    Args:
        events: of a work, or a part of them.
        semitones: up or down.
        means: (tracks,) mean pitches of the work, so that told registers can move too.
    """
    result = events.copy()
    value = events[:, v.VALUE].astype(np.int64)
    pitch = (value >= SPANS["pitch"].start) & (value < SPANS["pitch"].stop)
    result[pitch, v.VALUE] += semitones
    for name, first, per_root in (("chord", FIRST["chord"] + 1, 13), ("key", FIRST["key"], 2)):
        chosen = (value >= first) & (value < SPANS[name].stop)
        root, rest = np.divmod(value[chosen] - first, per_root)
        result[chosen, v.VALUE] = first + (root + semitones) % 12 * per_root + rest
    if means is not None:
        told = (events[:, v.KIND] == Kind.TRACK) & (events[:, v.LEVEL] > 0)
        slots = np.cumsum(events[:, v.KIND] == Kind.TRACK)[told] - 1
        result[told, v.LEVEL] = (
            FIRST["register"] + (means[slots] + semitones).astype(np.int64) // 12
        )
    return result


def revoiced(events: Events, *, tempo: int, velocity: int) -> Events:
    """Shift all tempos and all velocities by so many classes, clipped to what exists."""
    result = events.copy()
    for kind, field, name, shift in (
        (Kind.TEMPO, v.VALUE, "tempo", tempo),
        (Kind.NOTE, v.LEVEL, "velocity", velocity),
    ):
        chosen = events[:, v.KIND] == kind
        moved = events[chosen, field] + shift
        result[chosen, field] = np.clip(moved, SPANS[name].start, SPANS[name].stop - 1)
    return result


def forgetful(events: Events, chance: float, rng: Generator) -> Events:
    """Leave out each kind of annotation with the given chance: 1 leaves the bare music.

    Rows may hold more than the five fields.
    """
    forgotten = {kind for kind in ATTRIBUTES if rng.random() < chance}
    kept = events[~np.isin(events[:, v.KIND], list(forgotten))].copy()
    for kind, field in ((Kind.TRACK, v.EXTENT), (Kind.TRACK, v.LEVEL), (Kind.CELL, v.EXTENT)):
        if rng.random() < chance:
            kept[kept[:, v.KIND] == kind, field] = 0
    return kept


# Holes ---------------------------------------------------------------------------------


def punched(events: Events, holes: NDArray[np.bool_]) -> tuple[Events, NDArray[np.int64]]:
    """Take cells out and put them at the end, to be filled in.

    Args:
        events: (T, 5) header and bars.
        holes: (bars, tracks) which cells, those without notes too. Later bars are left out.

    Returns:
        (T', 5) events in which a HOLE stands for each of these cells, and after the last bar one
        FILL for each, with what was there, then EOS; and (T',) which of `events` each is, -1 for
        a HOLE, a FILL and EOS.
    """
    kind = events[:, v.KIND]
    bar = np.cumsum(kind == Kind.BAR) - 1
    index = np.flatnonzero((kind != Kind.EOS) & (bar < len(holes)))
    body, kind, bar = events[index].astype(np.int64), kind[index], bar[index]
    row = np.arange(len(body))
    cell = np.maximum.accumulate(np.where(kind == Kind.CELL, row, -1))
    begun = np.maximum.accumulate(np.where(kind == Kind.BAR, row, -1))
    slot = np.where(cell > begun, body[cell, v.VALUE] - FIRST["slot"], -1)
    out = (slot >= 0) & holes[bar, slot]
    bars, slots = np.nonzero(holes)
    marks = np.zeros((len(bars), len(v.FIELDS)), dtype=np.int64)
    marks[:, v.KIND], marks[:, v.VALUE] = Kind.HOLE, FIRST["slot"] + slots
    fills = marks.copy()
    fills[:, v.KIND] = Kind.FILL
    density = np.zeros(holes.shape, dtype=np.int64)
    heads = out & (kind == Kind.CELL)
    density[bar[heads], slot[heads]] = body[heads, v.EXTENT]
    fills[:, v.EXTENT] = density[bars, slots]
    # Sorted by: given before filled in, bar, track, the mark of a cell before its notes.
    notes, none = out & (kind != Kind.CELL), np.full(len(bars), -1)
    groups = [
        (body[~out], index[~out], np.zeros((~out).sum()), bar[~out], slot[~out], 1),
        (marks, none, np.zeros(len(bars)), bars, slots, 0),
        (fills, none, np.ones(len(bars)), bars, slots, 0),
        (body[notes], index[notes], np.ones(notes.sum()), bar[notes], slot[notes], 1),
    ]
    keys = np.concatenate(
        [np.stack([*key, np.full(len(rows), rank)], axis=1) for rows, _, *key, rank in groups]
    )
    order = np.lexsort(keys.T[::-1])
    rows = np.concatenate([rows for rows, *_ in groups])[order]
    origin = np.concatenate([origin for _, origin, *_ in groups])[order]
    end = np.array([[Kind.EOS, 0, 0, 0, 0]])
    return np.concatenate([rows, end]).astype(np.int16), np.append(origin, -1)


def holed_echo(
    sequence: Sequence,
    first_bar: int,
    holes: NDArray[np.bool_],
    events: Events,
    rows: NDArray[np.int64],
) -> tuple[Events, NDArray[np.int64]]:
    """What the whole work tells, but for the holes in a stretch of it, until they are filled.

    Args:
        sequence: the work.
        first_bar: where the stretch begins.
        holes: (bars, tracks) those in the stretch.
        events: (T, 5) the stretch, as `punched` has it.
        rows: (T,) which row of the work each of them is, -1 for none.

    Returns:
        What the work with its holes tells, as `tokens.echoes` has it, and (T,) the row of that
        which each event is, -1 for none.
    """
    wide = np.zeros((len(sequence.bar_rows), holes.shape[1]), dtype=np.bool_)
    wide[first_bar : first_bar + len(holes)] = holes
    whole, origin = punched(sequence.events, wide)
    place = np.full(len(sequence.events), -1)
    place[origin[origin >= 0]] = np.flatnonzero(origin >= 0)
    found = np.where(rows >= 0, place[rows], -1)
    is_fill = events[:, v.KIND] == Kind.FILL
    found[is_fill] = np.flatnonzero(whole[:, v.KIND] == Kind.FILL)
    return echoes(whole), found


def holes_at_random(events: Events, length: int, rng: Generator) -> NDArray[np.bool_] | None:
    """Holes as people ask for them: scattered cells, whole tracks, or a stretch of bars.

    Args:
        events: header and bars of one stretch; the last may be cut short.
        length: most events of what is `punched`.
        rng: decides which.

    Returns:
        (bars, tracks), for as many whole bars as fit; None where none does.
    """
    kinds = events[:, v.KIND]
    room = length // 6  # a hole adds one row, or two where nothing was
    bars = int((kinds == Kind.BAR).sum())
    if kinds[-1] != Kind.EOS or len(events) + room > length:
        bars = int((np.flatnonzero(kinds == Kind.BAR) + room < length).sum()) - 1
        if bars < 1:
            return None
    tracks = int((kinds == Kind.TRACK).sum())
    holes = np.zeros((bars, tracks), dtype=np.bool_)
    some = rng.random(tracks) < rng.uniform(0.2, 0.8)
    some[rng.integers(tracks)] = True
    shape = rng.integers(3)
    if shape == 0:
        holes[:] = rng.random(holes.shape) < rng.uniform(0.1, 0.6)
    elif shape == 1:
        holes[:, some] = True
    else:
        first = int(rng.integers(bars))
        last = first + int(rng.integers(1, max(2, bars // 2 + 1)))
        holes[first:last, some | (rng.random() < 0.5)] = True
    holes[2 * np.cumsum(holes.sum(1)) > room] = False  # the first bars, as far as there is room
    return holes if holes.any() else None


def bare(sequence: Sequence) -> Sequence:
    """The work with nothing but its music, as bits per note are counted."""
    fields = len(v.FIELDS)
    rows = music_of(np.concatenate([sequence.events, sequence.echo], axis=1))
    return Sequence.of(rows[:, :fields], rows[:, fields:])  # what is left out is not heard


def music_of(events: Events) -> Events:
    """Events without annotations. Rows may hold more than the five fields."""
    return forgetful(events, 1.0, np.random.default_rng(0))

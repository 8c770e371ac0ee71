"""Windows: a stretch of a work's events, with its header, as the model sees it.

Every window begins with the header (what the piece is) and goes on from a bar line. All
randomness comes from the generator passed in, so that a window is a function of its seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gen.data.augment import (
    AugmentConfig,
    forgetful,
    mean_pitches,
    random_shift,
    revoiced,
    transposed,
)
from gen.data.holes import holes_at_random, punched
from gen.errors import SettingError
from gen.tokens import vocabulary as v
from gen.tokens.columns import Columns, context_columns
from gen.tokens.echo import echo_columns, echoes
from gen.tokens.events import Events, Ints, Mask
from gen.tokens.vocabulary import WORDS, Kind


@dataclass(frozen=True, slots=True)
class TokenisedWork:
    """One work's events, with what is known of them beforehand.

    A `batches.WindowSource`, as a work in MidiTok's tokens is (`token_works.TokenWork`).

    Attributes:
        events: from BOS to EOS.
        echo: (T, 9) what the whole work up to each event echoes, as `tokens.echo` has it.
        means: (tracks,) mean pitch of each, see `mean_pitches`.
    """

    events: Events
    echo: Columns
    means: NDArray[np.float64]

    @classmethod
    def of(cls, events: Events, echo: Columns | None = None) -> TokenisedWork:
        """A work's events, and what they echo where that is known already."""
        return cls(events, echoes(events) if echo is None else echo, mean_pitches(events))

    def __len__(self) -> int:
        return len(self.events)

    @property
    def bars(self) -> int:
        return len(self.events.bar_rows)

    @property
    def bar_rows(self) -> Ints:
        return self.events.bar_rows

    @property
    def header(self) -> Events:
        return self.events.header

    @property
    def notes(self) -> int:
        return self.events.notes

    def on_grid(self) -> TokenisedWork:
        """The same without what is off the grid."""
        return TokenisedWork(self.events.on_grid(), self.echo, self.means)

    def echo_at(self, rows: Ints) -> Columns:
        """Echo columns of some rows of the work; nothing for rows of -1. (T,) -> (T, 9)."""
        return echo_at(self.echo, rows)

    def bare(self) -> TokenisedWork:
        """The work with nothing but its music, as bits per note are counted."""
        events, kept = forgetful(self.events, 1.0, np.random.default_rng(0))
        return TokenisedWork.of(events, self.echo[kept])  # annotations echo nothing

    def training_window(self, length: int, augment: AugmentConfig, rng: Generator) -> Window:
        """Cut and vary one window of at most `length` predicted events.

        In this order, from one generator: where it begins; pitch, tempo and loudness; annotations
        left out; whether its length is known; cells left out; whether it echoes itself alone, or
        all of the work before it; of played works, whether it is brought onto the grid.
        """
        first_bar = self._random_bar(length, rng)
        events, rows = from_bar(self, first_bar, length + 1)
        semitones = random_shift(events, augment.transpose, rng)
        tempo = int(rng.integers(-augment.tempo, augment.tempo + 1))
        velocity = int(rng.integers(-augment.velocity, augment.velocity + 1))
        events = revoiced(transposed(events, semitones, self.means), tempo=tempo, velocity=velocity)
        forget = 1.0 if rng.random() < augment.forget_all else augment.forget
        events, kept = forgetful(events, forget, rng)
        rows = rows[kept]
        bars = None if rng.random() < forget else self.bars
        holes = holes_at_random(events, length + 1, rng) if rng.random() < augment.infill else None
        alone = rng.random() < augment.fresh
        if holes is not None:
            events, chosen = punched(events, holes)
            rows = np.where(chosen >= 0, rows[chosen], -1)
        if events.is_played and rng.random() < augment.straight:
            events = events.straightened()
        if alone:
            return _window(events, first_bar, bars)
        echo = self.echo
        if holes is not None:
            echo, rows = holed_echo(self, first_bar, holes, events, rows)
        columns = echo_at(echo, rows, semitones=semitones, velocity=velocity)
        return _window(events, first_bar, bars, echo=columns)

    def _random_bar(self, length: int, rng: Generator) -> int:
        """A bar to begin with: often the first; never so late that much of the window is empty."""
        events = self.events
        room = length + 1 - len(events.header)
        last = int(np.searchsorted(events.bar_rows, len(events) - room, side="left"))
        last = min(last, self.bars - 1)
        return 0 if rng.random() < 0.25 else int(rng.integers(0, last + 1))

    def covering_places(self, length: int) -> Iterator[tuple[int, int]]:
        """First bar of each covering window, and how many events were counted before it.

        In these windows every event of the work counts exactly once. Each after the first begins at
        a bar about half a window back, so that what counts is predicted from at least that much.

        Raises:
            SettingError: a bar holds more events than a window.
        """
        count, bar_rows = len(self.events), self.events.bar_rows
        done, bar = 0, 0
        while done < count:
            yield bar, done
            rows = from_bar(self, bar, length + 1)[1]
            done = max(done, int(rows.max()) + 1)
            back = done - (length - len(self.events.header)) // 2
            bar = max(int(np.searchsorted(bar_rows, back, side="right")) - 1, bar + 1)
            if done < count and (bar >= len(bar_rows) or bar_rows[bar] > done):
                raise SettingError(
                    f"bar {bar} holds more events than a window of {length}",
                    where="data.training_window",
                    mend="use a longer window",
                )

    def covering_window(self, length: int, bar: int, done: int) -> Window:
        """The window that begins at a bar and counts what follows the first `done` events."""
        events, rows = from_bar(self, bar, length + 1)
        return _window(events, bar, None, echo=self.echo_at(rows), counted=rows >= done)


@dataclass(frozen=True, slots=True)
class Window:
    """What one training or test example is cut to.

    Attributes:
        columns: (T, C) events seen, fields then context columns.
        targets: (T, F) the event after each.
        counted: (T,) whether a target counts when every event of a work counts once.
    """

    columns: Columns
    targets: Columns
    counted: Mask


def echo_at(echo: Columns, rows: Ints, *, semitones: int = 0, velocity: int = 0) -> Columns:
    """Columns of some rows of what `tokens.echoes` finds; nothing for rows of -1. -> (T, 9)."""
    columns = echo_columns(echo[rows], semitones=semitones, velocity=velocity)
    columns[rows < 0] = 0
    return columns


def from_bar(work: TokenisedWork, bar: int, length: int) -> tuple[Events, Ints]:
    """Header and events from bar `bar` on, at most `length`.

    The section and tempo in force are repeated where the bar does not begin with its own.

    Returns:
        The events, and (T,) the row of the work that each is, -1 for what is repeated.
    """
    events, row = work.events, int(work.events.bar_rows[bar])
    header = len(events.header)
    parts = [events.header, events[row : row + 1]]
    rows = [*range(header), row]
    following = row + 1
    for kind in (Kind.SECTION, Kind.TEMPO):
        begins = WORDS.position.id(0) if kind == Kind.TEMPO else 0
        if events.array[following : following + 1, : v.VALUE].tolist() == [[kind, begins]]:
            parts.append(events[following : following + 1])
            rows.append(following)
            following += 1
        elif (earlier := events[:row].rows_of(kind)).size:
            parts.append(Events.of([events[earlier[-1]]._replace(position=begins)]))
            rows.append(-1)
    parts.append(events[following:])
    found = np.concatenate([rows, np.arange(following, len(events))])
    return Events.joined(parts)[:length], found[:length]


def _window(
    events: Events,
    first_bar: int,
    bars: int | None,
    *,
    echo: Columns | None = None,
    counted: Mask | None = None,
) -> Window:
    context = context_columns(events, first_bar=first_bar, bars=bars, echo=echo)
    columns = np.concatenate([events.array, context], axis=1)
    if counted is None:
        counted = np.ones(len(events), dtype=np.bool_)
    targets = events.array[1:].copy()
    targets[events.is_a(Kind.HOLE)[1:]] = 0  # where a hole is, is asked, never predicted
    return Window(columns[:-1], targets, counted[1:])


def holed_echo(
    work: TokenisedWork, first_bar: int, holes: Mask, events: Events, rows: Ints
) -> tuple[Columns, Ints]:
    """What the whole work echoes, but for the holes in a stretch of it, until they are filled.

    Args:
        work: whose stretch it is.
        first_bar: where the stretch begins.
        holes: (bars, tracks) those in the stretch.
        events: the stretch, as `punched` has it.
        rows: (T,) which row of the work each of them is, -1 for none.

    Returns:
        What the work with its holes echoes, as `tokens.echoes` has it, and (T,) the row of that
        which each event is, -1 for none.
    """
    wide = np.zeros((work.bars, holes.shape[1]), dtype=np.bool_)
    wide[first_bar : first_bar + len(holes)] = holes
    whole, origin = punched(work.events, wide)
    place = np.full(len(work.events), -1)
    place[origin[origin >= 0]] = np.flatnonzero(origin >= 0)
    found = np.where(rows >= 0, place[rows], -1)
    found[events.is_a(Kind.FILL)] = whole.rows_of(Kind.FILL)
    return echoes(whole), found


def music_of(events: Events) -> Events:
    """Events without annotations."""
    return forgetful(events, 1.0, np.random.default_rng(0))[0]

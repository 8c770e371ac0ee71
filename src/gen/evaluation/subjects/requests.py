"""Requests for short pieces with a value for every control, drawn from what the house writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from gen import harmony
from gen.data.augment import transposed
from gen.errors import HouseError
from gen.evaluation.subjects.works import MeasuredWork
from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling.drafting.draft import Draft
from gen.sampling.planning.controls import DENSITY_WORDS, Controls, instrument_number
from gen.sampling.planning.deciding import plan_of
from gen.sampling.planning.plan import compass_of
from gen.tokens import vocabulary as v
from gen.tokens.events import Events
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_of

KEYS = tuple(str(harmony.Key(tonic, mode)) for mode in ("major", "minor") for tonic in range(12))
_MOST_TRACKS = 4
BARS = (4, 5, 6, 8)
PROGRESSION_BARS = 4
NEEDS = {"chords": "time_signature", "roles": "instruments"}
"""Controls that can be asked for only beside another, and are compared only where that was."""


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """What is asked of one piece.

    Attributes:
        whole: a value for every control.
        asked: names of those that the model is asked for; genre and bars always are.
    """

    whole: Controls
    asked: frozenset[str]

    @property
    def controls(self) -> Controls:
        """What the model is asked for."""
        return Controls(**{name: getattr(self.whole, name) for name in self.asked})


def draw_requests(
    works: Sequence[MeasuredWork], count: int, rng: Generator
) -> list[ControlRequest]:
    """Draw requests; ensembles, genres, meters and progressions are the house's own.

    Raises:
        HouseError: no works to draw from.
    """
    if not works:
        raise HouseError("no work tells what may be asked", mend="evaluate with the house's own")
    meters = sorted({meter for work in works if (meter := _meter(work))})
    return [_request(works, meters, rng) for _ in range(count)]


def _request(works: Sequence[MeasuredWork], meters: list[str], rng: Generator) -> ControlRequest:
    work = works[int(rng.integers(len(works)))]
    events = _moved(work.tokenised.events, rng)
    instruments, roles = _ensemble(events, rng)
    softest, lowest = int(rng.integers(16, 81)), int(rng.integers(36, 53))
    # Every instrument of the ensemble has an octave and more of the range to play.
    ranges = [compass_of(instrument_number(name), (0, 127)) for name in instruments]
    lowest = min(lowest, *(top - 12 for _, top in ranges))
    highest = max(lowest + int(rng.integers(24, 44)), *(bottom + 15 for bottom, _ in ranges))
    whole = Controls(
        genre=work.genre,
        key=key_of(events) or KEYS[rng.integers(len(KEYS))],
        tempo=float(round(50 * 4 ** rng.random())),
        time_signature=meters[rng.integers(len(meters))],
        bars=int(rng.choice(BARS)),
        instruments=instruments,
        roles=roles,
        chords=_progression(events, rng),
        density=str(rng.choice(list(DENSITY_WORDS))),
        pitch_range=(lowest, highest),
        velocity_range=(softest, softest + int(rng.integers(20, 47))),
    )
    names = ("key", "tempo", "time_signature", "instruments", "roles", "chords", "density",
             "pitch_range", "velocity_range")  # fmt: skip
    asked = {name for name in names if rng.random() < 0.5}
    asked -= {name for name, needed in NEEDS.items() if needed not in asked}
    return ControlRequest(whole, frozenset(asked | {"genre", "bars"}))


def _moved(events: Events, rng: Generator) -> Events:
    """Key and chords of a work on another root; only these are read."""
    kept = events.only(Kind.KEY, Kind.BAR, Kind.CHORD, Kind.TRACK)
    return transposed(kept, int(rng.integers(12)))


def _meter(work: MeasuredWork) -> str:
    bars = work.tokenised.events.only(Kind.BAR)
    return "{}/{}".format(*v.TIME_SIGNATURES[bars.number[0]]) if len(bars) else ""


def key_of(events: Events) -> str:
    """The work's key, or nothing where its tag tells none."""
    keys = events.only(Kind.KEY)
    if not len(keys):
        return ""
    tonic, is_minor = divmod(int(keys.number[0]), 2)
    return str(harmony.Key(tonic, "minor" if is_minor else "major"))


def _ensemble(events: Events, rng: Generator) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Some of a work's tracks, in their order: instruments, and roles where all are known."""
    tracks = events.only(Kind.TRACK)
    most = min(_MOST_TRACKS, len(tracks))
    chosen = tracks[np.sort(rng.permutation(len(tracks))[: rng.integers(1, most + 1)])]
    return ensemble_of(chosen)


def ensemble_of(tracks: Events) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Instruments, and roles where all are known, of TRACK events."""
    names = tuple("drums" if p == DRUM_PROGRAM else str(p) for p in tracks.number.tolist())
    known = bool((tracks.extent > 0).all())
    return names, tuple(ROLES[r] for r in WORDS.role.number(tracks.extent)) if known else ()


def _progression(events: Events, rng: Generator) -> str | None:
    """Four bars of a work's chords; None where its tag tells none."""
    bars = len(events.bar_rows)
    return chords_of(
        events, int(rng.integers(1, max(2, bars - PROGRESSION_BARS + 2))), PROGRESSION_BARS
    )


def chords_of(events: Events, first: int, count: int) -> str | None:
    """Chords of so many bars, the first of the work being 1; None where its tag tells none."""
    bar, chords = events.bar + 1, events.is_a(Kind.CHORD)
    if not chords.any():
        return None
    bars = [
        [chord_of(int(value)) for value in events.value[chords & (bar == number)]]
        for number in range(first, first + count)
    ]
    return harmony.format_progression([chords or [None] for chords in bars])


def draft_of(request: ControlRequest) -> Draft:
    """The piece that is asked for, still to be written."""
    return Draft(plan_of(request.controls))

"""Music by code, for the tests of tokens, windows, model and grammar.

`pieces()` draws pieces that lie on the tokenizer's grid: several meters, 7/8 among them, tempo
changes, drums, tracks of one program, pedals. `loose_pieces()` draws what sequencers and players
leave behind: any tick, overlapping notes, meter changes inside a bar. `random_draft` writes a
piece by drawing uniformly among what the grammar allows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from gen.data.windows import TokenisedWork, Window
from gen.piece import DRUM_PROGRAM, Note, Pedal, Piece, Tempo, TimeSignature, Track
from gen.sampling.drafting.draft import Draft
from gen.sampling.planning.plan import Plan, Row
from gen.tokens import vocabulary as v
from gen.tokens.encoding import Annotations, encode
from gen.tokens.events import Events
from gen.tokens.grid import TICKS_PER_STEP, to_grid
from gen.tokens.tokenizer import score_of
from gen.tokens.vocabulary import SPANS, WORDS, Kind

FIRST = {name: ids.start for name, ids in SPANS.items()}
"""Type of word: the first of its ids."""
_FIELDS = {
    "position": v.POSITION, "duration": v.EXTENT, "role": v.EXTENT, "density": v.EXTENT,
    "velocity": v.LEVEL, "register": v.LEVEL,
}  # fmt: skip
"""Type of word: its field, where that is not the value."""

STEP = TICKS_PER_STEP
METERS = ((4, 4), (3, 4), (7, 8), (6, 8), (5, 4), (2, 2), (5, 16), (12, 4), (1, 4))
INSTRUMENTS = (0, 0, 33, 73, DRUM_PROGRAM)


@st.composite
def meters(draw, *, most: int = 3) -> list[TimeSignature]:
    """Meter changes on bar lines, each different from the one before."""
    signatures, tick = [], 0
    for _ in range(draw(st.integers(1, most))):
        signature = draw(st.sampled_from(METERS))
        if not signatures or signature != (signatures[-1].numerator, signatures[-1].denominator):
            signatures.append(TimeSignature(tick, *signature))
        tick += draw(st.integers(1, 3)) * v.bar_steps(*signature) * STEP
    return signatures


@st.composite
def tracks(draw, steps: int) -> Track:
    """One part on the grid, at most one note a pitch at a time."""
    instrument = draw(st.sampled_from(INSTRUMENTS))
    drawn = draw(
        st.lists(
            st.tuples(
                st.integers(0, steps - 1),
                st.integers(0, 127) | st.integers(59, 61),
                st.sampled_from(v.DURATIONS.tolist()),
                st.sampled_from(v.VELOCITIES.tolist()),
            ),
            min_size=1,
            max_size=12,
        )
    )
    free: dict[int, int] = {}
    notes = []
    for onset, pitch, duration, velocity in sorted(drawn):
        if onset >= free.get(pitch, 0):
            notes.append(Note(onset * STEP, duration * STEP, pitch, velocity))
            free[pitch] = onset + duration
    pedals, released = [], 0
    held = st.tuples(st.integers(0, 40), st.sampled_from(v.DURATIONS.tolist()))
    for gap, duration in draw(st.lists(held, max_size=3)):
        pedals.append(Pedal((released + gap) * STEP, duration * STEP))
        released += gap + duration
    is_drum = instrument == DRUM_PROGRAM
    return Track("", 0 if is_drum else instrument, is_drum, None, notes, pedals)


@st.composite
def pieces(draw, *, most_tracks: int = 4) -> Piece:
    """A piece on the grid that the tokenizer keeps to the last detail."""
    piece = Piece(480, time_signatures=draw(meters()))
    steps = piece.time_signatures[-1].onset_ticks // STEP + 48
    piece.tracks = draw(st.lists(tracks(steps), min_size=1, max_size=most_tracks))
    piece.time_signatures = [s for s in piece.time_signatures if s.onset_ticks < piece.end_ticks]
    start, last = piece.bar_starts()[-1]
    end = start + piece.bar_ticks(last)
    for track in piece.tracks:
        track.pedals = [p for p in track.pedals if p.onset_ticks + p.duration_ticks <= end]
    later = st.lists(st.integers(1, end // STEP - 1), unique=True, max_size=3)
    changes = [0, *sorted(draw(later))]
    classes = draw(st.permutations(range(0, len(v.TEMPOS), 7)))
    piece.tempos = [
        Tempo(step * STEP, round(60_000_000 / v.TEMPOS[c]))
        for step, c in zip(changes, classes, strict=False)
    ]
    return piece


@st.composite
def loose_pieces(draw) -> Piece:
    """A piece off the grid, in any division, with overlaps and meter changes inside bars."""
    division = draw(st.sampled_from((24, 96, 220, 480, 960)))
    quarters = draw(st.integers(1, 12))
    tick = st.integers(0, quarters * division)
    length = st.integers(1, 20 * division) | st.integers(1, division)
    near = st.integers(0, 3) | st.integers(0, 127)
    note = st.builds(Note, tick, length, near, st.integers(1, 127))
    pedal = st.builds(Pedal, tick, length)
    piece = Piece(division)
    for _ in range(draw(st.integers(1, 3))):
        instrument = draw(st.sampled_from(INSTRUMENTS))
        is_drum = instrument == DRUM_PROGRAM
        piece.tracks.append(
            Track(
                "", 0 if is_drum else instrument, is_drum, None,
                sorted(draw(st.lists(note, min_size=1, max_size=10))),
                sorted(draw(st.lists(pedal, max_size=4))),
            )
        )  # fmt: skip
    sixteenths = st.integers(0, quarters * 4)
    cuts = draw(st.lists(st.tuples(sixteenths, st.sampled_from(METERS)), max_size=3))
    piece.time_signatures = [
        TimeSignature(cut * division // 4, *signature) for cut, signature in sorted(cuts)
    ]
    tempos = draw(st.lists(st.builds(Tempo, tick, st.integers(200_000, 3_000_000)), max_size=3))
    piece.tempos = sorted(tempos)
    return piece


def covering_windows(work: TokenisedWork, length: int) -> list[Window]:
    """Windows in which every event of a work counts once."""
    return [work.covering_window(length, *place) for place in work.covering_places(length)]


def events_of(piece: Piece, notes: Annotations | None = None) -> Events:
    return encode(to_grid(score_of(piece)), notes)


@dataclass(frozen=True)
class Theme:
    """A tune with bass and drums from a seed, long enough for windows and splits."""

    seed: int
    bars: int = 8
    shift: int = 0

    def piece(self) -> Piece:
        rng = np.random.default_rng(self.seed)
        scale = np.array([0, 2, 4, 5, 7, 9, 11, 12])
        # Other seeds are other random drafts: they share no long run of intervals.
        tune = 60 + self.shift + scale[rng.integers(0, 8, self.bars * 8)]
        melody = [
            Note(i * 6 * STEP, 6 * STEP, int(pitch), 83 + 4 * int(rng.integers(0, 3)))
            for i, pitch in enumerate(tune)
        ]
        bass = [
            Note(bar * 48 * STEP, 48 * STEP, int(tune[bar * 8]) - 24, 71)
            for bar in range(self.bars)
        ]
        drums = [Note(i * 24 * STEP, 3 * STEP, 36 + 2 * (i % 2), 99) for i in range(self.bars * 2)]
        return Piece(
            480,
            [
                Track("", 73, notes=melody, pedals=[Pedal(0, 24 * STEP)]),
                Track("", 33, notes=bass),
                Track("", 0, True, notes=drums),
            ],
            [Tempo(0, 500_000), Tempo(60 * STEP, 600_000)],
            [TimeSignature(0, 4, 4)],
        )

    def events(self) -> Events:
        chords = "Am7 | F C/E | % | G7sus4"
        notes = Annotations(
            "waltz", "calm", "A minor", chords, "intro:1 A:3", ("main_melody", "bass", "drums"), 2
        )
        return events_of(self.piece(), notes)


def event(kind: Kind, **numbers: int) -> Events:
    """One event, from the numbers of its words: `event(Kind.NOTE, position=12, pitch=60, …)`."""
    row = [int(kind), 0, 0, 0, 0]
    for name, number in numbers.items():
        row[_FIELDS.get(name, v.VALUE)] = getattr(WORDS, name).id(number)
    return Events.of([row])


def bar_event(numerator: int, denominator: int) -> Events:
    """A bar of this meter begins."""
    return event(Kind.BAR, time_signature=v.TIME_SIGNATURES.index((numerator, denominator)))


def track_row(instrument: int, role: int = 0, register: int = 0) -> Row:
    return [int(Kind.TRACK), 0, FIRST["program"] + instrument, role, register]


def bos() -> Row:
    return [int(Kind.BOS), 0, 0, 0, 0]


def random_row(draft: Draft, rng: np.random.Generator, notes: float = 0.0) -> Row:
    """The forced row, or each field drawn uniformly among what may be drawn.

    Args:
        notes: chance that another note follows where one may.
    """
    if draft.forced:
        return draft.forced.popleft()
    row = [0] * len(v.FIELDS)
    for field in range(len(v.FIELDS)):
        mask = draft.drawable(field, row)
        choices = np.flatnonzero(mask)
        assert len(choices), f"nothing may follow {draft.rows[-3:]} in field {field} of {row}"
        bias = draft.bias(field, row)
        assert bias is None or len(bias) <= len(mask)
        if field == v.KIND and Kind.NOTE in choices and rng.random() < notes:
            choices = [Kind.NOTE]
        row[field] = int(rng.choice(choices))
        if field == v.POSITION and draft.begins_too_late(row):
            draft.end_cell()
            return random_row(draft, rng, notes)
    return row


def random_draft(plan: Plan, seed: int, *, notes: float = 0.0, most_rows: int = 100_000) -> Draft:
    """A whole piece, written by chance."""
    draft, rng = Draft(plan), np.random.default_rng(seed)
    while not draft.done:
        draft.take(random_row(draft, rng, notes))
        assert len(draft.rows) < most_rows
    return draft

"""A lead sheet and an arrangement become a work: a piece and its description."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from gen.errors import HouseError
from gen.piece import KeySignature, Marker, Note, Pedal, Piece, Tempo, TimeSignature, Track
from starter.arrangement import Arrangement, Plan, Scene, Seat, Section
from starter.dynamics import perform, separate
from starter.form import SLOWINGS, plan
from starter.instruments import playing_range
from starter.keys import key_name, names_in, plain_fifths
from starter.leadsheet import TICKS, Bar, LeadSheet
from starter.tones import Tone

_ROLE_ORDER = ("main_melody", "sub_melody", "riff", "accompaniment", "bass", "pad", "drums")


@dataclass(frozen=True, slots=True)
class RealisedWork:
    """A work of the starter house, ready to be written and contributed."""

    work_id: str
    title: str
    sheet: LeadSheet
    arrangement: Arrangement
    plan: Plan
    piece: Piece

    @property
    def key_text(self) -> str:
        return key_name(self.plan.bars[0].key)

    @property
    def chords_text(self) -> str:
        return " | ".join(_bar_chords(self.plan, bar) for bar in self.plan.bars)

    @property
    def sections_text(self) -> str:
        return " ".join(f"{name}:{bar}" for name, bar, _ in section_starts(self.plan))


def realise(sheet: LeadSheet, arrangement: Arrangement, shift: int = 0) -> RealisedWork:
    """Write one work.

    Args:
        sheet: the theme.
        arrangement: who plays it and how.
        shift: transposition in semitones.

    Raises:
        HouseError: the arrangement cannot play this theme's meter, a note lies outside its
            instrument's range, or fewer than three tracks have notes.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", arrangement.name.lower()).strip("-")
    work_id = f"{sheet.slug}-{slug}"
    made = plan(sheet, arrangement, shift)
    notes = _play(made, work_id)
    piece = Piece(TICKS, _tracks(made, notes, work_id))
    _conduct(made, piece)
    title = f"{sheet.title} ({arrangement.name})"
    return RealisedWork(work_id, title, sheet, arrangement, made, piece)


def _play(made: Plan, work_id: str) -> dict[str, list[Note]]:
    """Every seat plays every section, the theme first, so that the others can hear it."""
    seats = sorted(made.arrangement.seats, key=lambda s: _ROLE_ORDER.index(s.role))
    memories: dict[str, dict[str, Any]] = {seat.name: {} for seat in seats}
    played: dict[str, list[Note]] = {seat.name: [] for seat in seats}
    for section in made.sections:
        band: dict[str, list[Tone]] = {}
        stage: dict[str, list[Tone]] = {}
        for seat in seats:
            figure = f"{work_id}/{seat.name}/{section.letter or section.kind}"
            rng, vary = Random(figure), Random(f"{figure}/{section.index}")  # noqa: S311
            scene = Scene(made, section, seat, rng, vary, memories[seat.name], band, stage)
            tones = seat.part(scene) if _takes_part(seat, scene) else []
            if section.stops:
                tones = _stopped(seat, section, tones)
            band[seat.name] = sorted(tones, key=lambda t: (t.onset, t.pitch))
            played[seat.name] += perform(made, seat, section, tones, vary)
    return played


def _takes_part(seat: Seat, scene: Scene) -> bool:
    if scene.kind in seat.silent_in:
        return False
    if scene.kind == "pickup":
        return seat.role == "main_melody"
    strongest = max(scene.energy, scene.section.energy_end)
    is_left = not scene.section.thin or seat.role in ("main_melody", "bass")
    closes = scene.kind == "final" and is_left
    return closes or strongest >= seat.enters


def _stopped(seat: Seat, section: Section, tones: list[Tone]) -> list[Tone]:
    """The tones of a seat that falls silent under the lead's last bar, but for its first beat."""
    if seat.role in ("main_melody", "drums"):
        return tones
    end = section.bars[-1].onset + TICKS
    return [replace(t, duration=min(t.duration, end - t.onset)) for t in tones if t.onset < end]


def _tracks(made: Plan, played: dict[str, list[Note]], work_id: str) -> list[Track]:
    tracks = []
    for seat in made.arrangement.seats:
        notes = separate(played[seat.name], made.end)
        if not notes:
            continue
        _check_range(seat, notes, work_id)
        pedals = _pedals(made, notes) if seat.pedal else []
        program = 0 if seat.is_drum else seat.program
        tracks.append(Track(seat.name, program, seat.is_drum, seat.role, notes, pedals))
    if len(tracks) < 3:
        raise HouseError(f"{len(tracks)} tracks with notes, fewer than three", where=work_id)
    return tracks


def _check_range(seat: Seat, notes: list[Note], work_id: str) -> None:
    low, high = (27, 87) if seat.is_drum else playing_range(seat.program)
    outside = sorted({n.pitch for n in notes if not low <= n.pitch <= high})
    if outside:
        raise HouseError(f"{seat.name} is given {outside}, outside {low}-{high}", where=work_id)


def _pedals(made: Plan, notes: list[Note]) -> list[Pedal]:
    """Down after each new chord, up just before the next; lifted where nothing plays."""
    pedals = []
    onsets = [n.onset_ticks for n in notes]
    for span in made.chords:
        start, end = span.onset, span.onset + span.duration
        if any(start - 20 <= onset < end for onset in onsets):
            pedals.append(Pedal(start + 10, span.duration - 30))
    return pedals


def _conduct(made: Plan, piece: Piece) -> None:
    """Tempo, signatures, keys and markers."""
    bars = made.bars
    piece.tempos = _tempos(made)
    piece.time_signatures = [TimeSignature(b.onset, *b.meter) for b in _changes(bars, "meter")]
    piece.key_signatures = [
        KeySignature(b.onset, plain_fifths(b.key), b.key.is_minor) for b in _changes(bars, "key")
    ]
    piece.markers = [Marker(onset, name) for name, _, onset in section_starts(made)]


def _changes(bars: list[Bar], what: str) -> list[Bar]:
    """The bars at which meter or key differs from the bar before."""
    before = [None, *(getattr(b, what) for b in bars)]
    return [b for b, old in zip(bars, before, strict=False) if getattr(b, what) != old]


def _tempos(made: Plan) -> list[Tempo]:
    """The pace of each section; its last bars where they slow down, and then the pace again."""
    factors: dict[int, float] = {}
    for section in made.sections:
        factors.setdefault(section.onset, section.pace)
        bars = [b for b in made.bars if b.onset < section.end]
        slower = SLOWINGS[section.slowing][-len(bars) :]
        for bar, factor in zip(bars[len(bars) - len(slower) :], slower, strict=True):
            factors[bar.onset] = section.pace * factor
    tempos: list[Tempo] = []
    for onset, factor in sorted(factors.items()):
        tempo = Tempo(onset, round(60_000_000 / (made.tempo * factor)))
        if not tempos or tempos[-1].microseconds_per_quarter != tempo.microseconds_per_quarter:
            tempos.append(tempo)
    return tempos


def section_starts(made: Plan) -> list[tuple[str, int, int]]:
    """(name, first bar from 1, tick) of each section; a solo or ending counts once.

    A part that a pick-up leads into begins with it.
    """
    starts: list[tuple[str, int, int]] = []
    bar, before = 1, ""
    for section in made.sections:
        repeated = starts and starts[-1][0] == section.name in ("solo", "ending")
        if not repeated and before != "pickup":
            starts.append((section.name, bar, section.onset))
        bar, before = bar + len(section.bars), section.kind
    return starts


def _bar_chords(made: Plan, bar: Bar) -> str:
    """A bar's chords, repeated as needed to stand evenly spaced as `gen.harmony` reads them."""
    inside = [c for c in made.chords if bar.onset < c.onset < bar.onset + bar.ticks]
    first = [c for c in made.chords if c.onset <= bar.onset][-1]
    for count in range(1, 13):
        step = bar.ticks / count
        if all(((c.onset - bar.onset) / step).is_integer() for c in inside):
            break
    slots = [first.symbol] * count
    for span in inside:
        place = int((span.onset - bar.onset) / step)
        slots[place:] = [span.symbol] * (count - place)
    return " ".join(s.reduced.spelt(names_in(bar.key)) for s in slots)

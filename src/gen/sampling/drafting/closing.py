"""How a piece comes to its end: cadence, ritardando and last chord, decided before it is written.

All are as in the works. Of the first volume half slow down, in three steps, over their last three
bars; the last chord before the tonic is the dominant in six of ten, as often one as two bars before
the last. Of all 630 the accompaniment climbs through the last chord in 224, and in bars of three
quarters or fewer it rings for two in 165 of 165; of the 138 of the second volume 29 thin out before
it, many to one part, 35 have a plagal cadence, and 65 slow down, in four ways but for two works.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from gen.analysis.key import key_scores
from gen.harmony import Chord, Key, parse_progression
from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling.drafting import last_chord, open_cell
from gen.sampling.drafting.grammar import (
    FEWEST_BARS_TO_CLOSE,
    bars_to_close,
    comes_to_close,
    rings_on,
)
from gen.sampling.drafting.home import MELODIES
from gen.sampling.drafting.masks import Mask
from gen.sampling.drafting.state import ACCOMPANIMENT, BASS, BarTerms, PatternNote, State
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.plan import Close, Plan, Row, row_of
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_id, section_id

FEWEST_BARS_FOR_A_CADENCE: Final = 8

RITARDANDO: Final = (2, 5, 9)
"""Classes of tempo, 1/24 octave each, by which the last three bars are slower: to 77 %."""
SLOWED: Final[Mapping[str, float]] = {
    "piano_miniature": 1, "chorale": 1, "waltz": 1, "house": 0, "funk": 0, "lofi": 0,
    "pop_ballad": 0.7, "cinematic": 0.7, "ambient": 0.7,
}  # fmt: skip
"""Share of the works of a genre that slow down; of every other genre a third."""
SLOWED_OTHERWISE: Final = 0.33

SLOWINGS: Final[Sequence[tuple[float, tuple[int, ...]]]] = (
    (0.4, RITARDANDO), (0.6, (4, 12)), (0.75, (7,)), (0.9, (1, 2, 4, 6, 10, 14)),
    (1.0, (1, 3, 4, 5)),
)  # fmt: skip
"""The ways to slow down by the eighth rules, each with its share and those before it."""
SUBDOMINANT, DOMINANT = 5, 7
"""Semitones above the tonic."""
PLAGAL: Final[Mapping[str, float]] = {"chorale": 0.5}
"""Share of the pieces of a genre that come home from the subdominant by the eighth rules."""
PLAGAL_OTHERWISE: Final = 0.25

SPREADS: Final[Mapping[str, float]] = {
    "folk_dance": 0.8, "ambient": 0.7, "waltz": 0.6, "piano_miniature": 0.6, "pop_ballad": 0.6,
    "cinematic": 0.5, "": 0.35, "house": 0.25, "lofi": 0.25, "march": 0.25,
}  # fmt: skip
"""Share of the works of a genre whose accompaniment climbs through the last chord; "" for all."""
STOPS: Final[Mapping[str, float]] = dict.fromkeys(("rock", "funk", "march", "jazz_swing"), 0.25)
"""Share of the pieces of a genre that stop short, unless they slow down. No work does: in these
genres none climbs either, or few do, so that all of them would close alike."""
STOP: Final = v.STEPS_PER_QUARTER // 2
"""Grid steps that such a last chord lasts."""
FADES: Final[Mapping[str, float]] = {
    "house": 0.5, "lofi": 0.4, "ambient": 0.4, "bossa": 0.3, "cinematic": 0.2, "funk": 0.2,
    "pop_ballad": 0.2, "rock": 0.15, "": 0.15, "folk_dance": 0.1, "march": 0.1, "waltz": 0.1,
    "piano_miniature": 0.1,
}  # fmt: skip
"""Share of the works of a genre, of the second volume, that thin out before it."""
FADE: Final = (4, 6)
"""Bars that it takes, as in works, if the ending has as many: a section that comes back stays
whole."""
SHORT_FADE: Final = 3
"""Bars of one in a shorter ending by the ninth rules: of the 87 works that thin out before the last
chord 59 do so over three bars, and 58 have an ending of four."""
ENDING: Final = section_id("ending")
FEWEST_BARS_TO_FADE: Final = 24
"""Bars of a piece whose tracks have all been heard before it would begin."""
CLIMB: Final = 4
"""Notes with which an accompaniment climbs through the last chord: eighths, in slow pieces
sixteenths, as in works; fewer where its bar is too short, or notes before it ring on."""
SLOW: Final = 76.0
"""Quarters a minute."""
MAIN_MELODY, PAD = (ROLES.index(role) + 1 for role in ("main_melody", "pad"))
STAY: Final = [ACCOMPANIMENT, PAD, BASS]
"""Roles of which one is left after a fade."""


# Beforehand -----------------------------------------------------------------------------


def with_close(plan: Plan, controls: Controls, home: Key | None, seed: Sequence[int]) -> Plan:
    """The plan with a cadence, a last chord and, of some genres, a ritardando.

    What is asked for stays as it is.

    Args:
        plan: of a piece that comes to an end.
        controls: what is asked of it.
        home: its key, where one is known.
        seed: equal ones, equal closes.
    """
    bars = (plan.bars or 0) - sum(row[v.KIND] == Kind.BAR for row in plan.header)
    if plan.bars is None or bars < FEWEST_BARS_TO_CLOSE:
        return plan
    if controls.chords and (chord := coming_home(controls.chords, bars, home)):
        plan = _ending_on(chord, plan, plan.bars - 1)
    rng = np.random.default_rng(seed)
    slows = rng.random() < SLOWED.get(controls.genre or "", SLOWED_OTHERWISE)
    cadence = int(rng.integers(1, 3))
    if bars < FEWEST_BARS_FOR_A_CADENCE:
        return plan
    plan = replace(
        plan,
        cadence=0 if plan.chords_given else cadence,
        ritardando=RITARDANDO if slows and plan.tempo is None else (),
    )
    return _varied(plan, controls.genre or "", bars, rng) if plan.rules.varies_closes else plan


def _varied(plan: Plan, genre: str, bars: int, rng: np.random.Generator) -> Plan:
    """The plan with a close such as works of its genre have."""
    slowing, plagal, spread, stop, fading = rng.random(5)
    fades = bars >= FEWEST_BARS_TO_FADE and fading < FADES.get(genre, 0)
    fade = _within_ending(plan, int(rng.choice(FADE))) if fades else 0
    close = Close.SPREAD if spread < SPREADS.get(genre, 0) else Close.STRUCK
    if stop < STOPS.get(genre, 0) and not (fade or plan.ritardando):
        close = Close.STOPPED
    way = next(way for share, way in SLOWINGS if slowing < share)
    leads_from = SUBDOMINANT if plagal < PLAGAL.get(genre, PLAGAL_OTHERWISE) else DOMINANT
    if plan.scale and plan.rules.keeps_modes:
        leads_from = _leading_in(plan.scale, leads_from)
    return replace(
        plan,
        leads_from=leads_from,
        ritardando=way if plan.ritardando else (),
        close=close,
        fade=fade,
    )


def _leading_in(scale: Sequence[int], distance: int) -> int:
    """This one, else dominant or subdominant, whose root and fifth are in a scale, tonic first."""
    for found in (distance, DOMINANT, SUBDOMINANT):
        root = (scale[0] + found) % 12
        if {root, (root + DOMINANT) % 12} <= set(scale):
            return found
    return distance


def _within_ending(plan: Plan, fade: int) -> int:
    """The longest fade up to this one that the section has room for with which a piece ends.

    None where that is too short: in fewer bars a band would break off rather than fade. All of it
    if the piece has no form.
    """
    if not plan.sections_given:
        return fade
    begin = _last_section(plan)
    is_ending = any(row[v.VALUE] == ENDING for row in plan.planned(begin, Kind.SECTION))
    room = min(fade, plan.limit - 1 - begin) if is_ending else 0
    known = (SHORT_FADE, *FADE) if plan.rules.fades_in_endings else FADE
    return max((bars for bars in known if bars <= room), default=0)


def _last_section(plan: Plan) -> int:
    """The bar with which the last section begins that is planned; 0 where none is."""
    return max((bar for bar in plan.plan_rows if plan.planned(bar, Kind.SECTION)), default=0)


def _ending_on(chord: Chord, plan: Plan, bar: int) -> Plan:
    """The plan with this chord alone in a bar."""
    others = [row for row in plan.plan_rows.get(bar, ()) if row[v.KIND] != Kind.CHORD]
    row = row_of(Kind.CHORD, chord_id(chord), step=0)
    slashes = {place: basses for place, basses in plan.slashes.items() if place != bar}
    return replace(plan, plan_rows={**plan.plan_rows, bar: [*others, row]}, slashes=slashes)


def coming_home(chords: str, bars: int, home: Key | None) -> Chord | None:
    """The chord of the last bar, if a progression that is gone through again stops elsewhere.

    Args:
        chords: as `harmony.parse_progression` reads it.
        bars: of the piece.
        home: its key; without one a loop comes home to its first chord.

    Returns:
        The tonic; None where every bar was asked for, or the tonic's chord is there anyway.
    """
    progression = parse_progression(chords, home)
    if bars <= len(progression) or bars < FEWEST_BARS_TO_CLOSE:
        return None
    last = progression[(bars - 1) % len(progression)][-1]
    first = next((chord for bar in progression for chord in bar if chord), None)
    tonic = home.tonic if home else first.root if first else None
    if tonic is None or (last and last.root == tonic):
        return None
    own = [chord for bar in progression for chord in bar if chord and chord.root == tonic]
    if own:
        return replace(own[0], bass=own[0].root)
    return Chord(tonic, "min" if home and home.is_minor else "maj", tonic)


def key_of_chords(chords: str) -> Key | None:
    """The key that the tones of a progression suggest, the first chord's root counted once more.

    None where it cannot be told: no chord, or degrees, which say it of a key that is asked for.
    """
    found = [chord for bar in parse_progression(chords) for chord in bar if chord]
    if not found:
        return None
    tones = [tone for chord in found for tone in chord.pitch_classes]
    tones += [found[0].root, found[0].root]
    best = int(key_scores(np.bincount(tones, minlength=12).astype(np.float64)).argmax())
    return Key(best % 12, "minor" if best >= 12 else "major")


# Bar by bar -----------------------------------------------------------------------------


class Closing:
    """A piece of some length ends on its tonic, struck in the first half of its last bar.

    By the sixth rules as that begins, by all at once, whole, to ring to the end: in .66 of the
    works with notes there nothing but drums is struck later, in .24 of the pieces before. By the
    eighth in one of several ways, see `Plan.close` and `Plan.fade`.

    Args:
        seed: of who is left after a fade.
    """

    def __init__(self, seed: int | Sequence[int] = 0) -> None:
        self.seed = (seed,) if isinstance(seed, int) else tuple(seed)
        self.left: int | None = None  # the part, once the others begin to fall silent

    def begin_bar(self, plan: Plan, state: State, terms: BarTerms) -> None:
        """Decide whether the piece ends in this bar, and on which chord."""
        to_come = bars_to_close(plan, state)
        if not comes_to_close(plan, state) or to_come > plan.cadence:
            return
        if to_come < 0 and state.sounds_until > state.bar_start:
            terms.closes, terms.onset_stop, terms.chords_decided = True, 0, True
            return
        to_come = max(to_come, 0)
        key = state.key or key_of_notes(state.rows)
        if to_come and key:
            leads = to_come == plan.cadence
            terms.chord_choices = (
                _leading(plan, key) if leads else last_chord.choices(plan, state, key)
            )
            terms.cadence_root = (WORDS.key.number(key) // 2 + plan.leads_from * leads) % 12
        if to_come:
            return
        terms.closes = True
        is_one = plan.rules.closes_with_one_chord and len(terms.chords) < 2
        terms.onset_stop = 1 if is_one else state.bar_steps // 2 + 1
        terms.rings = STOP if plan.close == Close.STOPPED else 0
        if key:
            terms.chord_choices = last_chord.choices(plan, state, key)
        if key and state.genre and plan.rules.ends_as_works and not plan.chords_given:
            rng = np.random.default_rng([*self.seed, state.bar, 1])
            terms.ending = last_chord.ending(state.genre, key, rng)
            terms.chord_choices = [terms.ending.chord]
        if key and not plan.chords_given:
            terms.closing_chord = terms.chord_choices[0]  # unless another is drawn

    @staticmethod
    def basses(plan: Plan, state: State) -> set[int]:
        """Tracks whose last note is the root: by role, and in a steered piece by instrument.

        By the second rules the lowest track, where there is no bass.
        """
        found = {
            slot
            for slot, part in enumerate(state.parts)
            if part.role == BASS or (plan.steering and part.is_bass)
        }
        if found or not plan.rules.plans_closes:
            return found
        pitched = [slot for slot, part in enumerate(state.parts) if part.pitch_sum]
        return {min(pitched, key=lambda slot: state.parts[slot].mean_pitch)} if pitched else set()

    def called(self, plan: Plan, state: State, terms: BarTerms) -> set[int]:
        """Tracks that have to play: at the end, and in a cadence, the bass.

        Where the last chord is struck, all that sounded in the bar before, and by the eighth rules
        the bass and the melody, as in all works.
        """
        if not terms.is_struck:
            is_due = (terms.closes and plan.steering) or terms.cadence_root is not None
            due = self.basses(plan, state) if is_due else set()
            return due if self.left is None else due | {self.left}
        before = state.bar_start - state.bar_steps
        found = {slot for slot, part in enumerate(state.parts) if part.ends.max() > before}
        if plan.close:
            found |= self.basses(plan, state) | self._climbing(plan, state)
            found |= {slot for slot, part in enumerate(state.parts) if part.role == MAIN_MELODY}
        return found

    def drop_out(self, plan: Plan, state: State, terms: BarTerms) -> None:
        """Let melodies fall silent in a fade, and in its second half all parts but one."""
        to_come, fade = plan.limit - 1 - state.bar, plan.fade
        is_before = bars_to_close(plan, state) > 0 and comes_to_close(plan, state)
        if fade and plan.rules.fades_in_endings:
            to_come = bars_to_close(plan, state)
            fade = min(fade, state.bar + to_come - _last_section(plan))
            fade *= fade >= SHORT_FADE
        if not is_before or to_come > fade:
            return
        if self.left is None:
            parts = enumerate(state.parts)
            may = [slot for slot, part in parts if part.role in STAY and not part.is_silent]
            if not may:
                return
            self.left = int(np.random.default_rng([*self.seed, state.bar]).choice(may))
        is_late = to_come <= (fade + 1) // 2

        def plays(slot: int) -> bool:
            part = state.parts[slot]
            return slot == self.left or part.is_silent or not (is_late or part.role in MELODIES)

        terms.open = [slot for slot in terms.open if plays(slot)]

    def climb(self, plan: Plan, state: State) -> tuple[PatternNote, ...]:
        """With which notes the open cell climbs through the last chord; empty if it does not."""
        if not state.bar_terms.is_struck or state.slot not in self._climbing(plan, state):
            return ()
        is_slow = v.TEMPOS[WORDS.tempo.number(state.first_tempo)] <= SLOW
        apart = v.STEPS_PER_QUARTER // (4 if is_slow else 2)
        free = open_cell.first_free(state, state.slot, self.palette(plan, state, state.slot))
        steps = [step for step in range(0, state.bar_steps, apart)[:CLIMB] if step >= free]
        longest = WORDS.duration.id(len(v.DURATIONS) - 1)
        return tuple(
            PatternNote(
                WORDS.position.id(step), longest, 0, 1 if n else None, room=len(steps) - 1 - n
            )
            for n, step in enumerate(steps)
        )

    def _climbing(self, plan: Plan, state: State) -> set[int]:
        """The first accompaniment that is neither the bass nor drums, where one climbs."""
        if plan.close != Close.SPREAD:
            return set()
        others = self.basses(plan, state)
        may = [
            slot
            for slot, part in enumerate(state.parts)
            if part.role == ACCOMPANIMENT and part.program != DRUM_PROGRAM and slot not in others
        ]
        return set(may[:1])

    def palette(self, plan: Plan, state: State, slot: int) -> Mask:
        """What a track may play in this bar: at the end, tones of the last chord. (V,)."""
        part, terms = state.parts[slot], state.bar_terms
        if not terms.closes:
            return part.pitches
        is_bass = slot in self.basses(plan, state)
        closing: Mask = part.pitches & last_chord.tones(state, slot, is_bass=is_bass)
        return closing if closing.any() else part.pitches


def tempo_of(plan: Plan, state: State) -> Row | None:
    """The TEMPO with which a bar of a ritardando begins; None for any other bar.

    One of one or two bars begins a bar earlier where the last chord rings for two, through which
    nothing of it would be heard.
    """
    steps = len(plan.ritardando)
    place = state.bar - plan.limit + steps
    if steps < len(RITARDANDO):
        place += rings_on(plan, state)
    if plan.bars is None or not 0 <= place < steps or not state.tempo:
        return None
    already = plan.ritardando[place - 1] if place else 0
    slower = max(state.tempo - plan.ritardando[place] + already, WORDS.tempo.start)
    if slower == state.tempo:
        return None
    return row_of(Kind.TEMPO, slower, step=0)


def _leading(plan: Plan, key: int) -> list[int]:
    """Value ids of the chords that lead to the tonic of a key, the usual one first.

    Those are dominants with a seventh, major or suspended, and subdominants in the key's mode, in
    major of either; by the ninth rules, where a mode was asked for, those that it has.
    """
    tonic, is_minor = divmod(WORDS.key.number(key), 2)
    root = (tonic + plan.leads_from) % 12
    qualities: tuple[str, ...] = ("7", "maj", "sus4")
    if plan.leads_from == SUBDOMINANT:
        qualities = ("min", "m7") if is_minor else ("maj", "min", "maj7")
    if plan.scale and plan.rules.keeps_modes:
        either = [Chord(root, quality, root) for quality in ("maj", "min", "7", "m7", "sus4")]
        known = [chord_id(c) for c in either if set(c.pitch_classes) <= set(plan.scale)]
        if known:
            return known
    return [chord_id(Chord(root, quality, root)) for quality in qualities]


def key_of_notes(rows: Sequence[Row]) -> int:
    """Value id of the key that the notes of some rows are in; 0 where none has a pitch."""
    array = np.array(rows)
    pitched = (array[:, v.KIND] == Kind.NOTE) & (array[:, v.VALUE] < WORDS.pitch.stop)
    if not pitched.any():
        return 0
    steps = v.DURATIONS[WORDS.duration.number(array[pitched, v.EXTENT])].astype(np.float64)
    pitches = WORDS.pitch.number(array[pitched, v.VALUE])
    best = int(key_scores(np.bincount(pitches % 12, steps, 12).astype(np.float64)).argmax())
    is_minor, tonic = divmod(best, 12)
    return WORDS.key.id(2 * tonic + is_minor)

"""From what is asked to a plan, with a form and a key of its own where neither is asked for.

A model that sees some forty bars at once begins new sections where the old ones end, but seldom
comes back to one. Works do: so their forms are kept beside the model (`gen.data.habits`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, chain, cycle
from typing import Final

import numpy as np

from gen import harmony
from gen.data.habits import Form
from gen.errors import SettingError
from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling.planning.controls import CHANGING, Controls, instrument_number
from gen.sampling.planning.plan import (
    FEWEST_STEPS_A_CHORD,
    MOST_BARS_UNASKED,
    Plan,
    Row,
    Slashes,
    compass_of,
    row_of,
    steps_of,
)
from gen.smf.general_midi import ANY_PITCH
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_id, key_id, section_id

FEWEST_BARS: Final = 24
"""A shorter piece has no room for sections that come back."""
FEWEST_BARS_A_SECTION: Final = 4
"""What would be shorter belongs to the section before it."""
MINOR_MOODS: Final = frozenset({"dark", "sad", "tense"})
MAJOR_MOODS: Final = frozenset({"happy", "playful", "heroic"})
"""Moods that the works write in one mode."""
MAJOR_OTHERWISE: Final = 0.6
"""Share of the works of other moods that are in major."""


def time_signature_id(text: str) -> int:
    """Value id of a time signature such as `6/8`.

    Raises:
        SettingError: not one the tokenizer knows.
    """
    match = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", text)
    signature = (int(match[1]), int(match[2])) if match else None
    if signature not in v.TIME_SIGNATURES:
        raise SettingError(
            f"{text!r} is no time signature of this house",
            where="time_signature",
            mend="numerator 1-16, denominator 2, 4, 8 or 16, at most twelve quarters: 6/8",
        )
    return WORDS.time_signature.id(v.TIME_SIGNATURES.index(signature))


def plan_of(controls: Controls, style: int | None = None) -> Plan:
    """The plan that asks the model for exactly this.

    Args:
        controls: what is asked.
        style: the number that the checkpoint has for `controls.style`.

    Raises:
        SettingError: something cannot be read, or two settings contradict each other.
    """
    changing = controls.time_signature == CHANGING
    if controls.chords and changing:
        raise SettingError(
            "cannot be laid out in a meter that changes", where="chords",
            mend="add time_signature=4/4",
        )  # fmt: skip
    usual = harmony.usual_meter(controls.genre) if controls.chords else None
    meter = controls.time_signature or usual
    signature = time_signature_id(meter) if meter and not changing else None
    bars = controls.bars or MOST_BARS_UNASKED
    lengths = [steps_of(signature)] * bars if signature is not None else []
    rows, slashes = planned_rows(controls, bars, lengths, controls.home())
    tracks = track_rows(controls.instruments, controls)
    return Plan(
        header=[*attribute_rows(controls, style), *tracks],
        tracks_open=not controls.instruments,
        bars=controls.bars,
        most_bars=MOST_BARS_UNASKED,
        time_signature=signature,
        meter_changes=changing,
        tempo=_tempo_id(controls.tempo),
        plan_rows=rows,
        chords_given=bool(controls.chords),
        slashes=slashes,
        sections_given=bool(controls.form),
        pitches=(controls.pitch_range[0], controls.pitch_range[1]),
        velocities=velocity_classes(controls),
        densities=controls.densities(len(tracks) or 1),
        bar_densities=controls.bar_densities,
        returns=controls.returns,
    )


def planned_rows(
    controls: Controls, bars: int, lengths: Sequence[int], home: harmony.Key | None
) -> tuple[dict[int, list[Row]], Slashes]:
    """The sections and chords that are asked for, as `Plan.plan_rows`, and `Plan.slashes`.

    Args:
        controls: what is asked.
        bars: of the whole piece.
        lengths: of the bars that the chords are for, the last ones, in grid steps.
        home: the key of chords that are given by degrees.

    Raises:
        SettingError: as `section_rows` and `chord_rows`.
    """
    rows: dict[int, list[Row]] = {}
    for bar, row in section_rows(controls.form, bars) if controls.form else ():
        rows.setdefault(bar, []).append(row)
    if not controls.chords:
        return rows, {}
    first = bars - len(lengths)
    for bar, row in chord_rows(controls.chords, lengths, home):
        rows.setdefault(first + bar, []).append(row)
    slashes = slash_basses(controls.chords, lengths, home)
    return rows, {first + bar: basses for bar, basses in slashes.items()}


def velocity_classes(controls: Controls) -> tuple[int, int]:
    """Lowest and highest velocity class inside the range.

    Raises:
        SettingError: none is.
    """
    low, high = controls.velocity_range
    classes = np.flatnonzero((low <= v.VELOCITIES) & (high >= v.VELOCITIES))
    if not len(classes):
        raise SettingError(
            f"[{low}, {high}] holds none of the velocities 3, 7, 11 … 127",
            where="velocity_range", mend="make the range at least four wide",
        )  # fmt: skip
    return int(classes[0]), int(classes[-1])


def _tempo_id(tempo: float | None) -> int | None:
    if tempo is None:
        return None
    return WORDS.tempo.id(int(v.nearest_index(np.array([tempo]), v.TEMPOS)[0]))


def attribute_rows(controls: Controls, style: int | None = None) -> list[Row]:
    """BOS, and what is asked of the whole piece."""
    rows: list[Row] = [row_of(Kind.BOS)]
    if controls.genre:
        index = harmony.GENRES.index(controls.genre)
        rows.append(row_of(Kind.GENRE, WORDS.genre.id(index)))
    if controls.mood:
        index = harmony.MOODS.index(controls.mood)
        rows.append(row_of(Kind.MOOD, WORDS.mood.id(index)))
    if controls.key:
        rows.append(row_of(Kind.KEY, key_id(controls.key)))
    if style is not None:
        rows.append(row_of(Kind.STYLE, WORDS.style.id(style)))
    return rows


def track_rows(instruments: Sequence[str | int], controls: Controls) -> list[Row]:
    """A TRACK for each instrument, with its role where roles are given.

    Raises:
        SettingError: an instrument or role that cannot be, or that the pitches leave nothing.
    """
    roles: Sequence[str | None] = controls.roles or [None] * len(instruments)
    if len(roles) != len(instruments):
        raise SettingError(
            f"{len(roles)} roles for {len(instruments)} instruments",
            where="roles", mend="give one role for each instrument, in the same order",
        )  # fmt: skip
    rows: list[Row] = []
    for name, role in zip(instruments, roles, strict=True):
        number = instrument_number(name)
        if role and (role == "drums") != (number == DRUM_PROGRAM):
            raise SettingError(f"{name} cannot have the role {role}", where="roles")
        check_plays(str(name), compass_of(number, ANY_PITCH), controls.pitch_range)
        extent = WORDS.role.id(ROLES.index(role)) if role else 0
        rows.append(row_of(Kind.TRACK, WORDS.program.id(number), extent=extent))
    return rows


def check_plays(name: str, own: tuple[int, int], asked: Sequence[int]) -> None:
    """Refuse pitches that leave an instrument nothing.

    Args:
        name: of the instrument.
        own: lowest and highest pitch that it plays.
        asked: lowest and highest that it may play.

    Raises:
        SettingError: there is none in both.
    """
    if max(own[0], asked[0]) > min(own[1], asked[1]):
        lowest, highest = own
        raise SettingError(
            f"{list(asked)} leaves {name} nothing to play: it plays {lowest} to {highest}",
            where="pitch_range", mend=f"let the range reach into {lowest} to {highest}",
        )  # fmt: skip


def section_rows(text: str, bars: int) -> list[tuple[int, Row]]:
    """Bar, counted from 0, and SECTION row of each section of `intro:1 a:5 …`.

    Raises:
        SettingError: not of this form, an unknown name, or a bar that the piece has not.
    """
    found = []
    for part in text.split():
        name, _, bar = part.rpartition(":")
        if not name or not bar.isdecimal() or not 1 <= int(bar) <= bars:
            raise SettingError(
                f"{part!r} is no section of a piece of {bars} bars",
                where="sections", mend="name:first bar, counted from 1: 'intro:1 a:5 b:13'",
            )  # fmt: skip
        section = section_id(name)
        if section == section_id("other") and name.lower() != "other":
            harmony.nearest(name.lower(), v.SECTIONS, setting="sections")
        row = row_of(Kind.SECTION, section)
        found.append((int(bar) - 1, row))
    return found


def chord_rows(
    text: str, lengths: Sequence[int], key: harmony.Key | None = None
) -> list[tuple[int, Row]]:
    """CHORD rows of every bar; the progression begins again when it is through.

    Args:
        text: as `harmony.parse_progression` reads it.
        lengths: of the bars, in grid steps.
        key: of the degrees in it, such as `ii V7 | I`.

    Returns:
        Place in `lengths` and row of each.

    Raises:
        SettingError: it cannot be read, has more bars than there are, or a bar holds too many.
    """
    return [
        (bar, row_of(Kind.CHORD, chord_id(chord), step=step))
        for bar, step, chord in _chords_by_bar(text, lengths, key)
    ]


def slash_basses(text: str, lengths: Sequence[int], key: harmony.Key | None = None) -> Slashes:
    """Which pitch class is asked for in the bass of each bar that has a slash chord.

    Args, raises: as `chord_rows`.
    """
    found: dict[int, list[tuple[int, int | None]]] = {}
    for bar, step, chord in _chords_by_bar(text, lengths, key):
        bass = chord.bass if chord and chord.bass != chord.root else None
        found.setdefault(bar, []).append((step, bass))
    slashes = {bar: tuple(basses) for bar, basses in found.items()}
    return {bar: steps for bar, steps in slashes.items() if any(b is not None for _, b in steps)}


def _chords_by_bar(
    text: str, lengths: Sequence[int], key: harmony.Key | None
) -> Iterator[tuple[int, int, harmony.Chord | None]]:
    """Bar, step in it and chord, evenly spread over each bar."""
    progression = harmony.parse_progression(text, key)
    if len(progression) > len(lengths):
        raise SettingError(
            f"a progression of {len(progression)} bars for {len(lengths)} bars of music",
            where="chords", mend="give a chord or more for each bar, bars separated by |",
        )  # fmt: skip
    for bar, steps in enumerate(lengths):
        chords = progression[bar % len(progression)]
        if len(chords) > max(steps // FEWEST_STEPS_A_CHORD, 1):
            raise SettingError(
                f"{len(chords)} chords in a bar of {steps / FEWEST_STEPS_A_CHORD:g} eighths",
                where="chords", mend="at most one an eighth: spread them over bars, separated by |",
            )  # fmt: skip
        for index, chord in enumerate(chords):
            yield bar, index * steps // len(chords), chord


def scale_of(controls: Controls) -> tuple[int, ...]:
    """The pitch classes of a mode that is asked for; empty for major, minor and none."""
    key = harmony.parse_key(controls.key) if controls.key else None
    return key.scale if key and key.is_modal else ()


def with_roles(plan: Plan) -> Plan:
    """The plan of a piece from nothing whose tracks have no roles, with these to be sampled."""
    tracks = [row for row in plan.header if row[v.KIND] == Kind.TRACK]
    if any(row[v.EXTENT] for row in tracks):
        return plan
    header = [row for row in plan.header if row[v.KIND] != Kind.TRACK]
    return replace(plan, header=header, ensemble=tuple(row[v.VALUE] for row in tracks))


# A form and a key of its own ---------------------------------------------------------------


def at_home(
    plan: Plan, mood: str | None, seed: Sequence[int], known: harmony.Key | None = None
) -> Plan:
    """The plan with a key of its own, whose mode is that of the mood where it has one.

    Args:
        plan: of a piece from nothing that has no key.
        mood: of `harmony.MOODS`.
        seed: equal ones, equal keys.
        known: the key that its chords have, in place of one by chance.
    """
    rng = np.random.default_rng(seed)
    tonic, is_minor = int(rng.integers(12)), rng.random() >= MAJOR_OTHERWISE
    if mood in MINOR_MOODS | MAJOR_MOODS:
        is_minor = mood in MINOR_MOODS
    if known:
        tonic, is_minor = known.tonic, known.is_minor
    key = row_of(Kind.KEY, WORDS.key.id(2 * tonic + int(is_minor)))
    place = sum(row[v.KIND] in (Kind.BOS, Kind.GENRE, Kind.MOOD) for row in plan.header)
    return replace(plan, header=[*plan.header[:place], key, *plan.header[place:]])


def formed(plan: Plan, genre: str | None, seed: Sequence[int]) -> Plan:
    """A plan with the form of one of the works, and as many bars where they are left open.

    Args:
        plan: of a piece from nothing.
        genre: whose works are chosen from; all where it is none, or has none.
        seed: equal ones, equal forms.

    Returns:
        The same plan where its sections are decided, where it is too short to have any, and
        where no forms are known.
    """
    own = plan.habits.forms.get(genre) if genre else None
    forms = own or [form for known in plan.habits.forms.values() for form in known]
    short = plan.bars is not None and plan.bars < FEWEST_BARS
    if plan.sections_given or short or not forms:
        return plan
    form = forms[int(np.random.default_rng(seed).integers(len(forms)))]
    bars = plan.bars or min(sum(length for _, length in form), plan.most_bars)
    rows = dict(plan.plan_rows)
    for bar, row in section_rows(laid_out(fitted(form, bars)), bars):
        rows[bar] = [row, *rows.get(bar, ())]
    return replace(plan, plan_rows=rows, sections_given=True, bars=bars)


def fitted(form: Form, bars: int) -> list[tuple[str, int]]:
    """Sections of a form that fill so many bars.

    An introduction and an ending keep their places and lengths. Those between come in their
    order and then again (without the first, where the last is the same) until the bars are
    full, the last of them cut short; what would be too short belongs to the one before.

    Args:
        form: name and bars of each section.
        bars: above 0.
    """
    first = list(form[:1]) if _is(form[0], "intro") else []
    last = list(form[-1:]) if _is(form[-1], "ending") else []
    body = list(form[len(first) : len(form) - len(last)])
    room = bars - sum(length for _, length in [*first, *last])
    if not body or room < FEWEST_BARS_A_SECTION:  # one section is all of it
        return [((body or form)[0][0], bars)]
    closes = len(body) > 1 and section_id(body[0][0]) == section_id(body[-1][0])
    made: list[tuple[str, int]] = []
    for name, length in chain(body, cycle(body[1:] if closes else body)):
        if room < FEWEST_BARS_A_SECTION:
            break
        made.append((name, min(length, room)))
        room -= made[-1][1]
    name, length = made.pop()
    return [*first, *made, (name, length + room), *last]


def _is(section: tuple[str, int], name: str) -> bool:
    return section_id(section[0]) == section_id(name)


def laid_out(form: Form, first: int = 1) -> str:
    """`intro:1 a:5 …`, as `sections` are asked for, from bar `first` on."""
    bars = accumulate((length for _, length in form), initial=first)
    return " ".join(f"{name}:{bar}" for (name, _), bar in zip(form, bars, strict=False))

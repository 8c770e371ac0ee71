"""On which chord a piece ends, and who plays which of its tones.

By the ninth rules as works of its genre end. Counted in 585 works of the starter: the last chord
is on the tonic, of one or two qualities in each genre and mode (`ENDS`, which a test counts again).
Accompaniment and pads play a ninth besides in some (`NINTHS`), melodies end on its root, third or
fifth in all, and two of three of rock have no third. What strikes chords has as many notes in the
last one as before; of what else accompanies .17 have one note there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Final

import numpy as np

from gen.harmony import GENRES, Chord
from gen.piece import DRUM_PROGRAM, ROLES
from gen.sampling.drafting.cell_table import cells_of
from gen.sampling.drafting.home import MELODIES
from gen.sampling.drafting.masks import CHORD_ROOT, CHORD_TONES, Mask
from gen.sampling.drafting.state import ACCOMPANIMENT, Ending, PatternNote, State
from gen.sampling.drafting.steering import Floats
from gen.sampling.planning.plan import Plan
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_id, chord_of

Qualities = Mapping[str, float]
"""A quality, and its share."""

PLAIN: Final[tuple[Qualities, Qualities]] = {"maj": 1}, {"min": 1}
ENDS: Final[Mapping[str, tuple[Qualities, Qualities]]] = {
    "jazz_swing": ({"6": 2 / 3, "maj7": 1 / 3}, {"m6": 2 / 3, "m7": 1 / 3}),
    "bossa": ({"6": 2 / 3, "maj7": 1 / 3}, {"m7": 2 / 3, "m6": 1 / 3}),
    "funk": ({"7": 2 / 3, "maj7": 1 / 3}, {"m7": 1}),
    "lofi": ({"maj7": 1}, {"m7": 1}),
    "house": ({"maj": 2 / 3, "maj7": 1 / 3}, {"m7": 2 / 3, "min": 1 / 3}),
    "pop_ballad": ({"maj": 1}, {"min": 2 / 3, "m7": 1 / 3}),
    "rock": ({"maj": 1}, {"maj": 2 / 3, "m7": 1 / 3}),
}
"""The last chord's qualities in major and in minor; of every other genre `PLAIN`."""
NINTHS: Final[Mapping[str, float]] = {
    "bossa": 0.8, "lofi": 0.7, "jazz_swing": 0.5, "pop_ballad": 0.45, "house": 0.4, "funk": 0.35,
    "rock": 0.1,
}  # fmt: skip
"""Share of the works of a genre in which somebody plays its ninth, too."""
BARE: Final[Mapping[str, float]] = {"rock": 2 / 3}
"""Share of those in which nobody plays its third."""

MISSING: Final = 3.0
"""For a tone of the last chord that nobody plays yet."""
CHORDAL: Final = {ACCOMPANIMENT: 3, ROLES.index("pad") + 1: 2}
"""Roles that play the last chord, and with how many notes where they struck none at once before."""
LATEST: Final = 8
"""Bars by which it is told how many notes a part strikes at once."""
USUAL: Final = 0.75
"""Of its notes by how many are struck at once, this quantile."""

_ROCK: Final = WORDS.genre.id(GENRES.index("rock"))
_LONGEST: Final = WORDS.duration.id(len(v.DURATIONS) - 1)
_NINTH: Final = 2


def ending(genre: int, key: int, rng: np.random.Generator) -> Ending:
    """How works of a genre end in a key, both value ids, drawn by their shares."""
    name, (tonic, is_minor) = GENRES[WORDS.genre.number(genre)], divmod(WORDS.key.number(key), 2)
    which, ninth, bare = rng.random(3)
    qualities = ENDS.get(name, PLAIN)[is_minor]
    shares = np.cumsum(list(qualities.values()))
    quality = list(qualities)[min(int(np.searchsorted(shares, which)), len(shares) - 1)]
    is_bare = quality == "maj" and (bool(is_minor) or bare < BARE.get(name, 0)) and name in BARE
    return Ending(chord_id(Chord(tonic, quality, tonic)), ninth < NINTHS.get(name, 0), is_bare)


def choices(plan: Plan, state: State, key: int) -> list[int]:
    """Value ids of the chords on a key's tonic that a piece may end on, the plain one first.

    By the sixth rules none in minor ends in major but of rock: of 229 works 14, all rock.
    """
    tonic, is_minor = divmod(WORDS.key.number(key), 2)
    qualities = ["min", "m7", "m6"] if is_minor else ["maj", "maj7", "6"]
    if is_minor and (state.genre == _ROCK or not plan.rules.keeps_minor):
        qualities.append("maj")
    return [chord_id(Chord(tonic, quality, tonic)) for quality in qualities]


def tones(state: State, slot: int, *, is_bass: bool) -> Mask:
    """What a track may play of the last chord. (V,)."""
    terms, part = state.bar_terms, state.parts[slot]
    if is_bass or terms.ending is None or part.program == DRUM_PROGRAM:
        known: Mask = (CHORD_ROOT if is_bass else CHORD_TONES)[terms.closing_chord]
        return known
    return _tones(terms.ending, part.role in MELODIES, part.role in CHORDAL)


@cache
def _tones(end: Ending, is_melody: bool, is_chordal: bool) -> Mask:
    """The value ids of its tones for a part; all drums besides. (V,)."""
    chord = chord_of(end.chord)
    assert chord is not None  # noqa: S101 - endings have one
    wanted = set(chord.triad if is_melody else chord.pitch_classes)
    wanted -= {chord.third} if end.is_bare else set()
    wanted |= {(chord.root + _NINTH) % 12} if end.has_ninth and is_chordal else set()
    mask: Mask = CHORD_TONES[end.chord].copy()
    mask[WORDS.pitch.start : WORDS.pitch.stop] = np.isin(np.arange(128) % 12, list(wanted))
    return mask


def whole(state: State) -> Floats:
    """The bias of ids up to the last pitch for tones of the last chord that nobody has. (ids,).

    By the eighth rules those of its triad; by the ninth all but the root, which the bass plays.
    """
    terms, bias = state.bar_terms, np.zeros(WORDS.pitch.stop, dtype=np.float32)
    if chord := chord_of(terms.closing_chord):
        begin = state.bar_start
        struck = {pitch % 12 for first, _, pitch, _ in state.sounding if first >= begin}
        wanted = set(chord.triad)
        if terms.ending:
            of_chords = _tones(terms.ending, is_melody=False, is_chordal=True)
            pitches = np.flatnonzero(of_chords[WORDS.pitch.start : WORDS.pitch.stop])
            wanted = set((pitches % 12).tolist()) - {chord.root}
        bias[WORDS.pitch.start :] = MISSING * np.isin(np.arange(128) % 12, list(wanted - struck))
    return bias


def struck(state: State, at_once: int) -> tuple[PatternNote, ...]:
    """The notes of a part that plays the last chord, all at once; empty for other parts.

    Args:
        state: where the open cell is.
        at_once: most notes that it strikes.
    """
    part, terms = state.part, state.bar_terms
    if not (terms.is_struck and terms.ending and part.role in CHORDAL):
        return ()
    usual = _usually_at_once(state)
    notes = min(usual if usual > 1 else CHORDAL[part.role], at_once)
    return tuple(
        PatternNote(WORDS.position.id(0), _LONGEST, 0, 1 if n else None, room=notes - 1 - n)
        for n in range(notes)
    )


def _usually_at_once(state: State) -> int:
    """How many notes the open cell's track strikes at once in its latest bars; 1 without any."""
    sizes: list[int] = []
    for bar in range(max(state.bar - LATEST, 0), state.bar):
        rows = state.rows[state.bar_rows[bar] : state.bar_rows[bar + 1]]
        cell = cells_of(rows).get(state.slot, [])
        steps = Counter(row[v.POSITION] for row in cell if row[v.KIND] == Kind.NOTE)
        sizes += steps.values()
    return int(np.quantile(sizes, USUAL)) if sizes else 1

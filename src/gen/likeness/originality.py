"""Whether a piece is somebody else's: compared with every work that its checkpoint learned from.

Measure: the longest *shared run*, the number of successive intervals that a line of the piece and
a line of a work have in common. Lines and runs are those of screening (`likeness.voices`,
`likeness.passages`): the upper line of each track, so transposition, rhythm and repeated notes
do not matter, and an interval pattern that repeats counts once. Runs of `GUARANTEED_RUN` on are
found. A run is *melody* where a leading line moves by steps too (`quotes.is_tune`), else
*accompaniment*: unrelated accompaniments share figures by nature.

The house's own line: 95 in 100 of the works share no longer run with any unrelated work. Related,
and left out, are works that share a fifth of the smaller one's leading melodic shingles, or are
joined by such: arrangements of one theme. By the same rule a piece is an *arrangement* of a work,
if it has `ENOUGH_SHINGLES` to say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gen.analysis import infer_roles
from gen.likeness.columns import places_in
from gen.likeness.passages import GUARANTEED_RUN, PassageIndex, SharedRun
from gen.likeness.quotes import is_tune, passage_of
from gen.likeness.relatives import RELATED, related_groups
from gen.likeness.voices import Hashes, Voice, shingles_of, voices_of
from gen.piece import Piece

HOUSE_SHARE: Final = 0.95
ENOUGH_WORKS: Final = 20
FEW_WORKS_RUNS: Final = (12, 32)
"""Lines for melodies and accompaniments where fewer works cannot tell what the house borrows."""
MOST_MEASURED: Final = 500
"""So many works, evenly taken, tell the house's line in a larger corpus."""
ENOUGH_SHINGLES: Final = 60
"""A few bars share a fifth of their shingles with something by chance."""
MELODY: Final = "melody"
ACCOMPANIMENT: Final = "accompaniment"
KINDS: Final = (MELODY, ACCOMPANIMENT)

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LearnedWork:
    """A work that the checkpoint learned from; composers as (person id, name)."""

    work: str
    title: str
    composers: tuple[tuple[str, str], ...]

    @property
    def words(self) -> str:
        return _work_in_words(asdict(self))


@dataclass(frozen=True, slots=True)
class Lines:
    """The house's own 95 % line for each kind of run, and from how many works."""

    melody: int
    accompaniment: int
    works: int


@dataclass(frozen=True, slots=True)
class Shared:
    """The longest run of one kind that a piece shares with any work.

    Attributes:
        run: its length as counted, in intervals.
        line: the house's own 95 % line.
        of: whose it is.
        here, there: the passages, in words.
    """

    run: int
    line: int
    of: LearnedWork
    here: str
    there: str

    @property
    def is_above(self) -> bool:
        return self.run > self.line


@dataclass(frozen=True, slots=True)
class Finding:
    """What a piece has in common with the works behind it.

    Attributes:
        melody, accompaniment: the longest run of each kind; None where all are shorter than
            `GUARANTEED_RUN`.
        nearest: the work that holds most of the piece's leading melodic shingles; None where
            none holds any.
        share: how much of them, 0 to 1.
        is_arrangement: whether that makes the piece an arrangement of `nearest`.
        lines: what was held against.
        compared: number of works.
    """

    melody: Shared | None
    accompaniment: Shared | None
    nearest: LearnedWork | None
    share: float
    is_arrangement: bool
    lines: Lines
    compared: int

    @property
    def above(self) -> tuple[str, ...]:
        """Each way in which the piece is too close, in words."""
        runs = ((MELODY, self.melody), (ACCOMPANIMENT, self.accompaniment))
        found = [
            f"{kind}: {shared.run} steps in common with {shared.of.words}, "
            f"the house's own line is {shared.line}"
            for kind, shared in runs
            if shared and shared.is_above
        ]
        if self.is_arrangement and self.nearest:
            found.append(f"{self.share:.0%} of its melody is that of {self.nearest.words}")
        return tuple(found)

    @property
    def excess(self) -> float:
        """How far above the line, in lines; 0 where it is not."""
        runs = [s.run / s.line for s in (self.melody, self.accompaniment) if s and s.is_above]
        return max([*runs, self.share / RELATED if self.is_arrangement else 0.0])

    def to_dict(self) -> dict[str, Any]:
        """For the receipt."""
        return {
            "is_above_line": bool(self.above),
            "above": list(self.above),
            "compared_with": self.compared,
            "searched_from": GUARANTEED_RUN,
            "house_line": asdict(self.lines),
            MELODY: asdict(self.melody) if self.melody else None,
            ACCOMPANIMENT: asdict(self.accompaniment) if self.accompaniment else None,
            "nearest": asdict(self.nearest) if self.nearest else None,
            "share_of_melody": round(self.share, 3),
        }


def in_words(found: Mapping[str, Any] | None) -> str:
    """What a receipt says of a piece's originality, for people."""
    if found is None:
        return "Compared with nothing: originality=off."
    parts = list(_verdict(found))
    if found["nearest"] and not found["is_above_line"]:
        work = _work_in_words(found["nearest"])
        parts.append(f"Nearest is {work}: it has {found['share_of_melody']:.0%} of its figures.")
    if found["missing"]:
        parts.append(f"Not here, and so not compared with: {_counted(found['missing'])}.")
    if found["withdrawn_since"]:
        parts.append(f"Withdrawn since it learned from them: {_counted(found['withdrawn_since'])}.")
    return " ".join(parts)


def _verdict(found: Mapping[str, Any]) -> Iterator[str]:
    melody, works = found[MELODY], found["compared_with"]
    if found["is_above_line"]:
        yield f"Too close: {'; '.join(found['above'])}."
        runs = [run for kind in KINDS if (run := found[kind])]
        yield from (f"Here {r['here']}; there {r['there']}." for r in runs if r["run"] > r["line"])
    elif melody:
        yield (
            f"Its melody has {melody['run']} steps in common with {_work_in_words(melody['of'])}, "
            f"and less with any other of {works} works: within what the house's works share."
        )
    else:
        least, line = found["searched_from"], found["house_line"][MELODY]
        yield (
            f"Its melody has no {least} steps in common with any of {works} works "
            f"(95 in 100 of these share at most {line} with an unrelated one)."
        )


def _counted(works: Sequence[object]) -> str:
    return f"{len(works)} work{'s' if len(works) != 1 else ''}"


def _work_in_words(work: Mapping[str, Any]) -> str:
    return f"“{work['title']}” by {' and '.join(name for _, name in work['composers'])}"


@dataclass(slots=True)
class LearnedMusic:
    """The works behind a checkpoint, searchable.

    Attributes:
        works: those that are here.
        index: their lines.
        owners: (lines,) which work each line belongs to.
        lines: what the house borrows from itself.
        learned_from: how many works the manifest names.
        missing: (work id, reason) of those that could not be compared with.
        withdrawn: ids of works withdrawn since, compared with or not.
    """

    works: list[LearnedWork]
    index: PassageIndex
    owners: Ints
    lines: Lines
    learned_from: int
    missing: tuple[tuple[str, str], ...] = ()
    withdrawn: tuple[str, ...] = ()
    _table: tuple[Hashes, Ints] = field(init=False)

    def __post_init__(self) -> None:
        sets = _melodies(self.index.voices, self.owners, len(self.works))
        hashes = np.concatenate([np.zeros(0, dtype=np.uint64), *sets])
        order = np.argsort(hashes, kind="stable")
        of = np.repeat(np.arange(len(sets)), [len(s) for s in sets])
        self._table = hashes[order], of[order]

    def compare(self, piece: Piece) -> Finding:
        """Hold a piece against all of them. Roles it does not tell are guessed from its notes."""
        guessed = infer_roles(piece)
        roles = tuple(t.role or guess for t, guess in zip(piece.tracks, guessed, strict=True))
        voices = voices_of(piece, roles)
        best: dict[str, tuple[int, Voice, SharedRun]] = {}
        for kind, voice, run in runs_shared(self.index, voices):
            if run.length > best.get(kind, (0,))[0]:
                best[kind] = (run.length, voice, run)
        nearest, share, size = self._nearest(voices)
        return Finding(
            self._shared(best.get(MELODY), self.lines.melody),
            self._shared(best.get(ACCOMPANIMENT), self.lines.accompaniment),
            nearest,
            share,
            share >= RELATED and size >= ENOUGH_SHINGLES,
            self.lines,
            len(self.works),
        )

    def _shared(self, found: tuple[int, Voice, SharedRun] | None, line: int) -> Shared | None:
        if found is None:
            return None
        _, voice, run = found
        quoted = passage_of(voice, self.index.voices[run.voice], run)
        work = self.works[int(self.owners[run.voice])]
        return Shared(run.length, line, work, quoted.ours, quoted.theirs)

    def _nearest(self, voices: Sequence[Voice]) -> tuple[LearnedWork | None, float, int]:
        """Whose leading lines hold most of these voices' shingles, which share, of how many."""
        own = shingles_of(tuple(voice for voice in voices if voice.is_leading))
        hashes, of = self._table
        held = np.bincount(of[places_in(hashes, own)[1]], minlength=len(self.works))
        if not held.any():
            return None, 0.0, len(own)
        place = int(held.argmax())
        return self.works[place], float(held[place] / len(own)), len(own)

    def to_dict(self) -> dict[str, Any]:
        """For the receipt: how complete the comparison is."""
        return {
            "learned_from": self.learned_from,
            "missing": [{"work": work, "reason": reason} for work, reason in self.missing],
            "withdrawn_since": list(self.withdrawn),
        }


def runs_shared(
    index: PassageIndex, voices: Sequence[Voice], apart_from: NDArray[np.bool_] | None = None
) -> Iterator[tuple[str, Voice, SharedRun]]:
    """Every run that these voices share with known ones, and of which kind it is.

    Args:
        index: lines of all works.
        voices: of a piece or work.
        apart_from: (lines,) known ones that do not count.
    """
    for voice in voices:
        for run in index.shared_runs(voice, apart_from=apart_from):
            yield _kind(index, voice, run), voice, run


def _longest(
    index: PassageIndex, voices: Sequence[Voice], apart_from: NDArray[np.bool_]
) -> dict[str, int]:
    """The longest run of each kind, as `runs_shared` finds them; absent where there is none."""
    runs = [
        (run, voice) for voice in voices for run in index.shared_runs(voice, apart_from=apart_from)
    ]
    longest: dict[str, int] = {}
    for run, voice in sorted(runs, key=lambda found: -found[0].length):
        longest.setdefault(_kind(index, voice, run), run.length)
        if len(longest) == len(KINDS):  # all others are shorter
            break
    return longest


def _kind(index: PassageIndex, voice: Voice, run: SharedRun) -> str:
    return MELODY if is_tune(voice, index.voices[run.voice], run) else ACCOMPANIMENT


def _melodies(voices: Sequence[Voice], owners: Ints, works: int) -> list[Hashes]:
    """Shingles of each work's leading lines."""
    leading: list[list[Voice]] = [[] for _ in range(works)]
    for voice, owner in zip(voices, owners, strict=True):
        if voice.is_leading:
            leading[owner].append(voice)
    return [shingles_of(tuple(lines)) for lines in leading]


def families(voices: Sequence[Voice], owners: Ints, works: int) -> Ints:
    """For each work the number of its family, (works,): arrangements of one theme share one.

    Args:
        voices: lines of all works.
        owners: (lines,) which work each belongs to.
        works: how many.
    """
    groups = np.zeros(works, dtype=np.int64)
    for first, members in related_groups(_melodies(voices, owners, works)).items():
        groups[members] = first
    return groups


def house_lines(index: PassageIndex, owners: Ints, works: int) -> Lines:
    """The 95 % line of each kind of run: each work against all that are not related to it.

    Args:
        index: lines of all works.
        owners: (lines,) which work each belongs to, ascending.
        works: how many.
    """
    if works < ENOUGH_WORKS:
        return Lines(*FEW_WORKS_RUNS, works)
    groups = families(index.voices, owners, works)
    chosen = np.linspace(0, works - 1, min(works, MOST_MEASURED)).round().astype(np.int64)
    longest = {kind: np.zeros(len(chosen)) for kind in KINDS}
    edges = np.searchsorted(owners, np.arange(works + 1))
    for place, work in enumerate(chosen):
        voices = index.voices[edges[work] : edges[work + 1]]
        relatives = groups[owners] == groups[work]
        for kind, length in _longest(index, voices, relatives).items():
            longest[kind][place] = length
    melody, accompaniment = (
        max(int(np.quantile(longest[kind], HOUSE_SHARE, method="higher")), GUARANTEED_RUN)
        for kind in KINDS
    )
    return Lines(melody, accompaniment, len(chosen))

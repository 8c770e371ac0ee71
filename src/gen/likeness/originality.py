"""Whether a piece is somebody else's: compared with every work that its checkpoint learned from.

Measure: the *bits* of the passage that says most of those that a line of the piece shares with a
line of a work (`likeness.surprise`): what many works of the house have says little, however long
it is. Lines and passages are those of screening (`likeness.shared`): the upper line of each track,
so neither transposition nor repeated notes matter, and what repeats counts once. A passage is
*melody* where a leading line moves by steps too (`quotes.is_tune`); such are found by tune and
rhythm as well, though notes be altered, put in or left out. All others are runs of equal intervals:
*bass* in a line that lies low, else *accompaniment*. These share figures by nature, basses fewer.

The house's own line: 95 in 100 of the works share no passage that says more with any unrelated
work. Related, and left out, are works that share a fifth of the smaller one's leading melodic
shingles, or are joined by such: arrangements of one theme. By the same rule a piece is an
*arrangement* of a work, if it has `ENOUGH_SHINGLES` to say so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gen.analysis import infer_roles
from gen.likeness.calibration import PRIOR
from gen.likeness.columns import Ascending, places_in
from gen.likeness.fingerprint import Fingerprint
from gen.likeness.relatives import RELATED
from gen.likeness.shared import ACCOMPANIMENT_FACTOR, Found, SharedPassages, part_of
from gen.likeness.voices import Voice, shingles_of, voices_of
from gen.piece import Piece

HOUSE_SHARE: Final = 0.95
ENOUGH_WORKS: Final = 20
LEAST_LINE: Final = 24
"""Works that share nothing draw no line below so many bits: chance shares as many."""
MOST_MEASURED: Final = 200
"""So many works, evenly taken, tell the house's line in a larger corpus."""
ENOUGH_SHINGLES: Final = 60
"""A few bars share a fifth of their shingles with something by chance."""
MELODY: Final = "melody"
BASS: Final = "bass"
ACCOMPANIMENT: Final = "accompaniment"
KINDS: Final = (MELODY, BASS, ACCOMPANIMENT)
_LOW = 48
"""A line with its middle below the C of this number is a bass, as 95 in 100 basses' is."""

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
    """The house's own 95 % line for each kind of passage, in bits, and from how many works."""

    melody: int
    bass: int
    accompaniment: int
    works: int

    def of(self, kind: str) -> int:
        """The line of one of `KINDS`."""
        return int(getattr(self, kind))


@dataclass(frozen=True, slots=True)
class Shared:
    """The passage of one kind that says most of those that a piece shares with any work.

    Attributes:
        bits: what it says.
        line: the house's own 95 % line, in bits.
        notes: how many are in common.
        of: whose it is.
        here, there: the passages, in words.
    """

    bits: int
    line: int
    notes: int
    of: LearnedWork
    here: str
    there: str

    @property
    def is_above(self) -> bool:
        return self.bits > self.line


@dataclass(frozen=True, slots=True)
class Finding:
    """What a piece has in common with the works behind it.

    Attributes:
        passages: of each kind that there is, in the order of `KINDS`, the one that says most.
        nearest: the work that holds most of the piece's leading melodic shingles; None where
            none holds any.
        share: how much of them, 0 to 1.
        is_arrangement: whether that makes the piece an arrangement of `nearest`.
        lines: what was held against.
        compared: number of works.
    """

    passages: Mapping[str, Shared]
    nearest: LearnedWork | None
    share: float
    is_arrangement: bool
    lines: Lines
    compared: int

    @property
    def above(self) -> tuple[str, ...]:
        """Each way in which the piece is too close, in words."""
        found = [
            f"{kind}: {shared.notes} notes ({shared.bits} bits) in common with {shared.of.words}, "
            f"the house's own line is {shared.line} bits"
            for kind, shared in self.passages.items()
            if shared.is_above
        ]
        if self.is_arrangement and self.nearest:
            found.append(f"{self.share:.0%} of its melody is that of {self.nearest.words}")
        return tuple(found)

    @property
    def excess(self) -> float:
        """How far above the line, in lines; 0 where it is not."""
        lines = [s.bits / s.line for s in self.passages.values() if s.is_above]
        return max([*lines, self.share / RELATED if self.is_arrangement else 0.0])

    def to_dict(self) -> dict[str, Any]:
        """For the receipt."""
        passages = {kind: self.passages.get(kind) for kind in KINDS}
        return {
            "is_above_line": bool(self.above),
            "above": list(self.above),
            "compared_with": self.compared,
            "house_line": asdict(self.lines),
            **{kind: asdict(shared) if shared else None for kind, shared in passages.items()},
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
    melody, works, line = found[MELODY], found["compared_with"], found["house_line"][MELODY]
    unit = "steps" if "searched_from" in found else "bits"  # receipts of earlier versions
    if found["is_above_line"]:
        yield f"Too close: {'; '.join(found['above'])}."
        shared = [passage for kind in KINDS if (passage := found.get(kind))]
        for each in shared:
            if _amount(each) > each["line"]:
                yield f"Here {each['here']}; there {each['there']}."
    elif melody:
        yield (
            f"Its melody has {_amount(melody)} {unit} in common with "
            f"{_work_in_words(melody['of'])}, and less with any other of {works} works: within "
            f"what the house's works share (95 in 100 at most {line} with an unrelated one)."
        )
    else:
        yield (
            f"Its melody has nothing to speak of in common with any of {works} works "
            f"(95 in 100 of these share at most {line} {unit} with an unrelated one)."
        )


def _amount(shared: Mapping[str, Any]) -> int:
    """What a passage says in bits; in receipts of earlier versions its length in steps."""
    return int(shared["bits"] if "bits" in shared else shared["run"])


def _counted(works: Sequence[object]) -> str:
    return f"{len(works)} work{'s' if len(works) != 1 else ''}"


def _work_in_words(work: Mapping[str, Any]) -> str:
    return f"“{work['title']}” by {' and '.join(name for _, name in work['composers'])}"


@dataclass(slots=True)
class LearnedMusic:
    """The works behind a checkpoint, searchable.

    Attributes:
        works: those that are here.
        known: their lines, by the works' places in `works`.
        lines: what the house borrows from itself.
        learned_from: how many works the manifest names.
        missing: (work id, reason) of those that could not be compared with.
        withdrawn: ids of works withdrawn since, compared with or not.
    """

    works: list[LearnedWork]
    known: SharedPassages
    lines: Lines
    learned_from: int
    missing: tuple[tuple[str, str], ...] = ()
    withdrawn: tuple[str, ...] = ()
    _table: tuple[Ascending, Ints] = field(init=False)

    def __post_init__(self) -> None:
        sets = [self.known.melodies(number) for number in range(len(self.works))]
        hashes = np.concatenate([np.zeros(0, dtype=np.uint64), *sets])
        order = np.argsort(hashes, kind="stable")
        of = np.repeat(np.arange(len(sets)), [len(s) for s in sets])
        self._table = Ascending(hashes[order]), of[order]

    def compare(self, piece: Piece) -> Finding:
        """Hold a piece against all of them. Roles it does not tell are guessed from its notes."""
        voices = lines_of_piece(piece)
        found = most_shared(self.known, voices)
        nearest, share, size = self._nearest(voices)
        return Finding(
            {kind: self._shared(found[kind], self.lines.of(kind)) for kind in KINDS
             if kind in found},
            nearest,
            share,
            share >= RELATED and size >= ENOUGH_SHINGLES,
            self.lines,
            len(self.works),
        )  # fmt: skip

    def _shared(self, found: Found, line: int) -> Shared:
        quoted, work = found.spell(), self.works[found.piece]
        return Shared(round(found.bits), line, quoted.notes, work, quoted.ours, quoted.theirs)

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


def lines_of_piece(piece: Piece) -> tuple[Voice, ...]:
    """The lines that a piece is compared by; roles that it does not tell are guessed."""
    guessed = infer_roles(piece)
    return voices_of(
        piece, tuple(t.role or guess for t, guess in zip(piece.tracks, guessed, strict=True))
    )


def known_lines(works: Iterable[Sequence[Voice]]) -> SharedPassages:
    """The lines of works, in this order, searchable, and what is common among them."""
    known = SharedPassages()
    count = 0
    for voices in works:
        known.add(Fingerprint(tuple(voices)), is_output=False)
        count += 1
    known.learn(range(count))
    return known


def most_shared(
    known: SharedPassages, voices: Sequence[Voice], apart_from: Sequence[int] = ()
) -> dict[str, Found]:
    """Of each kind the passage that says most; absent where there is none.

    Args:
        known: lines of all works.
        voices: of a piece or work.
        apart_from: numbers of works that do not count.
    """
    parts = [part_of(voice) for voice in voices]
    tunes = (found for found in known.stretches(parts, apart_from) if found.is_tune)
    best: dict[str, Found] = {}
    for found in (*tunes, *known.runs(voices, apart_from)):
        kind = _kind(found)
        if kind not in best or found.bits > best[kind].bits:
            best[kind] = found
    return best


def _kind(found: Found) -> str:
    if found.is_tune:
        return MELODY
    return BASS if np.median(found.ours.pitches) < _LOW else ACCOMPANIMENT


def house_lines(
    known: SharedPassages, works: int, tick: Callable[[float], None] = lambda share: None
) -> Lines:
    """The 95 % line of each kind: each work against all that are not related to it.

    Fewer than `ENOUGH_WORKS` cannot tell what the house borrows from itself: then it is what
    screening looks at.

    Args:
        known: lines of all works.
        works: how many.
        tick: called with the share that is done.
    """
    if works < ENOUGH_WORKS:
        tune = round(PRIOR.limits().review)
        other = round(ACCOMPANIMENT_FACTOR * tune)
        return Lines(tune, other, other, works)
    apart = known.relatives(range(works))
    chosen = np.linspace(0, works - 1, min(works, MOST_MEASURED)).round().astype(np.int64)
    found: list[dict[str, Found]] = []
    for work in chosen.tolist():
        tick(len(found) / len(chosen))
        found.append(most_shared(known, known.tracks(work), apart[work]))
    return Lines(**{kind: line_of(bits_of(found, kind)) for kind in KINDS}, works=len(chosen))


def bits_of(found: Iterable[Mapping[str, Found]], kind: str) -> list[float]:
    """What the passages of one kind say, of each work or piece; 0 where it has none."""
    return [each[kind].bits if kind in each else 0.0 for each in found]


def line_of(bits: Sequence[float]) -> int:
    """The bits that few works exceed."""
    few = float(np.quantile(bits, HOUSE_SHARE, method="higher"))
    return max(math.ceil(few), LEAST_LINE)

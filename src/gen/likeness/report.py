"""What a piece shares with known ones, and what follows from it: the outcome of screening."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from gen.likeness.calibration import Limits

WORK, WITHDRAWN, OUTPUT, FINGERPRINT = "work", "withdrawn", "output", "fingerprint"
CLEAR, REVIEW, BLOCK = "clear", "review", "block"


@dataclass(frozen=True, slots=True)
class Known:
    """Something to compare with.

    Attributes:
        kind: `WORK`, `WITHDRAWN`, `OUTPUT` or `FINGERPRINT`.
        name: work id, receipt digest, or the rights-holder's name of it.
        composers: ids of a work's composers.
    """

    kind: str
    name: str
    composers: tuple[str, ...] = ()

    def is_of(self, people: frozenset[str]) -> bool:
        """Whether it is a work, not withdrawn, of one of these people."""
        return self.kind == WORK and bool(people & set(self.composers))


@dataclass(frozen=True, slots=True)
class Passage:
    """A shared passage, described twice for people to compare.

    Attributes:
        ours, theirs: where it is and its notes, in words.
        notes: how many notes are shared.
        bits: what they say, rounded.
        is_leading: whether it is of somebody's own line rather than of accompaniments.
        is_tune: whether it moves by steps too, as broken chords do not.
        form: how the new piece was turned for it: "" for not at all.
    """

    ours: str
    theirs: str
    notes: int
    bits: int
    is_leading: bool
    is_tune: bool
    form: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """What a contribution shares with one known piece."""

    known: Known
    similarity: float
    passage: Passage | None
    verdict: str
    bars: float = 0.0

    @property
    def order(self) -> tuple[bool, float, float, str]:
        """Sorts the gravest first: those that block, of these the likest."""
        bits = self.passage.bits if self.passage else 0
        return self.verdict != BLOCK, -self.similarity, -bits, self.known.name


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of screening one piece: `verdict` is that of the worst match.

    Attributes:
        verdict: `CLEAR`, `REVIEW` or `BLOCK`.
        matches: those that are not clear, the worst first.
        compared: number of known pieces.
        limits: in bits, as given or calibrated.
        false_reviews: how many honest pieces are looked at in vain, in words.
        is_whole: whether the whole piece was compared; a longer one is for review.
    """

    verdict: str
    matches: tuple[Match, ...]
    compared: int
    limits: Limits
    false_reviews: str
    is_whole: bool = True

    @property
    def rule(self) -> str:
        """The gravest rule that a blocked piece breaks; "" where none blocks."""
        if self.verdict != BLOCK:
            return ""
        kinds = {match.known.kind for match in self.matches if match.verdict == BLOCK}
        if WITHDRAWN in kinds:
            return "withdrawn"
        return "generated" if OUTPUT in kinds else "too-similar"

    def without(self, name: str) -> Report:
        """The same without the match with the piece of this name."""
        others = tuple(match for match in self.matches if match.known.name != name)
        verdict = worst(others, is_whole=self.is_whole)
        return replace(self, matches=others, verdict=verdict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; shares in thousandths, since the signed form has no fractions."""
        found: dict[str, Any] = asdict(self)
        for match in found["matches"]:
            for name in ("similarity", "bars"):
                match[f"{name}_thousandths"] = round(match.pop(name) * 1000)
        limits = found.pop("limits")
        found["bits"] = {name: round(bits) for name, bits in limits.items()}
        return {**found, "matches": list(found["matches"])}

    def encode(self) -> bytes:
        """JSON spelled in one way: keys sorted, no spaces, no fractions."""
        options: dict[str, Any] = {"sort_keys": True, "separators": (",", ":")}
        return json.dumps(self.to_dict(), ensure_ascii=False, **options).encode("utf-8")

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of `encode()`: what the tag refers to."""
        return hashlib.sha256(self.encode()).hexdigest()

    def side_by_side(self) -> str:
        """Every match with its two passages, as lines for people."""
        lines = [line for match in self.matches for line in _lines(match)]
        if not self.is_whole:
            lines.append("review: it has too many notes to be compared to the end")
        if any(match.passage for match in self.matches):
            lines.append(f"(passages are looked at from {self.limits.review:.0f} bits on; "
                         f"{self.false_reviews})")  # fmt: skip
        return "\n".join(lines)


def worst(matches: Sequence[Match], *, is_whole: bool) -> str:
    """The verdict of the first match; a piece that was not compared to its end is for review."""
    return matches[0].verdict if matches else CLEAR if is_whole else REVIEW


def _lines(match: Match) -> list[str]:
    kinds = {
        WORK: "the house's work",
        WITHDRAWN: "the withdrawn work",
        OUTPUT: "the generated piece",
        FINGERPRINT: "the listed work",
    }
    name = f"{kinds[match.known.kind]} {match.known.name}"
    lines = [f"{match.verdict}: {match.similarity:.0%} like {name}"]
    if match.bars:
        lines.append(f"  bars it has too, in any order: {match.bars:.0%}")
    if passage := match.passage:
        form = f", {passage.form}" if passage.form else ""
        lines.append(f"  shared line: {passage.notes} notes ({passage.bits} bits){form}")
        lines += [f"    here   {passage.ours}", f"    there  {passage.theirs}"]
    return lines

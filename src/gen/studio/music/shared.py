"""What a piece shares with known ones, so that a page can show and play both passages."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel

from gen.likeness.report import Match, Report

_BARS = re.compile(r".*, bars? (\d+)(?:-(\d+))?: ")
"""As a passage says it: track, bars, notes. A track's name may say the like: the last counts."""


class Side(BaseModel):
    """One of two passages: in words, and its bars, counted from 1; null where no file tells."""

    words: str
    bars: tuple[int, int] | None


class SharedMusic(BaseModel):
    """Something known that a file shares music with. `kind`: work, withdrawn, output, fingerprint.

    Without `ours` and `theirs` the pieces are alike as a whole.
    """

    kind: str
    name: str
    verdict: str
    similarity: float
    ours: Side | None = None
    theirs: Side | None = None


def likeness_of(report: Report | None) -> dict[str, Any]:
    """A report as answers have it: `verdict`, `alike` in words, `shared` with the worst first."""
    if report is None:
        return {"verdict": "", "alike": [], "shared": []}
    lines = report.side_by_side().splitlines() if report.matches else []
    return {"verdict": report.verdict, "alike": lines, "shared": list(map(_shared, report.matches))}


def _shared(match: Match) -> SharedMusic:
    passage = match.passage
    return SharedMusic(
        kind=match.known.kind,
        name=match.known.name,
        verdict=match.verdict,
        similarity=match.similarity,
        ours=_side(passage.ours) if passage else None,
        theirs=_side(passage.theirs) if passage else None,
    )


def _side(words: str) -> Side:
    found = _BARS.match(words)
    bars = None if found is None else (int(found[1]), int(found[2] or found[1]))
    return Side(words=words, bars=bars)

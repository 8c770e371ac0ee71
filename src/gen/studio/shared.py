"""What a piece shares with known ones, so that a page can show and play both passages."""

from __future__ import annotations

import re

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


def shared_with(report: Report | None) -> list[SharedMusic]:
    """The matches of a report, the worst first."""
    return [_shared(match) for match in report.matches] if report else []


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

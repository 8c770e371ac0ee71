"""Contributing works: what `scripts/contribute.py` and the studio call."""

from gen.contribution.answers import changed, shortened, tidy
from gen.contribution.drafts import Drafts
from gen.contribution.facts import (
    COLUMNS,
    MUST_BE_STATED,
    Facts,
    find_problem,
    read_sidecar,
    write_sidecar,
)
from gen.contribution.flow import Contributor, Settings, default_workers
from gen.contribution.known import Recheck
from gen.contribution.outcome import Job, Outcome
from gen.contribution.reading import restate

__all__ = [
    "COLUMNS",
    "MUST_BE_STATED",
    "Contributor",
    "Drafts",
    "Facts",
    "Job",
    "Outcome",
    "Recheck",
    "Settings",
    "changed",
    "default_workers",
    "find_problem",
    "read_sidecar",
    "restate",
    "shortened",
    "tidy",
    "write_sidecar",
]

"""Contributing works: what `scripts/contribute.py` and the studio call."""

from gen.contribution.facts import (
    COLUMNS,
    MUST_BE_STATED,
    Facts,
    find_problem,
    read_sidecar,
    write_sidecar,
)
from gen.contribution.flow import (
    STATUSES,
    Contributor,
    Job,
    Outcome,
    Settings,
    default_workers,
)
from gen.contribution.known import Recheck

__all__ = [
    "COLUMNS",
    "MUST_BE_STATED",
    "STATUSES",
    "Contributor",
    "Facts",
    "Job",
    "Outcome",
    "Recheck",
    "Settings",
    "default_workers",
    "find_problem",
    "read_sidecar",
    "write_sidecar",
]

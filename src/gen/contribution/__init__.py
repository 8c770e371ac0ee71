"""Contributing works: what `scripts/contribute.py` and the studio call."""

from gen.contribution.facts import COLUMNS, Facts, read_sidecar
from gen.contribution.flow import (
    STATUSES,
    Contributor,
    Job,
    Outcome,
    Settings,
    default_workers,
)

__all__ = [
    "COLUMNS",
    "STATUSES",
    "Contributor",
    "Facts",
    "Job",
    "Outcome",
    "Settings",
    "default_workers",
    "read_sidecar",
]

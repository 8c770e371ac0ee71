"""What a run says: talk to the log, results to stdout, once however many processes there are."""

from __future__ import annotations

import logging

from lightning.pytorch.utilities import rank_zero_only

log = logging.getLogger(__name__)


@rank_zero_only
def say(text: str) -> None:
    """Talk goes to the log: to stderr and into the run's folder. Results go to stdout."""
    log.info(text)


@rank_zero_only
def report(text: str) -> None:
    """Print a result, once however many processes there are."""
    print(text, flush=True)

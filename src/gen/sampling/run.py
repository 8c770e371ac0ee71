"""From a request to finished pieces on disk, each with its receipt."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from gen import processes
from gen.errors import HouseError
from gen.sampling.decoding.decode import dealt, write_all
from gen.sampling.opening.opened_model import Opened
from gen.sampling.receipt import read_receipt
from gen.sampling.reproduce import reproduced
from gen.sampling.request import RESAMPLE, SampleRequest
from gen.sampling.session import SamplingSession, open_session
from gen.sampling.takes import Sampled, Take, Watch

Report = Callable[[Sampled], None]


_LET_THROUGH = "; originality=report writes such a piece and says so"


class PiecesWithheld(HouseError):
    """Pieces that stayed too close to a work; `done` are those that were written."""

    def __init__(self, done: list[Sampled], withheld: list[Take], tries: int) -> None:
        self.done = done
        listing = "".join(f"\n  piece {t.index + 1}: {'; '.join(_why(t))}" for t in withheld)
        more = "" if all(take.reserved for take in withheld) else _LET_THROUGH
        super().__init__(
            f"{len(withheld)} of {len(done) + len(withheld)} pieces withheld: each of {tries} "
            f"attempts was too close to a work; the least close{listing}",
            where="originality",
            mend=f"another seed, or more tries{more}",
        )


def _why(take: Take) -> tuple[str, ...]:
    return (take.reserved,) if take.reserved else take.too_close


def sample(
    request: SampleRequest,
    *,
    report: Report | None = None,
    on_checked: Callable[[], None] = lambda: None,
    watch: Watch | None = None,
    opened: Opened | None = None,
) -> list[Sampled]:
    """Write `n` new pieces as the request says, or once more the one that a receipt describes.

    Ctrl-C leaves every piece either on disk and reported or neither.

    Args:
        request: what is asked for.
        report: called with each piece as it is finished.
        on_checked: called when new pieces can be written as far as the request says, before the
            house and the checkpoint are read.
        watch: called as each bar is whole; what it raises ends the run.
        opened: what it is asked of, where that was opened for this request already.

    Raises:
        PiecesWithheld: some pieces could not be made original; the others are on disk.
        HouseError: the request cannot be met, or the checkpoint or the house cannot be used.
    """
    report = report or (lambda done: None)
    if request.places.receipt:
        done = reproduced(request, read_receipt(Path(request.places.receipt)))
        report(done)
        return [done]
    return _sampled(open_session(request, on_checked, opened), report, watch)


def _sampled(session: SamplingSession, report: Report, watch: Watch | None) -> list[Sampled]:
    config = session.request.run
    done: dict[int, Sampled] = {}
    best: dict[int, Take] = {}
    written: list[Take] = []

    def keep(take: Take) -> None:
        with processes.undisturbed():
            done[take.index] = session.keep(take)
            report(done[take.index])

    def judge(written: Take) -> None:
        take = session.compared(written, watch)
        if not session.flaws(take):
            keep(take)
            return
        session.reject(take)
        best[take.index] = min(best.get(take.index, take), take, key=Take.rank)

    def judge_all() -> None:
        while written:
            judge(written.pop(0))

    def hear(take: Take) -> None:
        written.append(take)
        if session.can_compare:  # else the others are written meanwhile
            judge_all()

    for attempt in range(config.tries):
        pending = [index for index in range(config.n) if index not in done]
        write_all(
            dealt(pending, on_gpu=config.on_gpu),
            partial(session.write, attempt=attempt, watch=watch),
            hear,
            on_gpu=config.on_gpu,
        )
        judge_all()
    withheld = []
    for index in sorted(best.keys() - done.keys()):
        take = best[index]
        if take.reserved or (config.originality == RESAMPLE and take.too_close):
            withheld.append(take)
        else:
            keep(take)
    pieces = [done[index] for index in sorted(done)]
    if withheld:
        raise PiecesWithheld(pieces, withheld, config.tries)
    return pieces

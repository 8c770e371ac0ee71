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
    session = open_session(request, on_checked, opened)
    pieces = _Pieces(session, report, watch)
    for number in range(session.request.run.tries):
        pieces.attempt(number)
    return pieces.finish()


class _Pieces:
    """Those of a session, from the first attempt to the last.

    Args:
        session: what writes and judges them.
        report: called with each as it is kept.
        watch: called as each bar is whole.

    Attributes:
        done: by index, those that are on disk.
        best: by index, the take that came nearest to being kept.
        heard: takes that are written and not judged yet.
    """

    def __init__(self, session: SamplingSession, report: Report, watch: Watch | None) -> None:
        self.session, self.report, self.watch = session, report, watch
        self.done: dict[int, Sampled] = {}
        self.best: dict[int, Take] = {}
        self.heard: list[Take] = []

    def attempt(self, number: int) -> None:
        """Write once what is not done yet, and judge it."""
        config = self.session.request.run
        pending = [index for index in range(config.n) if index not in self.done]
        write = partial(self.session.write, attempt=number, watch=self.watch)
        write_all(dealt(pending, on_gpu=config.on_gpu), write, self._hear, on_gpu=config.on_gpu)
        self._judge_all()

    def finish(self) -> list[Sampled]:
        """Keep of what is not done what may pass; all pieces in order.

        Raises:
            PiecesWithheld: some may not.
        """
        config = self.session.request.run
        withheld = []
        for index in sorted(self.best.keys() - self.done.keys()):
            take = self.best[index]
            if take.reserved or (config.originality == RESAMPLE and take.too_close):
                withheld.append(take)
            else:
                self._keep(take)
        pieces = [self.done[index] for index in sorted(self.done)]
        if withheld:
            raise PiecesWithheld(pieces, withheld, config.tries)
        return pieces

    def _hear(self, take: Take) -> None:
        self.heard.append(take)
        if self.session.can_compare:  # else the others are written meanwhile
            self._judge_all()

    def _judge_all(self) -> None:
        while self.heard:
            self._judge(self.heard.pop(0))

    def _judge(self, written: Take) -> None:
        take = self.session.compared(written, self.watch)
        if not self.session.flaws(take):
            self._keep(take)
            return
        self.session.reject(take)
        self.best[take.index] = min(self.best.get(take.index, take), take, key=Take.rank)

    def _keep(self, take: Take) -> None:
        with processes.undisturbed():
            self.done[take.index] = self.session.keep(take)
            self.report(self.done[take.index])

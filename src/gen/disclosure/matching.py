"""Which works behind a model, and which of its pieces, a rights-holder's list agrees with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gen.errors import HouseError
from gen.likeness.fingerprint import Fingerprint
from gen.likeness.lookup import MATCH, PrintIndex, SharedPrints
from gen.likeness.print_lists import ListedWork
from gen.likeness.prints import PrintLine, prints_of, prints_of_fingerprint
from gen.provenance.desk.recording import outputs_of
from gen.provenance.desk.works import kept_work
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.records.run_acts import Output
from gen.smf import parse

WORK, PIECE = "work", "piece"


@dataclass(frozen=True, slots=True)
class Compared:
    """What a list was held against.

    Attributes:
        works: ids of the works that could be read.
        missing: id of each other work, and why.
        pieces: the pieces that the model wrote, as the log has them.
        index: of both, the works first.
    """

    works: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]
    pieces: tuple[Output, ...]
    index: PrintIndex

    @staticmethod
    def of(
        house: House,
        register: Register,
        works: Iterable[str],
        runs: Iterable[int],
        advance: Callable[[], None] = lambda: None,
    ) -> Compared:
        """Read works, withdrawn ones too, and what the log has of these runs' pieces."""
        lines, here, missing = [], [], []
        for work in works:
            try:
                tagged = kept_work(house, register.works[work])
                lines.append(prints_of(parse(tagged.music)))
                here.append(work)
            except (HouseError, OSError) as error:
                missing.append((work, str(getattr(error, "what", error))))
            advance()
        wanted = set(runs)
        pieces = tuple(o for o in outputs_of(house, register) if o.run in wanted)
        lines += [_of_piece(piece) for piece in pieces]
        return Compared(tuple(here), tuple(missing), pieces, PrintIndex(lines))

    def matches(self, listed: Sequence[ListedWork]) -> list[PrintMatch]:
        """Every match of a list, in its order, the surest of each piece first."""
        return [
            self._match(work, shared)
            for work in listed
            for shared in self.index.shared(work.lines)
            if shared.weight >= MATCH
        ]

    def _match(self, listed: ListedWork, shared: SharedPrints) -> PrintMatch:
        number, count = shared.piece, len(self.works)
        if number < count:
            return PrintMatch(listed.name, WORK, self.works[number], shared)
        piece = self.pieces[number - count]
        return PrintMatch(listed.name, PIECE, piece.path or piece.receipt, shared)


@dataclass(frozen=True, slots=True)
class PrintMatch:
    """A listed piece, and what of the house agrees with it.

    Attributes:
        listed: name in the list.
        kind: `WORK` or `PIECE`.
        name: id of the work, or path of the piece.
        shared: how much, and where.
    """

    listed: str
    kind: str
    name: str
    shared: SharedPrints


def _of_piece(piece: Output) -> tuple[PrintLine, ...]:
    """The upper lines that the log has of a piece; nothing where it has none."""
    if not piece.fingerprint:
        return ()
    return prints_of_fingerprint(Fingerprint.unpack(piece.fingerprint))

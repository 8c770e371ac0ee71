"""Sales in the log: which piece of a model was sold, on which day, for how much.

To whom is not in it. A piece may be sold more than once; each sale is an act of its own, by a
producer or a curator, and names the piece by the digest of its receipt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from gen.provenance.records.terms import MOST_FEE
from gen.provenance.signing.canonical import StrictJsonError
from gen.provenance.signing.shapes import Digest, Shape


class Sale(Shape, frozen=True, rename={"receipt": "receipt_sha256"}):
    """What a `sell` says.

    Attributes:
        receipt: SHA-256 of the piece's receipt.
        cents: what was paid, in hundredths of the house's currency.
        day: on which it was sold (UTC).
    """

    WHAT: ClassVar[str] = "sale"

    receipt: Digest
    cents: int
    day: date

    def __post_init__(self) -> None:
        if not 0 <= self.cents <= MOST_FEE:
            raise StrictJsonError(f"sale: an amount is 0 to {MOST_FEE} hundredths")


@dataclass(frozen=True, slots=True)
class SaleAct:
    """A sale as the register keeps it.

    Attributes:
        index, by, time: of its act.
        keyid: of the key that signed it.
        run: whose model wrote the piece.
        sale: what was said.
    """

    index: int
    by: str
    keyid: str
    time: str
    run: int
    sale: Sale

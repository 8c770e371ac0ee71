"""What somebody signed on another computer, where their key stays.

A house that is served over the network has nobody's private key: people sign in their browsers.
What they send goes through the very functions that sign with a key in memory. These make the
record once more, and it counts only if it is to the byte what was signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from gen.errors import HouseError, SettingError
from gen.provenance.signing.canonical import TIME_FORMAT, utc_now
from gen.provenance.signing.keys import key_id, verify

CLOCK_SECONDS = 600
"""How far the clock of who signs may be from this computer's: no record is dated otherwise."""


class NotSignedError(HouseError):
    """What would be entered is not what was signed."""


@dataclass(frozen=True, slots=True)
class SignedElsewhere:
    """A key of which only the public half is here, and signatures that it made.

    Attributes:
        public: the key's public half, 32 bytes.
        signatures: of one change, 64 bytes each.
        time: what its holder's clock showed, which is in what they signed; "" with no signatures.
    """

    public: bytes
    signatures: tuple[bytes, ...] = ()
    time: str = ""

    @property
    def keyid(self) -> str:
        return key_id(self.public)

    def sign(self, message: bytes) -> bytes:
        """The signature that was made over just these bytes.

        Raises:
            NotSignedError: there is none.
        """
        for value in self.signatures:
            if verify(self.public, value, message):
                return value
        raise NotSignedError(
            "what was signed is not what would be entered now",
            mend="look at it again and sign once more: the house may have moved on meanwhile",
        )

    def now(self) -> str:
        return self.time or utc_now()


def check_clock(time: str) -> str:
    """`time` itself, when it is near this computer's.

    Raises:
        SettingError: spelled otherwise than records spell it, or too far off.
    """
    try:
        there = datetime.strptime(time, TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise SettingError(f"{time[:40]!r} is no time") from error
    off = abs((there - datetime.now(UTC)).total_seconds())
    if off > CLOCK_SECONDS or there.strftime(TIME_FORMAT) != time:
        raise SettingError(
            f"your computer's clock is {off / 60:.0f} minutes off the house's",
            mend="set it right, and sign again",
        )
    return time

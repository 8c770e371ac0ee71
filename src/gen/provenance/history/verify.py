"""Whether a register is the one its pin knows, and signed as it should be. No disk here."""

from __future__ import annotations

from collections.abc import Iterable

from gen.provenance.history.log import REGISTER_FILE, Head
from gen.provenance.history.record import RegisterError
from gen.provenance.history.register import Register
from gen.provenance.records.pin import Pin, PinError
from gen.provenance.signing.canonical import StrictJsonError, canonical, strict_json
from gen.provenance.signing.merkle import Frontier, leaf_hash


def check_size(pin: Pin, head: Head) -> None:
    """Whether the register is at least as long as the pin has seen it.

    Raises:
        PinError: `register-rollback`.
    """
    if head.size < pin.min_size:
        raise PinError(
            f"the register holds {head.size} acts, the pin has seen {pin.min_size}",
            rule="register-rollback",
            where=str(pin.dir / REGISTER_FILE),
            mend="somebody put an older copy back: restore the newest one",
        )


def replayed(pin: Pin, head: Head, lines: Iterable[bytes], register: Register) -> Register:
    """`register` after these lines, held against the pin and the signed head.

    Args:
        pin: what is known of the house beforehand.
        head: the register's head.
        lines: those that `register` has not seen, up to `head`; read to their end.
        register: a new one, or one that `can_go_on` under this pin.

    Raises:
        PinError: another history or another root than the pinned one.
        RegisterError, LogError: tampered with.
    """
    known = register.head
    frontier = Frontier(known.size, known.frontier) if known else Frontier()
    for line in lines:
        register.replay(line)
        if frontier.size < pin.min_size:
            frontier.append(leaf_hash(line))
            if frontier.size == pin.min_size:
                _check_pinned(pin, register, frontier)
    register.check_head(head)
    register.pinned = (pin.min_size, pin.root_hash)
    return register


def can_go_on(pin: Pin, register: Register) -> bool:
    """Whether a register replayed before was held against this pin, or will be on going on."""
    pinned, head = (pin.min_size, pin.root_hash), register.head
    if head is None or head.size < pin.min_size:
        return head is not None
    return pinned in (register.pinned, (head.size, head.root))


def _check_pinned(pin: Pin, register: Register, frontier: Frontier) -> None:
    if frontier.root().hex() != pin.root_hash:
        raise PinError(
            f"the register's first {pin.min_size} acts hash to "
            f"{frontier.root().hex()[:16]}…, the pin says {pin.root_hash[:16]}…",
            rule="register-rollback",
            where=str(pin.dir / REGISTER_FILE),
            mend="its history was rewritten: restore an intact copy",
        )
    pin.check_roots(register.roster)


def check_roster_file(data: bytes | None, register: Register) -> None:
    """Whether `roster.json` holds the register's last roster.

    Args:
        data: its bytes; None when it is gone.
        register: verified.

    Raises:
        RegisterError: `roster-rollback`.
    """
    if data is None:
        raise _roster_error("is gone")
    try:
        found = canonical(strict_json(data))
    except StrictJsonError as error:
        raise _roster_error(f"cannot be read: {error.what}") from error
    if found != canonical(register.rosters[-1].to_dict()):
        raise _roster_error(
            f"is not version {register.roster.version}, which the register ends with"
        )


def _roster_error(what: str) -> RegisterError:
    return RegisterError(
        f"roster.json {what}",
        rule="roster-rollback",
        mend="somebody put an older or edited copy there; the register has the right one: "
        "python scripts/house.py verify --repair",
    )

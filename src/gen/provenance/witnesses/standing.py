"""What a house's witnesses prove of its log, and refusing a head that they have not seen.

The log's notes are held against the register first: one that the log's key signed and that is not
true of it shows that the house has, or had, another history.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gen.errors import HouseError, SettingError
from gen.provenance.history.record import RegisterError
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.houses.note_files import notes_of, place_of, read_note
from gen.provenance.records.pin import Pin
from gen.provenance.records.witness_policy import (
    Policy,
    Sighting,
    ago,
    last_seen,
    seen_times,
    sightings,
    spelled,
)
from gen.provenance.signing.merkle import Frontier
from gen.provenance.signing.notes import NoteKey, SignedNote

_DAY = 86_400


class WitnessError(HouseError):
    """A witness that did not sign, or a head that too few witnesses have signed."""

    def __init__(
        self, what: str, *, rule: str = "unwitnessed", where: str = "", mend: str = ""
    ) -> None:
        self.rule = rule
        super().__init__(what, where=where, mend=mend)


# -- what notes prove ------------------------------------------------------------------------


def log_keys(register: Register) -> list[NoteKey]:
    """Every key that the log has had, the present one last."""
    return list(dict.fromkeys(r.roster.log for r in register.rosters if r.roster.log))


def true_notes(register: Register, notes: Iterable[SignedNote]) -> list[SignedNote]:
    """Those that a key of the log signed, each held against the register.

    Raises:
        RegisterError: `two-histories`: one is signed, and is not true of this register.
    """
    keys = log_keys(register)
    signed = [note for note in notes if any(map(note.is_signed_by, keys))]
    roots = _roots_at(register.leaves, {note.size for note in signed})
    for note in signed:
        if roots.get(note.size) != note.root:
            raise _two_histories(note, register)
    return signed


def _roots_at(leaves: Sequence[bytes], sizes: set[int]) -> dict[int, bytes]:
    frontier, roots = Frontier(), {0: Frontier().root()}
    for leaf in leaves[: max(sizes, default=0)]:
        frontier.append(leaf)
        if frontier.size in sizes:
            roots[frontier.size] = frontier.root()
    return roots


def _two_histories(note: SignedNote, register: Register) -> RegisterError:
    return RegisterError(
        f"the log's key signed {note.size} acts with the root {note.root.hex()[:16]}…; "
        f"this register of {register.size} acts does not have them",
        rule="two-histories",
        mend="an older copy was put back, or the house has shown another history: "
        "house.py fraud tells them apart",
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What a house's witnesses prove of its log.

    Attributes:
        size: of the log.
        notes: sizes of the true notes that are kept.
        found: their cosignatures that count.
        policy: whose count, and how many are needed.
    """

    size: int
    notes: tuple[int, ...]
    found: tuple[Sighting, ...]
    policy: Policy

    def by_now(self, now: int) -> list[Sighting]:
        """Those that are not dated more than a day ahead of this computer's clock.

        Either clock is wrong. A witness that dates ahead would make a head seem lately seen for
        as long as it likes, and so would a clock that was set back.
        """
        return [sighting for sighting in self.found if sighting.time <= now + _DAY]

    def problem(self, now: int) -> str:
        """Why the head counts as unwitnessed; empty where it does not."""
        policy, found = self.policy, self.by_now(now)
        seen = last_seen(found, self.size, policy.need)
        if seen is None:
            names = sorted({s.witness for s in found if s.size == self.size})
            by = f" ({', '.join(names)})" if names else ""
            return (
                f"the head of {self.size} acts is signed by {len(names)} witnesses{by}, "
                f"{policy.need} of {len(policy.witnesses)} are needed"
            )
        if now - seen[0] > policy.max_age_hours * 3_600:
            return (
                f"the head of {self.size} acts was last seen by {policy.need} witnesses "
                f"{ago(now - seen[0])}, at most {policy.max_age_hours} hours are allowed"
            )
        return ""

    def lines(self, now: int) -> list[str]:
        """What is to be said of it, for people."""
        if not self.policy.witnesses:
            return [
                "the pin names no witnesses: nobody outside is known to have seen this log "
                "(house.py witness --add KEY)"
            ]
        need, found = self.policy.need, self.by_now(now)
        sizes = sorted({sighting.size for sighting in found}, reverse=True)
        newest = next((size for size in sizes if last_seen(found, size, need)), None)
        if newest is None:
            return [f"not witnessed at all: {self.problem(now)}", *self._ahead(now)]
        seen = last_seen(found, newest, need)
        assert seen is not None  # noqa: S101 - `newest` was chosen so
        when, names = seen
        what = "this head" if newest == self.size else f"an earlier head, of {newest} acts,"
        lines = [f"{what} seen by {_listed(names)}, last {ago(now - when)} ({spelled(when)})"]
        if newest < self.size:
            lines.append(f"{_acts(newest, self.size)} not witnessed yet")
        return [*lines, *self._ahead(now), *self._first_lines()]

    def _ahead(self, now: int) -> list[str]:
        """Who signed with a time that this computer's clock has not reached."""
        names = sorted({s.witness for s in self.found if s.time > now + _DAY})
        return [
            f"{name} signed with a time more than a day ahead of this computer's clock, which "
            "counts for nothing: one of the two clocks is wrong"
            for name in names
        ]

    def _first_lines(self) -> list[str]:
        """From when on acts were seen; what they say of earlier times, nobody outside knows."""
        times = self.times()
        if not times:
            return []
        size, first = times[0]
        return [
            f"not witnessed before {spelled(first)}: if {_acts(0, size)} older, that is the "
            "house's word alone"
        ]

    def times(self) -> list[tuple[int, int]]:
        """When acts were first seen by enough witnesses: `policy.seen_times`."""
        return seen_times(self.found, self.policy.need)

    def first_seen(self) -> str:
        """When enough witnesses had seen the first act, as records spell a time; or empty."""
        times = self.times()
        return spelled(times[0][1]) if times else ""


def _acts(first: int, end: int) -> str:
    """`act 3 is`, `acts 3 to 7 are`."""
    return f"act {first} is" if end == first + 1 else f"acts {first} to {end - 1} are"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def standing_of(house: House, register: Register, notes: Iterable[SignedNote]) -> Standing:
    """What the house's notes prove under its pin's policy.

    Args:
        house: whose pin names the witnesses.
        register: loaded after the notes were read, so that none is of a later head.
        notes: as `read_notes` gives them.

    Raises:
        RegisterError: as `true_notes`.
    """
    true = true_notes(register, notes)
    found = tuple(sightings(true, house.pin.witnesses))
    return Standing(register.size, tuple(n.size for n in true), found, house.pin.witnesses)


def read_notes(house: House) -> list[SignedNote]:
    """Every note that the house keeps. Read before the register."""
    return list(notes_of(house.store))


def requiring_witnesses(pin: Pin) -> Pin:
    """The pin, with a policy that refuses a head that is not witnessed.

    Raises:
        SettingError: it names no witnesses.
    """
    if not pin.witnesses.witnesses:
        raise SettingError(
            "the pin names no witnesses",
            where=str(pin.path or ""),
            mend="name them first: python scripts/house.py witness --add KEY",
        )
    return replace(pin, witnesses=replace(pin.witnesses, required=True))


def check_witnessed(house: House, register: Register) -> None:
    """Whether enough witnesses signed this very head lately, where the pin requires it.

    Raises:
        WitnessError: they did not.
    """
    if not house.pin.witnesses.required:
        return
    note = read_note(house.store, place_of(register.size))
    standing = standing_of(house, register, [note] if note else [])
    problem = standing.problem(int(time.time()))
    if problem:
        raise WitnessError(problem, where=str(house.folder), mend="python scripts/house.py witness")

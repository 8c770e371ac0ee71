"""Whom the log was seen by, and when: what cosigned notes prove under a pin's policy. No disk.

A witness signs a note of the log when its tree extends the one that it signed last. So two
people who ask for the same witness see the same history, and every act below the note's size
existed at the time of the signature. Where k of n are asked for, k of them would have to lie
together to date an act back, and 2k - n to have two histories signed, each half of the others
being shown one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gen.errors import SettingError
from gen.provenance.signing.canonical import TIME_FORMAT
from gen.provenance.signing.notes import WITNESS_KEY, NoteKey, SignedNote

MAX_WITNESSES = 30
MAX_AGE_HOURS = 7 * 24
"""How old the newest cosignatures may be, where the pin does not say."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Whose cosignatures count; `url` is where it takes notes, empty where it works by files."""

    key: NoteKey
    url: str = ""

    @property
    def name(self) -> str:
        return self.key.name

    def __str__(self) -> str:
        return f"{self.key} {self.url}".strip()

    @staticmethod
    def parse(text: str) -> Witness:
        """A key, and after a space the address, as a pin holds them.

        Raises:
            NoteError, SettingError: no witness's key, or no http address.
        """
        key, _, url = text.strip().partition(" ")
        if url and (not url.startswith(("http://", "https://")) or set(url) & set(' "\\\n')):
            raise SettingError(f"{url[:80]!r} is no address", mend="write http://… or https://…")
        return Witness(NoteKey.parse(key, WITNESS_KEY), url.rstrip("/"))


@dataclass(frozen=True, slots=True)
class Policy:
    """Which witnesses a reader believes.

    Attributes:
        witnesses: those that count; none where nobody was asked.
        need: how many of them make a head witnessed (k of n).
        max_age_hours: how long ago the k-th newest of them may have signed.
        required: the gate refuses a head that is not witnessed so (audit, training, evaluation).
    """

    witnesses: tuple[Witness, ...] = ()
    need: int = 1
    max_age_hours: int = MAX_AGE_HOURS
    required: bool = False

    def __post_init__(self) -> None:
        names, keys = ({getattr(w.key, n) for w in self.witnesses} for n in ("name", "public"))
        if not len(names) == len(keys) == len(self.witnesses) <= MAX_WITNESSES:
            raise SettingError(
                "a witness, or a witness's key, is named twice",
                mend=f"name each of at most {MAX_WITNESSES} once",
            )
        if self.need < 1 or (self.witnesses and self.need > len(self.witnesses)):
            raise SettingError(
                f"{self.need} of {len(self.witnesses)} witnesses",
                mend="need at least 1, and no more than there are",
            )
        if self.max_age_hours < 1 or (self.required and not self.witnesses):
            raise SettingError("an age limit below an hour, or witnesses required and none named")

    @property
    def liars_for_two_histories(self) -> int:
        """How many witnesses have to lie for two histories to count as witnessed; 0: none."""
        return max(0, 2 * self.need - len(self.witnesses))

    @property
    def keys(self) -> tuple[NoteKey, ...]:
        return tuple(witness.key for witness in self.witnesses)


NOBODY = Policy()
"""The policy of a pin that names no witnesses."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """That a witness signed a note of this size at this time (seconds since 1970)."""

    witness: str
    size: int
    time: int


def sightings(notes: Iterable[SignedNote], policy: Policy) -> list[Sighting]:
    """Every cosignature that verifies, of a witness of the policy.

    Args:
        notes: that the log signed and that are true of it; the caller has checked that.
        policy: who counts.
    """
    return [
        Sighting(key.name, note.size, signature.time)
        for note in notes
        for key in policy.keys
        for signature in note.cosignatures(key)
    ]


def seen_times(found: Sequence[Sighting], need: int) -> list[tuple[int, int]]:
    """When acts were first seen by `need` witnesses.

    Returns:
        (size, time) by rising size: the acts below that size, and not below the one before, had
        been seen by then. Before that time nobody but the house can say that they were there;
        with k needed, k witnesses would have to lie to move it to an earlier one.
    """
    earliest: dict[str, int] = {}
    times: dict[int, int] = {}
    for sighting in sorted(found, key=lambda sighting: -sighting.size):
        known = earliest.get(sighting.witness, sighting.time)
        earliest[sighting.witness] = min(known, sighting.time)
        if len(earliest) >= need:
            times[sighting.size] = sorted(earliest.values())[need - 1]
    return sorted(times.items())


def first_seen(times: Sequence[tuple[int, int]], index: int) -> int | None:
    """When act `index` had been seen, by what `seen_times` gave; None if it was not."""
    place = bisect_right(times, index, key=lambda item: item[0])
    return times[place][1] if place < len(times) else None


def last_seen(found: Sequence[Sighting], size: int, need: int) -> tuple[int, list[str]] | None:
    """When `need` witnesses last had signed the head of this size, and who all did; or None."""
    latest: dict[str, int] = {}
    for sighting in found:
        if sighting.size == size:
            known = latest.get(sighting.witness, sighting.time)
            latest[sighting.witness] = max(known, sighting.time)
    if len(latest) < need:
        return None
    return sorted(latest.values(), reverse=True)[need - 1], sorted(latest)


def spelled(time: int | None) -> str:
    """Seconds since 1970 as records spell a time; empty for none."""
    if time is None:
        return ""
    try:
        return datetime.fromtimestamp(time, UTC).strftime(TIME_FORMAT)
    except (OverflowError, ValueError, OSError):
        return f"{time} s after 1970"


def ago(seconds: int) -> str:
    """`40 minutes ago`, `3 hours ago`, `2 days ago`; the future is said to be one."""
    if seconds < 0:
        return f"{_span(-seconds)} in the future, by this computer's clock"
    return f"{_span(seconds)} ago"


def _span(seconds: int) -> str:
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * length or (unit == "minute" and seconds >= length):
            count = seconds // length
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"

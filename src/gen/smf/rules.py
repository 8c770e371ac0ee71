"""The rules of the strict Standard MIDI File, and the refusal that names one of them.

Every rule has a stable code: tests, gate refusals and reports refer to it. Beside the rules
stands what a person can do about each.
"""

from __future__ import annotations

from typing import Any

from gen.errors import MalformedMidi

MAX_BYTES = 4 * 1024 * 1024
MAX_TRACKS = 64
MAX_EVENTS = 400_000
MAX_QUARTERS = 16_384
MIN_TICKS_PER_QUARTER = 24
MAX_TICKS_PER_QUARTER = 9_600
MIN_MICROSECONDS_PER_QUARTER = 60_000
MAX_MICROSECONDS_PER_QUARTER = 12_000_000

CONTRIBUTE = "python scripts/contribute.py mends this and shows what it changed"
EXPORT = "export the piece again from your sequencer as a Standard MIDI File, type 1"

RULES: dict[str, str] = {
    "not-midi": EXPORT,
    "too-large": "split the piece: one file holds at most 4 MiB",
    "header-length": EXPORT,
    "format": "export as type 0 or type 1 (type 2 holds several independent pieces)",
    "track-count": CONTRIBUTE,
    "division": "export with 24 to 9600 ticks per quarter note; 480 is usual",
    "smpte-division": (
        "this file counts time in film frames, so its beats are unknown: in your sequencer set "
        "the export's time base to ticks per quarter note (PPQ, 480 is usual) and export again"
    ),
    "truncated": "the file ends too early, as after a broken copy: " + EXPORT,
    "chunk-layout": CONTRIBUTE,
    "foreign-chunk": CONTRIBUTE,
    "trailing-bytes": CONTRIBUTE,
    "too-many-events": "split the piece, or thin out its controllers: at most 400,000 events",
    "too-long": "split the piece: one file holds at most 16,384 quarter notes",
    "variable-length": EXPORT,
    "running-status": CONTRIBUTE,
    "data-byte": EXPORT,
    "end-of-track": CONTRIBUTE,
    "system-message": CONTRIBUTE,
    "meta-event": CONTRIBUTE,
    "text-encoding": CONTRIBUTE,
    "tempo": CONTRIBUTE,
    "time-signature": CONTRIBUTE,
    "key-signature": CONTRIBUTE,
    "conductor": CONTRIBUTE,
    "same-tick": CONTRIBUTE,
    "dangling-note": CONTRIBUTE,
    "unmatched-note-off": CONTRIBUTE,
    "zero-length-note": CONTRIBUTE,
    "overlapping-note": CONTRIBUTE,
    "program-in-note": CONTRIBUTE,
    "generated": "the house does not train on generated music: contribute what a person composed",
}
"""Code of each rule and how to mend a file that breaks it."""


class RuleBroken(MalformedMidi):
    """Bytes that break one rule of the strict Standard MIDI File.

    Args:
        rule: a key of `RULES`.
        what: what was found, with its value.
        byte_offset: where in the file, counted from 0.
        track: number of the track chunk, counted from 0.
        tick: absolute time in ticks.
        mend: what to do about it, where there is something better than the rule's own advice.
    """

    def __init__(
        self,
        rule: str,
        what: str,
        *,
        byte_offset: int | None = None,
        track: int | None = None,
        tick: int | None = None,
        mend: str = "",
    ) -> None:
        self.rule = rule
        self.found = what
        self.byte_offset = byte_offset
        self.track = track
        self.tick = tick
        places = (("byte", byte_offset), ("track", track), ("tick", tick))
        where = ", ".join(f"{name} {value}" for name, value in places if value is not None)
        super().__init__(f"{what} ({rule})", where=where, mend=mend or RULES[rule])

    def __reduce__(self) -> tuple[object, ...]:
        """Carry every field across a process boundary."""
        return (_rebuild, (self.to_dict(),))

    def to_dict(self) -> dict[str, Any]:
        """The arguments that make this very refusal again."""
        names = ("rule", "byte_offset", "track", "tick", "mend")
        return {"what": self.found, **{name: getattr(self, name) for name in names}}


def _rebuild(arguments: dict[str, Any]) -> RuleBroken:
    return RuleBroken(**arguments)

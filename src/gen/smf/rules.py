"""The rules of the strict Standard MIDI File, and the refusal that names one of them.

Every rule has a stable code: tests, gate refusals and reports refer to it. Beside the rules
stands what a person can do about each.
"""

from __future__ import annotations

from gen.errors import MalformedMidi

MAX_BYTES = 4 * 1024 * 1024
MAX_TRACKS = 64
MAX_EVENTS = 400_000
MAX_QUARTERS = 16_384
MIN_TICKS_PER_QUARTER = 24
MAX_TICKS_PER_QUARTER = 9_600
MIN_MICROSECONDS_PER_QUARTER = 60_000
MAX_MICROSECONDS_PER_QUARTER = 12_000_000

_CONTRIBUTE = "python scripts/contribute.py mends this and shows what it changed"
_EXPORT = "export the piece again from your sequencer as a Standard MIDI File, type 1"

RULES: dict[str, str] = {
    "not-midi": _EXPORT,
    "too-large": "split the piece: one file holds at most 4 MiB",
    "header-length": _EXPORT,
    "format": "export as type 0 or type 1; type 2 holds several independent pieces",
    "track-count": _CONTRIBUTE,
    "division": "export with 24 to 9600 ticks per quarter note; 480 is usual",
    "smpte-division": (
        "this file counts time in film frames, so its beats are unknown: in your sequencer set "
        "the export's time base to ticks per quarter note (PPQ, 480 is usual) and export again"
    ),
    "truncated": "the file ends too early, as after a broken copy: " + _EXPORT,
    "chunk-layout": _CONTRIBUTE,
    "foreign-chunk": _CONTRIBUTE,
    "trailing-bytes": _CONTRIBUTE,
    "too-many-events": "split the piece, or thin out its controllers: at most 400,000 events",
    "too-long": "split the piece: one file holds at most 16,384 quarter notes",
    "variable-length": _EXPORT,
    "running-status": _CONTRIBUTE,
    "data-byte": _EXPORT,
    "end-of-track": _CONTRIBUTE,
    "system-message": _CONTRIBUTE,
    "meta-event": _CONTRIBUTE,
    "text-encoding": _CONTRIBUTE,
    "tempo": _CONTRIBUTE,
    "time-signature": _CONTRIBUTE,
    "key-signature": _CONTRIBUTE,
    "conductor": _CONTRIBUTE,
    "same-tick": _CONTRIBUTE,
    "dangling-note": _CONTRIBUTE,
    "unmatched-note-off": _CONTRIBUTE,
    "zero-length-note": _CONTRIBUTE,
    "overlapping-note": _CONTRIBUTE,
    "program-in-note": _CONTRIBUTE,
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
    """

    def __init__(
        self,
        rule: str,
        what: str,
        *,
        byte_offset: int | None = None,
        track: int | None = None,
        tick: int | None = None,
    ) -> None:
        self.rule = rule
        self.found = what
        self.byte_offset = byte_offset
        self.track = track
        self.tick = tick
        places = (("byte", byte_offset), ("track", track), ("tick", tick))
        where = ", ".join(f"{name} {value}" for name, value in places if value is not None)
        super().__init__(f"{what} ({rule})", where=where, mend=RULES[rule])

    def __reduce__(self) -> tuple[object, ...]:
        """Carry every field across a process boundary."""
        return (_rebuild, (self.rule, self.found, self.byte_offset, self.track, self.tick))


def _rebuild(
    rule: str, what: str, byte_offset: int | None, track: int | None, tick: int | None
) -> RuleBroken:
    return RuleBroken(rule, what, byte_offset=byte_offset, track=track, tick=tick)

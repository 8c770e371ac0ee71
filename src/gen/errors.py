"""Errors that a person can act on: what is wrong, where, and how to mend it.

They derive from ``Exception`` directly: MidiTok's helpers swallow ``RuntimeError``,
``ValueError`` and ``OSError``, and a refusal must never be swallowed.
"""


class HouseError(Exception):
    """Something the user can mend. Scripts print it as one message and exit 2.

    Args:
        what: what is wrong, with the value found.
        where: the file, setting or record it concerns; empty when `what` says it.
        mend: what to do about it; empty when nothing can be done.
    """

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what = what
        self.where = where
        self.mend = mend
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"\n  to mend it: {self.mend}" if self.mend else ""
        return f"{place}{self.what}{advice}"


class SettingError(HouseError):
    """A setting is outside its range, misspelt or contradicts another."""


class MalformedMidi(HouseError):
    """Bytes that are not the strict Standard MIDI File this house works with."""

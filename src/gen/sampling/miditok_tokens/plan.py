"""What is asked of a piece in one of MidiTok's tokenizations, and what cannot be asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gen.errors import SettingError
from gen.piece import DRUM_PROGRAM
from gen.sampling.planning.controls import CHANGING, FREE, Controls, instrument_number
from gen.sampling.planning.plan import MOST_BARS_UNASKED
from gen.sampling.request import FileTask
from gen.tokens import vocabulary as v
from gen.tokens.choice import OCTUPLE

_NO_WORDS: Final = ("genre", "mood", "style", "key", "roles", "chords", "density")
"""Controls that these tokens have no words for."""


@dataclass(frozen=True, slots=True)
class TokenPlan:
    """What the tokens of a piece are held to.

    Attributes:
        bars: exactly how many; None for as many as the model likes, up to `most_bars`.
        tempo: word of it, such as `97`'s nearest; None for the model's own.
        meter: word of the time signature; None for one that the model chooses.
        may_change: whether the meter may change from bar to bar.
        programs: what plays, drums as -1, each at least once; empty for whatever the model likes.
        pitches: lowest and highest melodic pitch.
        velocities: lowest and highest velocity.
    """

    bars: int | None = None
    tempo: float | None = None
    meter: str | None = None
    may_change: bool = False
    programs: tuple[int, ...] = ()
    pitches: tuple[int, int] = (0, 127)
    velocities: tuple[int, int] = (1, 127)

    @property
    def most_bars(self) -> int:
        return self.bars or MOST_BARS_UNASKED


def plan_of_tokens(controls: Controls, task: FileTask | None, name: str) -> TokenPlan:
    """The plan of what is asked for.

    Args:
        controls: what is asked of the music.
        task: what is to be done with a file.
        name: of the tokenization.

    Raises:
        SettingError: one asks for what the tokenization cannot say.
    """
    if task is not None:
        raise _cannot(task.mode, name, "work on a file")
    for control in _NO_WORDS:
        if getattr(controls, control):
            raise _cannot(control, name, f"say what {control} is")
    if controls.sections not in (None, FREE):
        raise _cannot("sections", name, "say where sections begin")
    may_change = controls.time_signature == CHANGING
    if may_change and name == OCTUPLE:
        raise _cannot("time_signature", name, "keep count of bars whose meter changes")
    programs = tuple(map(_program, controls.instruments))
    if len(set(programs)) < len(programs):
        raise _cannot("instruments", name, "tell two tracks of one instrument apart")
    meter = None
    if controls.time_signature and not may_change:
        meter = "".join(controls.time_signature.split())
        if meter not in _METERS:
            raise SettingError(
                f"{meter!r} is no meter that the tokens have", where="time_signature",
                mend=f"one of {', '.join(_METERS)}",
            )  # fmt: skip
    low, high = controls.velocity_range
    if not ((low <= v.VELOCITIES) & (high >= v.VELOCITIES)).any():
        raise SettingError(
            f"no velocity of the tokens lies from {low} to {high}", where="velocity_range",
            mend="a range of at least four",
        )  # fmt: skip
    pitches = (controls.pitch_range[0], controls.pitch_range[1])
    return TokenPlan(
        controls.bars, controls.tempo, meter, may_change, programs, pitches, (low, high)
    )


_METERS: Final = tuple(f"{n}/{d}" for n, d in v.TIME_SIGNATURES)


def _program(name: str | int) -> int:
    number = instrument_number(name)
    return -1 if number == DRUM_PROGRAM else number


def _cannot(setting: str, name: str, what: str) -> SettingError:
    return SettingError(
        f"{name} tokens cannot {what}", where=setting,
        mend="leave it out, or use a checkpoint of tokenizer=house",
    )  # fmt: skip

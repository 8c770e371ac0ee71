"""What a command asks for, as one typed request that is made, and checked, once."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeVar

from gen.errors import SettingError
from gen.harmony import nearest
from gen.marks.watermark import NEWEST
from gen.piece import DRUM_PROGRAM
from gen.sampling.decoding.draw import DrawConfig
from gen.sampling.finishing.performance import Performance
from gen.sampling.planning.controls import LATER, MOST_BARS, Controls, instrument_number
from gen.sampling.planning.deciding import fitted, laid_out
from gen.sampling.planning.rules import NEWEST as NEWEST_RULES
from gen.sampling.planning.rules import OLDEST as OLDEST_RULES
from gen.sampling.receipt import OFF
from gen.settings import CPU, DEVICES, build, checked
from gen.tokens.choice import PLAYED
from gen.tokens.timing import STRAIGHT

T = TypeVar("T")

MODES: Final = ("continue", "infill", "accompany", "harmonise", "vary")
"""What can be done with a producer's file; each is a setting that names it."""
_OF_A_FILE: Final[Mapping[str, Any]] = {
    **dict.fromkeys((*MODES, "cells", "keep"), str | None),
    "add": tuple[str | int, ...] | None, "amount": float | None,
}  # fmt: skip
OF_FILES: Final = frozenset(_OF_A_FILE)
"""Settings about a given file."""
USUAL_AMOUNT: Final = 0.3
RHYTHM, CONTOUR = "rhythm", "contour"
KEPT: Final = (RHYTHM, CONTOUR)
"""What a rewritten cell may keep."""

MOST_PIECES: Final = 1024
MOST_TRIES: Final = 64
MOST_STEERING: Final = 4
MOST_POLISH: Final = 16
RESAMPLE, REPORT = "resample", "report"
AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class SamplingRunConfig:
    """How a run is done, whatever its music.

    Args:
        n: number of pieces.
        seed: of them all; attempt a at piece i is drawn from (seed, i, a).
        tries: most attempts at a piece that does not pass.
        originality: what becomes of a piece above the house's own line: `resample` writes
            another in its place and withholds one that stays above it, `report` only says so,
            `off` compares with nothing.
        strict: write another, too, while a control is known to be missed.
        steering: how strongly parts are kept in agreement and in their key beyond what the model
            itself does, see `steering`; 0 not at all, as pieces of earlier versions were written.
        rules: the version of those of writing, see `rules`: the newest, or that of earlier pieces.
        polish: how often each of the worst cells of a piece from nothing is written anew, see
            `polishing`; 0 leaves all as they came.
        device: where the model computes, which the last bits of its sums depend on.
        watermark: `auto` with the newest watermark key that this user has of the house, if any;
            the id of a key; `off` without.
        watermark_kind: in which way the key chooses: 3, or 1 or 2 as in pieces of earlier versions.
        swing, humanise: how strongly what is written is played so, see `Performance`.
        timing: of a model of played music `played` as its players do, or `straight`; None for
            the former, and in a file as it is there.
    """

    n: int
    seed: int
    tries: int = 4
    originality: str = RESAMPLE
    strict: bool = False
    steering: float = 1.0
    rules: int = NEWEST_RULES
    polish: int = 0
    device: str = CPU
    watermark: str = AUTO
    watermark_kind: int = NEWEST
    swing: float = 0.0
    humanise: float = 0.0
    timing: str | None = None

    def __post_init__(self) -> None:
        for name, least, most in (
            ("n", 1, MOST_PIECES), ("tries", 1, MOST_TRIES), ("steering", 0, MOST_STEERING),
            ("rules", OLDEST_RULES, NEWEST_RULES), ("watermark_kind", 1, NEWEST),
            ("polish", 0, MOST_POLISH),
        ):  # fmt: skip
            if not least <= (value := getattr(self, name)) <= most:
                raise SettingError(f"{value} is outside {least} to {most}", where=name)
        if self.seed < 0:
            raise SettingError(f"{self.seed} is no whole number from 0 on", where="seed")
        nearest(self.originality, (RESAMPLE, REPORT, OFF), setting="originality")
        nearest(self.device, DEVICES, setting="device")
        if self.timing is not None:
            nearest(self.timing, (PLAYED, STRAIGHT), setting="timing")
        Performance(self.swing, self.humanise)

    @property
    def on_gpu(self) -> bool:
        return self.device != CPU


@dataclass(frozen=True, slots=True)
class PlacesConfig:
    """Settings that no note depends on: where things are, and what is made besides.

    Args:
        checkpoint: a file, or `last`.
        pin: of the house whose model writes.
        out: folder of the pieces.
        sign: whose key signs receipts; `off` for nobody's.
        audio: whether pieces are played, too.
        soundfont: what plays them, see `rendering.Playing`.
        sample_rate: of the audio.
        stems: whether each track is written by itself, too.
        receipt: of the piece that is to be written once more.
        unrecorded: whether a model that the log does not know may write.
        retired: whether a model that was retired may.
        stamp: address of an authority that stamps each piece's credentials (RFC 3161); None for
            none.
        base_pins: of the other houses whose works are behind the model, to compare with them, too.
    """

    checkpoint: str
    pin: str
    out: str
    sign: str | None = None
    audio: bool = True
    soundfont: str | None = None
    sample_rate: int = 44_100
    stems: bool = False
    receipt: str | None = None
    unrecorded: bool = False
    retired: bool = False
    stamp: str | None = None
    base_pins: tuple[str, ...] = ()


PLACES: Final = frozenset([*(f.name for f in dataclasses.fields(PlacesConfig)), "hydra"])
"""Names of the settings that no note depends on."""


@dataclass(frozen=True, slots=True)
class FileTask:
    """What is to be done with a file.

    Attributes:
        mode: of `MODES`.
        path: of the file.
        cells: of an infilling, as `cells.read_cells` reads it.
        add: instruments of an accompaniment.
        amount: share of the sounding cells that a variation rewrites.
        keep: of the melodic cells that are rewritten: `rhythm`, when their notes begin, how long
            and how loud they are, to a twelfth of a quarter; `contour`, that and which way the
            pitch goes from one note to the next.
    """

    mode: str
    path: Path
    cells: str | None = None
    add: tuple[str, ...] = ()
    amount: float = USUAL_AMOUNT
    keep: str | None = field(default=None, metadata={LATER: True})

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> FileTask | None:
        """The task that settings name; None where a piece is to be written from nothing.

        Raises:
            SettingError: a setting of another kind than its own, two tasks at once, or a setting
                that belongs to another task.
        """
        values = {
            name: checked(kind, settings.get(name), where=name) for name, kind in _OF_A_FILE.items()
        }
        cells, add, amount, keep = (values[name] for name in ("cells", "add", "amount", "keep"))
        modes = [mode for mode in MODES if values[mode] is not None]
        mode = modes[0] if modes else ""
        if len(modes) > 1:
            raise SettingError(
                f"{' and '.join(modes)} at once", where=modes[1], mend="ask for one after the other"
            )
        for name, value, belongs in (
            ("cells", cells, ("infill",)),
            ("add", add, ("accompany", "harmonise")),
            ("amount", amount, ("vary",)),
            ("keep", keep, ("infill", "vary")),
        ):
            if value and mode not in belongs:
                raise SettingError(
                    f"belongs to {' or '.join(belongs)}", where=name, mend=f"add {belongs[0]}=FILE"
                )
        if not mode:
            return None
        if mode == "infill" and not cells:
            raise SettingError(
                "is missing: which cells are to be written anew?", where="cells",
                mend="for instance cells='bars 5-8 of bass, bar 3 of all'",
            )  # fmt: skip
        if mode == "accompany" and not add:
            raise SettingError("is missing: by what?", where="add", mend="add=[bass,drums]")
        if amount is None:
            amount = USUAL_AMOUNT
        if not 0 < amount <= 1:
            raise SettingError(f"{amount!r} is no share above 0, up to 1", where="amount")
        if keep is not None:
            nearest(keep, KEPT, setting="keep")
        return cls(mode, Path(values[mode]), cells, tuple(add or ()), amount, keep)


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """Everything that a command asks for.

    Attributes:
        controls: of the music.
        draw: how it is drawn.
        run: how many pieces, from which seed, on which terms.
        places: where things are.
        task: what is to be done with a file; None for pieces from nothing, and where a receipt
            says it.
        settings: all of them as they came, for receipts.
    """

    controls: Controls
    draw: DrawConfig
    run: SamplingRunConfig
    places: PlacesConfig
    task: FileTask | None
    settings: Mapping[str, Any]

    @property
    def seed(self) -> tuple[int, ...]:
        """Of the chance behind all pieces; with steering, other requests have another."""
        if not self.run.steering:
            return (self.run.seed,)
        task = self.task and dataclasses.replace(self.task, path=Path())
        asked = f"({_spelt(self.controls)}, {_spelt(task)})".encode()
        return self.run.seed, int.from_bytes(hashlib.sha256(asked).digest()[:8], "big")

    @property
    def performance(self) -> Performance:
        """How what is written is played."""
        low, high = self.controls.velocity_range
        return Performance(self.run.swing, self.run.humanise, (low, high))

    @classmethod
    def of(cls, settings: Mapping[str, Any], asked: Collection[str] | None = None) -> SampleRequest:
        """The request that settings make.

        Args:
            settings: the composed `conf/sample.yaml`, as plain containers.
            asked: names of those that were asked for beside a preset, which gives way to them;
                None where nothing has to.

        Raises:
            SettingError: a setting that nothing reads, of another kind than its own, or that
                contradicts another.
        """
        _refuse_unknown(settings)
        off = [name for name in ("originality", "sign", "watermark") if settings.get(name) is False]
        settings = {**settings, **dict.fromkeys(off, OFF)}  # what YAML makes of `off`
        places = _built(PlacesConfig, settings)
        if asked is not None:
            settings = give_way(settings, asked)
        run = _built(SamplingRunConfig, settings)
        draw = _built(DrawConfig, settings)
        controls = _built(Controls, settings)
        task = None if places.receipt else FileTask.of(settings)
        if task and (run.swing or run.humanise):
            raise SettingError(
                "is of pieces from nothing", where="swing" if run.swing else "humanise",
                mend="leave it out: what is written into a file is played as it is there",
            )  # fmt: skip
        names = ("steering", "rules", "polish", "watermark_kind")
        unnamed = {name: getattr(run, name) for name in names}
        recorded = {**settings, **unnamed}
        return cls(controls, draw, run, places, task, recorded)


def _spelt(asked: Controls | FileTask | None) -> str:
    """What is asked, in the words that the chance behind pieces is made from.

    They stay as they are, so that receipts do: a setting that came later (`LATER` in its field's
    metadata) is spelt only where it is used.
    """
    if asked is None:
        return "None"
    values = [
        f"{each.name}={value!r}"
        for each in dataclasses.fields(asked)
        if (value := getattr(asked, each.name)) != each.default or LATER not in each.metadata
    ]
    return f"{type(asked).__name__}({', '.join(values)})"


def _refuse_unknown(settings: Mapping[str, Any]) -> None:
    kinds = (SamplingRunConfig, Controls, DrawConfig)
    fields = {each.name for kind in kinds for each in dataclasses.fields(kind)}
    for name in settings:
        nearest(name, {*fields, *PLACES, *OF_FILES}, setting="setting")


def _built(kind: type[T], settings: Mapping[str, Any]) -> T:
    """A settings class, made of those settings that are its fields."""
    names = [each.name for each in dataclasses.fields(kind)]  # type: ignore[arg-type]
    return build(kind, {name: settings[name] for name in names if name in settings})


# Presets ----------------------------------------------------------------------------------

_SETTLED_BY_A_FILE: Final = frozenset(
    {"instruments", "roles", "tempo", "time_signature", "key", "chords", "sections"}
)
"""What the music of a given file settles, or what would be laid out over it."""


def give_way(settings: Mapping[str, Any], asked: Collection[str]) -> dict[str, Any]:
    """Leave out what a preset says where that contradicts what was asked beside it.

    A given file keeps its own music, so that only genre, mood, density and ranges of a preset
    are left; other instruments keep its roles if they are as many, with drums in the same
    places; another key lets go of its chords.

    Its sections are fitted to other bars, see `planning.fitted`. A preset does not tell how long
    its last section is: it counts as the shortest of the others.

    Args:
        settings: the composed `conf/sample.yaml`, as plain containers.
        asked: names of those settings that were asked for themselves.

    Raises:
        SettingError: bars were asked for, and the file that is given has its own; an instrument
            is unknown.
    """
    modes = [mode for mode in MODES if settings.get(mode) is not None]
    gone: set[str] = set()
    if modes:
        if "bars" in asked and "continue" not in modes:
            raise SettingError(
                f"comes from the file that {modes[0]}= names", where="bars", mend="leave it out"
            )
        gone |= _SETTLED_BY_A_FILE
    elif "instruments" in asked and not _fit(settings.get("instruments"), settings.get("roles")):
        gone.add("roles")
    if "key" in asked:
        gone.add("chords")
    if "bars" in asked and "sections" not in asked and not modes:
        settings = {**settings, "sections": _refitted(settings)}
    nothing: dict[str, list[str]] = {"instruments": [], "roles": []}
    return {**settings, **{name: nothing.get(name) for name in gone - set(asked)}}


def _fit(instruments: Any, roles: Any) -> bool:
    """Whether the roles can be those of the instruments; what is no list is refused elsewhere."""
    if not isinstance(instruments, list) or not isinstance(roles, list):
        return True
    drums = [instrument_number(name) == DRUM_PROGRAM for name in instruments]
    return drums == [role == "drums" for role in roles]


def _refitted(settings: Mapping[str, Any]) -> Any:
    """Sections for so many bars; what cannot be read is refused elsewhere."""
    sections, bars = settings.get("sections"), settings.get("bars")
    if not isinstance(sections, str) or not isinstance(bars, int):
        return sections
    parts = [part.rpartition(":") for part in sections.split()]
    firsts = [int(bar) for _, _, bar in parts if bar.isdecimal()]
    if len(firsts) < len(parts) or firsts != sorted(set(firsts)) or bars > MOST_BARS:
        return sections
    lengths = [after - first for first, after in pairwise(firsts)]
    if not lengths:
        return sections
    own = zip((name for name, _, _ in parts), [*lengths, min(lengths)], strict=True)
    return laid_out(fitted(list(own), bars + 1 - firsts[0]), firsts[0])

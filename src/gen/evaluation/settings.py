"""What an evaluation is asked: how much of what is measured, where, and with which seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from gen.errors import SettingError
from gen.harmony import nearest
from gen.sampling.decoding.draw import DrawConfig
from gen.settings import CPU, DEVICES, build

PARTS = (
    "likelihood", "statistics", "nearest_neighbour", "structure", "diversity", "control",
    "infilling", "accompaniment", "originality",
)  # fmt: skip
"""What can be measured."""
OPTIONAL = ("frechet",)
"""What can be measured besides, where the user has installed what it needs."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Args:
        works: of each side, for likelihood.
        pieces: written, and compared with as many works.
        bars: of each piece, from its beginning.
        requests: for control accuracy.
        repeats: pieces of one request, for diversity under control.
        holes: works of which a few cells are filled in.
        prompts: works of each side, for the extraction test.
        house_works: that tell what the house borrows from itself.
    """

    works: int
    pieces: int
    bars: int
    requests: int
    repeats: int
    holes: int
    prompts: int
    house_works: int

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise SettingError(f"{getattr(self, field.name)} is below 1", where=field.name)


FULL = Sizes(
    works=40, pieces=32, bars=40, requests=400, repeats=4, holes=32, prompts=24, house_works=120
)
FAST = Sizes(works=6, pieces=8, bars=16, requests=24, repeats=2, holes=5, prompts=5, house_works=40)


@dataclass(frozen=True, slots=True)
class EvaluationConfig:
    """What an evaluation is about.

    Args:
        pin: file of the trust pin of the house.
        split: the works to measure with: `test` or `validation`.
        out: folder of the report and the finished parts.
        seed: of works, requests, pieces and intervals.
        fast: the smaller sizes.
        parts: what is measured, of `PARTS` and `OPTIONAL`.
        baselines: whether to measure models that are known to be worse too.
        listening: a folder for the blind listening kit; None to measure.
        artists: tell the models of several artists apart, in place of the report.
        device: where models compute: `cpu` or `cuda`.
        unrecorded: measure checkpoints, too, that the log of the house does not vouch for.
    """

    pin: str
    split: str
    out: str
    seed: int
    fast: bool
    parts: tuple[str, ...]
    baselines: bool
    listening: str | None = None
    device: str = CPU
    unrecorded: bool = False
    artists: bool = False

    def __post_init__(self) -> None:
        if self.split not in ("test", "validation"):
            raise SettingError(f"{self.split!r} is neither 'test' nor 'validation'", where="split")
        if self.seed < 0:
            raise SettingError(f"{self.seed} is below 0", where="seed")
        nearest(self.device, DEVICES, setting="device")
        if not self.parts:
            raise SettingError("nothing is to be measured", where="parts", mend="name a part")
        for part in self.parts:
            nearest(part, PARTS + OPTIONAL, setting="parts")
        if self.artists and self.listening is not None:
            raise SettingError(
                "a listening test tells no artists apart", where="artists",
                mend="ask for one of artists=true and listening=FOLDER",
            )  # fmt: skip


def read_settings(
    settings: Mapping[str, Any],
) -> tuple[EvaluationConfig, Sizes, DrawConfig, list[str]]:
    """The composed `conf/evaluate.yaml` as settings; sizes left out are the usual ones.

    Raises:
        SettingError: a key is unknown, missing or of another type.
    """
    known = {f.name for kind in (EvaluationConfig, Sizes, DrawConfig) for f in fields(kind)}
    for key in settings:
        nearest(key, known | {"checkpoint"}, setting="setting")
    given = dict(settings)
    named = given.pop("checkpoint", None)
    names = [named] if isinstance(named, str) else named
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise SettingError(f"{named!r} is no file and no list of files", where="checkpoint")
    if not names:
        raise SettingError("names no file", where="checkpoint", mend="checkpoint=last")
    sizes = {field.name: given.pop(field.name, None) for field in fields(Sizes)}
    draw = {
        field.name: given.pop(field.name) for field in fields(DrawConfig) if field.name in given
    }
    config = build(EvaluationConfig, given)
    usual = asdict(FAST if config.fast else FULL)
    chosen = {name: value for name, value in sizes.items() if value is not None}
    return config, build(Sizes, {**usual, **chosen}), build(DrawConfig, draw), list(names)

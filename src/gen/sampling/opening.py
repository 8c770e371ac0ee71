"""From settings to a session: everything is read and checked before anything is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import torch

from gen.checkpoint import Checkpoint, load_checkpoint
from gen.errors import HouseError, SettingError
from gen.harmony import nearest
from gen.provenance.consent import ARTIST_MODEL
from gen.provenance.house import House
from gen.provenance.pin import load_pin
from gen.provenance.recorded import run_if_recorded
from gen.provenance.register import Register
from gen.sampling.checkpoints import find_checkpoint
from gen.sampling.controls import Controls
from gen.sampling.decode import DrawConfig
from gen.sampling.job import MODES, job_of
from gen.sampling.learned import learned_music
from gen.sampling.names import highest_number
from gen.sampling.session import PLACES, Policy, Session, unwritable
from gen.sampling.signatures import OFF, signatures_for
from gen.settings import build, checked

OF_FILES: Final = frozenset({*MODES, "cells", "add", "amount"})
"""Settings about a given file."""

_KINDS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("checkpoint", "pin", "out"), str),
    **dict.fromkeys(("receipt", "sign", "soundfont", "cells", *MODES), str | None),
    "audio": bool, "unrecorded": bool, "add": tuple[str | int, ...] | None, "amount": float | None,
}  # fmt: skip
"""Of those settings that belong to no settings class."""


def open_session(
    settings: Mapping[str, Any], on_checked: Callable[[], None] = lambda: None
) -> Session:
    """Read and check all that a run needs.

    Args:
        settings: the composed `conf/sample.yaml`, as plain containers.
        on_checked: told when the settings were, before the house and the checkpoint are read.

    Raises:
        HouseError: a setting is wrong, or the checkpoint or the house cannot be used.
    """
    check_kinds(settings)
    off = [name for name in ("originality", "sign") if settings.get(name) is False]
    settings = {**settings, **dict.fromkeys(off, OFF)}
    policy = build(Policy, _chosen(settings, Policy))
    draw = build(DrawConfig, _chosen(settings, DrawConfig))
    controls = build(Controls, _chosen(settings, Controls))
    job = job_of(settings, controls)  # whatever is wrong with it is said before anything is read
    if policy.on_gpu and not torch.cuda.is_available():
        raise SettingError("PyTorch sees no CUDA device here", where="device", mend="device=cpu")
    on_checked()
    house = House(load_pin(Path(settings["pin"])))
    checkpoint = load_checkpoint(find_checkpoint(settings["checkpoint"]))
    checkpoint.require_house_events("checkpoint")
    checkpoint.model.to(policy.device)
    manifest = checkpoint.manifest
    if manifest.house != house.pin.name:
        raise HouseError(
            f"learned from the house {manifest.house!r}, the pin is that of {house.pin.name!r}",
            where="checkpoint", mend=f"name its own house: pin=conf/house/{manifest.house}.yaml",
        )  # fmt: skip
    register = house.load()
    manifest.check_entered(register)
    run = run_if_recorded(
        checkpoint.file, register, unrecorded=bool(settings.get("unrecorded", False))
    )
    if controls.style:
        job = job_of(settings, controls, style_number(controls.style, checkpoint, register))
    signatures = signatures_for(house, register, settings.get("sign"), is_recorded=run is not None)
    compares = policy.originality != OFF
    learned = learned_music(house, manifest, register) if compares else None
    out = Path(settings["out"])
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(out, error) from error
    return Session(
        settings, policy, draw, job, checkpoint, house, learned, run, signatures, out,
        highest_number(out),
    )  # fmt: skip


def style_number(person: str, checkpoint: Checkpoint, register: Register) -> int:
    """The checkpoint's number for a composer's style.

    Raises:
        SettingError: it knows no styles or not this one, or the composer allows no model of
            themselves any more.
    """
    styles = {owner: int(number) for number, owner in checkpoint.run.get("styles", {}).items()}
    if not styles:
        raise SettingError(
            "the checkpoint was not taught whose style is whose", where="style",
            mend="leave it out, or train with data.styles=true where composers allow it",
        )  # fmt: skip
    nearest(person, styles, setting="style")
    scope = f"{ARTIST_MODEL}:{person}"
    if not any(_allows(register, work.work, scope) for work in checkpoint.manifest.works):
        raise SettingError(
            f"{person} allows no model of themselves any more", where="style",
            mend="leave it out; the checkpoint is to be retired or trained anew",
        )  # fmt: skip
    return styles[person]


def _allows(register: Register, work: str, scope: str) -> bool:
    record = register.works.get(work)
    if record is None or record.withdrawn_at is not None:
        return False
    return register.consent_of(record).allows(scope, register.today())


def check_kinds(settings: Mapping[str, Any]) -> None:
    """Refuse a setting that nothing reads, or of another kind than its own.

    Raises:
        SettingError: there is one.
    """
    kinds = (Policy, Controls, DrawConfig)
    fields = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    for name in settings:
        nearest(name, {*fields, *PLACES, *OF_FILES}, setting="setting")
    for name, kind in _KINDS.items():
        is_off = name == "sign" and settings.get(name) is False  # what YAML makes of `off`
        if name in settings and not is_off:
            checked(kind, settings[name], where=name)


def _chosen(settings: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """Those settings that are fields of one settings class."""
    names = [field.name for field in dataclasses.fields(kind)]
    return {name: settings[name] for name in names if name in settings}

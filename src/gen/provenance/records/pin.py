"""The trust pin: what is known of a house beforehand, kept apart from it.

`conf/house/<name>.yaml` names the root keys' fingerprints and a size and root hash that the
register has reached. A roster or register that is older, or does not extend it, is refused.

A pin may also name the log's key, and the witnesses whose signatures its reader believes:

```yaml
log: "lantern/5e0c…+1a2b3c4d+AQ…"          as `house.py show` prints it
witnesses:
  need: 2                                  so many of them make a head witnessed
  max_age_hours: 168                       and signed it no longer ago
  required: true                           the gate refuses a head that is not (optional)
  keys:
    - "society.example/w1+5d6e…+BA… https://…"   a key, and where it takes notes (optional)
```

`dir` is relative to the project for a pin in `conf/house/`, otherwise to the pin's own folder.
A house outside the project keeps its pin inside itself (`pin.yaml`): better than none, but
whoever can replace the whole folder replaces the pin too. Keep a copy elsewhere and name it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gen import places
from gen.disk import real_path, write_atomically
from gen.disk.reading import PIN, NamedFileError, read_yaml
from gen.errors import HouseError
from gen.provenance.records.roster import HOUSE_NAME, Roster
from gen.provenance.records.witness_policy import NOBODY, Policy, Witness
from gen.provenance.signing.canonical import is_sha256_hex
from gen.provenance.signing.notes import LOG_KEY, NoteKey
from gen.provenance.signing.shapes import Shape, read_as

CONF = Path("conf") / "house"
INSIDE = "pin.yaml"
_FIELDS = ("name", "dir", "root_keys", "threshold", "min_size", "root_hash")
_OPTIONAL = frozenset({"roster_version", "log", "witnesses"})


class PinError(HouseError):
    """A pin that is missing or malformed, or a house that does not live up to its pin."""

    def __init__(
        self, what: str, *, rule: str = "bad-pin", where: str = "", mend: str = ""
    ) -> None:
        self.rule = rule
        super().__init__(what, where=where, mend=mend)


@dataclass(frozen=True, slots=True)
class Pin:
    """What is known of a house beforehand.

    Attributes:
        name: the house's name.
        dir: its folder, absolute.
        root_keys: fingerprints (SHA-256 hex) of its root keys at `min_size`.
        threshold: how many of them sign a roster.
        min_size: a number of acts the register has reached, at least 1.
        root_hash: hex root of the tree over those acts.
        path: the file it was read from; None for a pin made in memory.
        roster_version: of the roster then; 0 in pins that do not say.
        log: the key that signs the log's notes; None in pins that do not say.
        witnesses: whose signatures under those notes are believed.
    """

    name: str
    dir: Path
    root_keys: tuple[str, ...]
    threshold: int
    min_size: int
    root_hash: str
    path: Path | None = None
    roster_version: int = 0
    log: NoteKey | None = None
    witnesses: Policy = NOBODY

    def advanced(self, roster: Roster, size: int, root_hash: str) -> Pin:
        """The pin after the register has grown."""
        return replace(
            self,
            root_keys=tuple(sorted(roster.root_keyids)),
            threshold=roster.threshold,
            min_size=size,
            root_hash=root_hash,
            roster_version=roster.version,
            log=roster.log or self.log,
        )

    def check_roots(self, roster: Roster) -> None:
        """Whether the roster in force at `min_size` has the pinned root keys and log's key.

        Raises:
            PinError: others.
        """
        if (roster.house, roster.threshold) != (self.name, self.threshold) or (
            roster.root_keyids != set(self.root_keys)
        ):
            raise PinError(
                f"the house {roster.house!r} at {self.dir} has {roster.threshold} of the root "
                f"keys {_short(roster.root_keyids)}, the pin of {self.name!r} has "
                f"{self.threshold} of {_short(self.root_keys)}",
                rule="wrong-root",
                where=str(self.path or ""),
                mend="this is another house than the pinned one, or its root was replaced: ask "
                "the root key's holder",
            )
        if self.log is not None and roster.log != self.log:
            raise PinError(
                f"the log's key is {roster.log or 'not named'} in the roster, the pin has "
                f"{self.log}",
                rule="wrong-log-key",
                where=str(self.path or ""),
                mend="another log than the pinned one: ask the root key's holder",
            )

    def save(self) -> None:
        """Write it back to `path`."""
        if self.path is None:
            return
        lines = [
            "# The trust pin of a house: python scripts/house.py keeps it; check it in.",
            f"name: {self.name}",
            f"dir: {_yaml_text(_relative(self.dir, _base(self.path)))}",
            "root_keys:",
            *(f"  - {keyid}" for keyid in self.root_keys),
            f"threshold: {self.threshold}",
            f"min_size: {self.min_size}",
            f"root_hash: {self.root_hash}",
            *([f"roster_version: {self.roster_version}"] if self.roster_version else []),
            *([f"log: {_yaml_text(str(self.log))}"] if self.log else []),
            *_policy_lines(self.witnesses),
        ]
        write_atomically(self.path, ("\n".join(lines) + "\n").encode("utf-8"))


def _policy_lines(policy: Policy) -> list[str]:
    if not policy.witnesses:
        return []
    return [
        "witnesses:",
        f"  need: {policy.need}",
        f"  max_age_hours: {policy.max_age_hours}",
        *(["  required: true"] if policy.required else []),
        "  keys:",
        *(f"    - {_yaml_text(str(witness))}" for witness in policy.witnesses),
    ]


def _short(keyids: Any) -> str:
    return ", ".join(keyid[:12] for keyid in sorted(keyids))


def _yaml_text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _base(path: Path) -> Path:
    folder = real_path(path).parent
    in_conf = (folder.parent.name, folder.name) == ("conf", "house")
    return folder.parent.parent if in_conf else folder


def _relative(folder: Path, base: Path) -> str:
    resolved = real_path(folder)
    return resolved.relative_to(base).as_posix() if resolved.is_relative_to(base) else str(resolved)


def load_pin(path: Path) -> Pin:
    """Read a pin.

    Raises:
        PinError: missing, not YAML, or fields missing, unknown or of another type.
    """
    mend = "python scripts/house.py init writes one; restore it from version control"
    try:
        found = read_yaml(path, PIN)
    except NamedFileError as error:
        what = error.what if os.path.lexists(path) else "there is no trust pin"
        raise PinError(what, where=str(path), mend=mend) from error
    problem = _problem(found)
    if problem:
        raise PinError(problem, where=str(path), mend=mend)
    folder = real_path(_base(path) / found["dir"])
    try:
        log = NoteKey.parse(found["log"], LOG_KEY) if "log" in found else None
        policy = _policy_of(found["witnesses"]) if "witnesses" in found else NOBODY
    except HouseError as error:
        raise PinError(error.what, where=str(path), mend=error.mend or mend) from error
    return Pin(
        found["name"],
        folder,
        tuple(found["root_keys"]),
        found["threshold"],
        found["min_size"],
        found["root_hash"],
        path,
        found.get("roster_version", 0),
        log,
        policy,
    )


def by_name(pins: Iterable[Pin]) -> dict[str, Pin]:
    """Pins by the names of their houses.

    Raises:
        PinError: two different houses have one name, so that records of one could pass for those
            of the other.
    """
    found: dict[str, Pin] = {}
    for pin in pins:
        if found.setdefault(pin.name, pin).dir != pin.dir:
            raise PinError(
                f"two houses of the name {pin.name!r}: {found[pin.name].dir} and {pin.dir}",
                where=str(pin.path or ""),
                mend="name the pin of one of them",
            )
    return found


class _Witnesses(Shape, frozen=True):
    """A policy as people write it."""

    keys: tuple[str, ...]
    max_age_hours: int
    need: int
    required: bool = False


def _policy_of(value: Any) -> Policy:
    found = read_as(_Witnesses, value, "witnesses")
    keys = tuple(map(Witness.parse, found.keys))
    return Policy(keys, found.need, found.max_age_hours, found.required)


def _problem(found: Any) -> str:
    if not isinstance(found, dict) or set(found) - _OPTIONAL != set(_FIELDS):
        return f"a pin has exactly the fields {', '.join(_FIELDS)}"
    if not isinstance(found["name"], str) or not HOUSE_NAME.match(found["name"]):
        return f"name is {found['name']!r:.60}"
    if not isinstance(found["dir"], str) or "\0" in found["dir"]:
        return f"dir is {found['dir']!r:.60}"
    roots = found["root_keys"]
    if not isinstance(roots, list) or not roots or not all(map(is_sha256_hex, roots)):
        return "root_keys are fingerprints of 64 hex digits"
    for name in ("threshold", "min_size", "roster_version"):
        value = found.get(name, 1)
        if type(value) is not int or value < 1:
            return f"{name} is {value!r:.60}, not a number from 1 on"
    if not isinstance(found.get("log", ""), str):
        return f"log is {found['log']!r:.60}, not a key in quotes"
    if not is_sha256_hex(found["root_hash"]):
        return f"root_hash is {found['root_hash']!r:.80}"
    return ""


def find_pin(house: Path, project: Path | None = None) -> Pin:
    """The pin of the house in this folder: from `conf/house`, else from inside it.

    Only the project's own `conf/house` is looked into, never one that happens to lie above the
    current folder: whoever put that there would say what is trusted.

    Args:
        house: the house's folder.
        project: where `conf/house` is; None for the project that this program belongs to.

    Raises:
        PinError: there is none.
    """
    project = project or places.PROJECT
    for path in sorted((project / CONF).glob("*.yaml")) if project else ():
        pin = load_pin(path)
        if pin.dir == real_path(house):
            return pin
    inside = house / INSIDE
    if inside.is_file():
        return load_pin(inside)
    raise PinError(
        "no trust pin names this folder",
        rule="no-pin",
        where=str(house),
        mend="start a house there with `python scripts/house.py init`, or name its pin with --pin",
    )


def place_for(house: Path, name: str, project: Path | None = None) -> Path:
    """Where the pin of a new house goes: `conf/house/` inside the project, else inside it."""
    project = project or places.PROJECT
    if project and real_path(house).is_relative_to(project):
        return project / CONF / f"{name}.yaml"
    return house / INSIDE

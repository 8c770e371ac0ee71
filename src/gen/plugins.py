"""Plug-ins: models, optimizers, callbacks and tokenizers of packages that are installed here.

A run names them (`plugins.optimizer=NAME`); nothing of a package is imported before that. What
counts are entry points of packages that lie where this interpreter installs packages: not what
lies in the current folder or on `PYTHONPATH`, and not what is installed as editable, whose code
changes without a record. The digest over a package's files is worked out, not read.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import inspect
import json
import site
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, EntryPoint, PackagePath, distributions
from pathlib import Path
from typing import Any, Final

from gen.errors import HouseError, SettingError
from gen.provenance.records.plugin_record import Kind, Plugin

GROUPS: Final[Mapping[Kind, str]] = {
    "callback": "gen.callbacks",
    "model": "gen.models",
    "optimizer": "gen.optimizers",
    "tokenizer": "gen.tokenizers",
}
"""Groups of entry points, by what they are for."""
_OF_THE_INSTALLER: Final = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json")
"""What lies beside a package's own files and is another on every machine."""


@dataclass(frozen=True, slots=True)
class Installed:
    """An installed plug-in, not imported yet.

    Attributes:
        plugin: as records name it.
        entry: where its code is.
        files: of its package, checked.
    """

    plugin: Plugin
    entry: EntryPoint
    files: frozenset[Path]

    def load(self) -> Any:
        """Import what the entry point names.

        Raises:
            HouseError: it cannot be imported, or Python takes its module from somewhere else.
        """
        _check_place(self, _origin_of(self.entry.module))
        try:
            found = self.entry.load()
        except Exception as error:  # whatever foreign code does
            raise _refusal(
                self.plugin, f"cannot be imported: {error!r}", "install a package that can be"
            ) from error
        module = sys.modules[self.entry.module]
        _check_place(self, getattr(module, "__file__", None))
        return found


def check_call(plugin: Plugin, made: Callable[..., Any], *given: object, **options: Any) -> None:
    """Refuse options that what a plug-in names does not take, before it is called.

    Raises:
        HouseError: it takes others, or needs more.
    """
    try:
        inspect.signature(made).bind(*given, **options)
    except TypeError as error:
        raise HouseError(
            f"{plugin.name} cannot be called with these options: {error}",
            where=f"plugins.options.{plugin.name}",
        ) from error
    except ValueError:
        return  # nothing is known of what is written in C


def install_folders() -> list[str]:
    """Where this interpreter installs packages; the user's own folder only where it is in use."""
    paths = sysconfig.get_paths()
    own = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    found = [*site.getsitepackages(), *own, paths["purelib"], paths["platlib"]]
    return list(dict.fromkeys(map(str, found)))


def of_kind(kind: Kind) -> list[tuple[Distribution, EntryPoint]]:
    """The plug-ins of a kind that there are, with the packages that bring them."""
    return list(_of(kind, distributions(path=install_folders())))


def _of(kind: Kind, among: Iterable[Distribution]) -> Iterator[tuple[Distribution, EntryPoint]]:
    for distribution in among:
        for entry in distribution.entry_points:
            if entry.group == GROUPS[kind]:
                yield distribution, entry


def find(kind: Kind, name: str) -> Installed:
    """An installed plug-in, with the digest of its package's files.

    Raises:
        HouseError: no package, or more than one, brings it; its package is editable, or was
            changed since it was installed.
    """
    here = of_kind(kind)
    named = [(package, entry) for package, entry in here if entry.name == name]
    if not named:
        _refuse_elsewhere(kind, name)
        raise _unknown(kind, name, sorted({entry.name for _, entry in here}))
    packages = {_name_of(package): (package, entry) for package, entry in named}
    if len(packages) > 1:
        raise SettingError(
            f"several packages bring {name!r}: {', '.join(sorted(packages))}",
            where=setting_of(kind), mend="uninstall all but one",
        )  # fmt: skip
    package, entry = named[0]
    files = _files_of(package)
    digest = digest_of({file.as_posix(): data for file, data in files.items()})
    plugin = Plugin(kind, name, _name_of(package), package.version, digest)
    return Installed(plugin, entry, frozenset(Path(file.locate()).resolve() for file in files))


def find_again(plugin: Plugin) -> Installed:
    """The plug-in that a record names, once it is found to be the same.

    Raises:
        HouseError: it is not installed here, or other files of it are.
    """
    mend = f"install {plugin.distribution} {plugin.version}, as it was then"
    try:
        found = find(plugin.kind, plugin.name)
    except HouseError as error:
        raise _refusal(plugin, f"is needed: {error.what}", mend) from error
    if found.plugin != plugin:
        raise _refusal(plugin, f"is needed, installed here is {found.plugin}", mend)
    return found


def state_here(plugin: Plugin) -> str:
    """Whether the plug-in that a record names is installed here, in words."""
    try:
        find_again(plugin)
    except HouseError as error:
        return error.what
    return "the same is installed here"


def setting_of(kind: Kind) -> str:
    """The setting that names plug-ins of a kind."""
    return "plugins.callbacks" if kind == "callback" else f"plugins.{kind}"


def digest_of(files: Mapping[str, bytes]) -> str:
    """SHA-256 over a line `name digest` of each file, sorted by name, hex."""
    lines = (f"{name} {hashlib.sha256(data).hexdigest()}\n" for name, data in files.items())
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _files_of(package: Distribution) -> dict[PackagePath, bytes]:
    """The files that were installed of a package with their bytes, each as its record says.

    Left out are compiled copies, what the installer adds, and scripts outside the folder.

    Raises:
        SettingError: it has no record, is editable, or a file is not what the record says.
    """
    where = f"{_name_of(package)} {package.version}"
    if _is_editable(package):
        raise SettingError(
            "is installed as editable: its code can change from run to run", where=where,
            mend="install the package itself: python -m pip install .",
        )  # fmt: skip
    found: dict[PackagePath, bytes] = {}
    for file in package.files or ():
        path = Path(str(file.locate()))
        if file.suffix == ".pyc" or file.parts[0] == ".." or file.name in _OF_THE_INSTALLER:
            continue
        recorded = file.hash if path.is_file() else None
        data = path.read_bytes() if recorded else b""
        if recorded is None or _recorded(data, recorded.mode) != recorded.value:
            raise SettingError(
                f"{file} is not what was installed", where=where,
                mend=f"install it anew: python -m pip install --force-reinstall {where.split()[0]}",
            )  # fmt: skip
        found[file] = data
    if not found:
        raise SettingError("has no record of its files", where=where, mend="install it by pip")
    return found


def _recorded(data: bytes, mode: str) -> str:
    """The digest of a file's bytes as a RECORD writes it; "" for a kind that is not trusted."""
    if mode not in ("sha256", "sha384", "sha512"):
        return ""
    digest = hashlib.new(mode, data).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _is_editable(package: Distribution) -> bool:
    text = package.read_text("direct_url.json")
    try:
        found = json.loads(text) if text else {}
        return bool(found.get("dir_info", {}).get("editable"))
    except (ValueError, AttributeError):
        return True  # whatever it is, no installer wrote it


def _unknown(kind: Kind, name: str, names: list[str]) -> SettingError:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return SettingError(
        f"no package that is installed here brings {name!r} (entry points of {GROUPS[kind]})",
        where=setting_of(kind),
        mend=f"{hint}there are: {', '.join(names) or 'none'}; docs/plugins.md",
    )


def _refuse_elsewhere(kind: Kind, name: str) -> None:
    """Say of a package that lies on Python's path, but not where packages are installed."""
    for package, entry in _of(kind, distributions()):
        if entry.name == name:
            raise SettingError(
                f"{_name_of(package)} brings {name!r}, but lies in {package.locate_file('')}, "
                "where no package of this Python is installed", where=setting_of(kind),
                mend="install it: python -m pip install …",
            )  # fmt: skip


def _origin_of(module: str) -> str | None:
    """The file that Python would take a module's outermost package from, without importing it."""
    outermost = module.partition(".")[0]
    if loaded := sys.modules.get(outermost):
        return getattr(loaded, "__file__", None)
    spec = PathFinder.find_spec(outermost)
    return spec.origin if spec else None


def _check_place(found: Installed, origin: str | None) -> None:
    """Refuse code from somewhere else, as from a folder of the same name in the current one."""
    if origin is None or Path(origin).resolve() not in found.files:
        raise _refusal(
            found.plugin,
            f"would be imported from {origin or 'nowhere'}, which is no file of its package",
            "move what is in the way, or give the package an __init__.py",
        )


def _refusal(plugin: Plugin, what: str, mend: str = "") -> HouseError:
    return HouseError(f"{plugin} {what}", where=setting_of(plugin.kind), mend=mend)


def _name_of(package: Distribution) -> str:
    return str(package.metadata["Name"]).lower()

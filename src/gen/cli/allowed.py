"""What may be said to Hydra, setting by setting. Whatever is not named here is refused.

Hydra runs code that its own settings name: callbacks, logging handlers, launchers, samplers,
resolvers. So its settings are not a list of what is known to be dangerous but of what is known to
be harmless, each with the values it may have.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gen.cli.known import KnownSettings
from gen.errors import SettingError

GROUPS: Mapping[str, tuple[str, ...]] = {
    "hydra/launcher": ("basic", "submitit_local", "submitit_slurm", "ray"),
    "hydra/sweeper": ("basic", "optuna"),
    "hydra/sweeper/sampler": ("tpe", "random", "grid", "nsgaii"),
    "hydra/job_logging": ("default", "stdout", "none", "disabled"),
    "hydra/hydra_logging": ("default", "none", "disabled", "hydra_debug"),
}
"""Hydra's own groups, and those of the extras. The sampler cmaes is left out: it unpickles what a
study's storage holds."""

_REFERENCE = re.compile(r"\$\{\.*[A-Za-z_][\w.]*\}|\$\{now:[\w%:. -]*\}")
"""Another setting, or the time: the only interpolations that are resolved."""
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def check_text(text: str, where: str) -> None:
    """Refuse an interpolation that could read what is no setting, such as a passphrase.

    Raises:
        SettingError: it is neither another setting nor the time.
    """
    if "${" in _REFERENCE.sub("", text):
        raise SettingError(
            f"{text!r:.100} asks for more than another setting or the time", where=where,
            mend="write the value itself; ${seed} takes that of another setting, "
            "${now:%Y-%m-%d} the time",
        )  # fmt: skip


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_name(value: Any) -> bool:
    """A word that stands for itself wherever it is written, in a shell script too."""
    is_word = isinstance(value, str | int) and re.fullmatch(r"[\w.,@:+/-]*", str(value))
    return value is None or bool(is_word)


def is_plain_name(value: Any) -> bool:
    return value is None or (isinstance(value, str) and bool(re.fullmatch(r"\w[\w.-]*", value)))


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, int | float)


def _is_count(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0)


def _is_resource(value: Any) -> bool:
    """A number, or the setting that has it."""
    return _is_number(value) or (_is_text(value) and bool(_REFERENCE.fullmatch(value)))


def _is_verbosity(value: Any) -> bool:
    each = value if isinstance(value, list) else [value]
    return all(isinstance(one, bool) or is_plain_name(one) for one in each)


def _is_database(value: Any) -> bool:
    """A file of SQLite's: other places need drivers, which the name would import."""
    return value is None or (
        _is_text(value) and bool(re.fullmatch(r"sqlite:///[^?#]+", value))
    )  # fmt: skip


def _is_search_path(value: Any) -> bool:
    """Folders; `pkg://` would import a package."""
    return isinstance(value, list) and all(
        _is_text(one) and "://" not in one.removeprefix("file://") for one in value
    )


def _one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: str(value) in words


_SETTINGS: Mapping[str, Callable[[Any], bool]] = {
    "run.dir": _is_text,
    "sweep.{dir,subdir}": _is_text,
    "job.name": is_plain_name,
    "output_subdir": is_plain_name,
    "verbose": _is_verbosity,
    "mode": _one_of("RUN", "MULTIRUN", "None"),
    "searchpath": _is_search_path,
    "{job,hydra}_logging.{root,handlers.console,handlers.file,loggers.*}.level": _one_of(*_LEVELS),
    "sweeper.{n_trials,n_jobs,max_batch_size}": _is_count,
    "sweeper.max_failure_rate": _is_number,
    "sweeper.direction": _one_of("minimize", "maximize", "Direction.minimize",
        "Direction.maximize"),
    "sweeper.study_name": is_plain_name,
    "sweeper.storage": _is_database,
    "sweeper.sampler.{seed,consider_prior,consider_magic_clip,consider_endpoints,prior_weight,"
    "n_startup_trials,n_ei_candidates,multivariate,warn_independent_sampling,population_size,"
    "mutation_prob,crossover_prob,swapping_prob}": _is_resource,
    "launcher.{partition,account,qos,comment,constraint,mem_per_cpu,gres,name}": _is_name,
    "launcher.{timeout_min,array_parallelism,nodes,gpus_per_node,tasks_per_node,cpus_per_task,"
    "cpus_per_gpu,gpus_per_task,mem_gb,max_num_timeout}": _is_resource,
    "launcher.ray.remote.{num_cpus,num_gpus}": _is_resource,
}  # fmt: skip
"""Names to what their values are: `{a,b}` is either, `*` whatever words."""
_RANGES = "hydra.sweeper.params"


def _spelled(name: str) -> list[str]:
    """Each name that one with braces stands for."""
    head, brace, rest = name.partition("{")
    if not brace:
        return [f"hydra.{name}"]
    choices, _, tail = rest.partition("}")
    return [one for word in choices.split(",") for one in _spelled(f"{head}{word}{tail}")]


_CHECKS = {name: check for names, check in _SETTINGS.items() for name in _spelled(names)}
_COMPILED = {
    re.compile(re.escape(name).replace(r"\*", r"[\w.]+")): check for name, check in _CHECKS.items()
}


def check_hydra(name: str, value: Any, settings: KnownSettings) -> None:
    """Refuse a setting of Hydra's that is not among those that are harmless.

    Args:
        name: dotted, from `hydra.` on.
        value: as it was given, interpolations unresolved.
        settings: of the command.

    Raises:
        SettingError: another setting, or another value than it may have.
    """
    if name.startswith(f"{_RANGES}."):  # of a setting of the command
        from gen.cli.arguments import check_overrides

        check_texts(value, name)
        check_overrides([f"{name.removeprefix(f'{_RANGES}.')}={value}"], settings)
        return
    check = next((c for pattern, c in _COMPILED.items() if pattern.fullmatch(name)), None)
    if check is None:
        near = difflib.get_close_matches(name, _CHECKS, n=1, cutoff=0.8)
        raise SettingError(
            "could run code or reach what is no setting of this project", where=name,
            mend=(f"did you mean {near[0]!r}? " if near else "")
            + "of Hydra's own settings those pass that docs/settings.md names",
        )  # fmt: skip
    check_texts(value, name)
    if not check(value):
        raise SettingError(f"{value!r:.100} is no value that it may have", where=name)


def leaves(values: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted name and value of each setting in nested ones; an empty group is a leaf, too.

    Raises:
        SettingError: a list holds further groups of settings, which none of ours does.
    """
    if isinstance(values, Mapping) and values:
        for key, value in values.items():
            yield from leaves(value, f"{prefix}.{key}".lstrip("."))
        return
    if any(isinstance(value, Mapping) for value in _in_lists(values)) and values:
        raise SettingError("is a list of settings", where=prefix, mend="list plain values")
    yield prefix, values


def check_texts(value: Any, where: str) -> None:
    """`check_text` of a value, or of each in a list.

    Raises:
        SettingError: one asks for what is no setting.
    """
    for one in _in_lists(value):
        if isinstance(one, str):
            check_text(one, where)


def _in_lists(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _in_lists(one)
    else:
        yield value


def private_folders(directory: str | None, search_path: Any) -> list[Path]:
    """A person's own folders of configuration files, which hold values only.

    A link among them would have another file's text, whatever it is, read and quoted in messages.

    Raises:
        SettingError: one is no folder, or a file of configuration in it is a link.
    """
    given = [*([directory] if directory else []), *(search_path or [])]
    folders = [Path(str(one).removeprefix("file://")) for one in given]
    for folder in folders:
        if not folder.is_dir():
            mend = "name a folder with configuration files of your own"
            raise SettingError("is no folder", where=str(folder), mend=mend)
        _check_no_links(folder)
    return folders


def _check_no_links(folder: Path) -> None:
    for path in (*folder.glob("*.yaml"), *folder.glob("*/*.yaml"), *folder.glob("hydra/*/*.yaml")):
        beside = (path, *(parent for parent in path.parents if folder in parent.parents))
        link = next((each for each in beside if each.is_symlink()), None)
        if link is not None:
            raise SettingError(
                "is a link to something else", where=str(link), mend="put the file itself there"
            )

"""A checkpoint for use: one safetensors file with weights, config, tokenizer and manifest.

Only plain tensors and JSON are read: opening a stranger's checkpoint runs no code. Resuming a
run uses Lightning's own file beside it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch.overrides import TorchFunctionMode

from gen.data.habits import Habits
from gen.disk import write_atomically
from gen.disk.weights import read_weights
from gen.errors import HouseError
from gen.model import ModelConfig, Transformer, renamed
from gen.plugins import Installed, check_call, find_again
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.manifests.model_file import ABOUT, ModelFile, parse_model_file
from gen.provenance.records.plugin_record import Kind, Plugin
from gen.provenance.signing.canonical import StrictJsonError
from gen.settings import build, with_new_names
from gen.tokens.choice import TokenizerPlugin
from gen.tokens.tokenization import HOUSE_EVENTS, Tokenization, tokenization_of

FORMAT = "gen checkpoint 1"
SUFFIX = ".safetensors"
MakeModel = Callable[[ModelConfig], Transformer]
_MOST_IN_TABLES = 1 << 28
"""Numbers that a model computes for itself, such as turns by position: a gigabyte of them."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A trained model and where it comes from.

    Attributes:
        model: in evaluation mode.
        run: how it was trained: settings, steps, numbers reached, code version.
        file: its digests, and the manifest of the works it learned from.
        tokenization: that it reads and writes.
    """

    model: Transformer
    run: dict[str, Any]
    file: ModelFile
    tokenization: Tokenization = HOUSE_EVENTS

    @property
    def manifest(self) -> Manifest:
        """The works it learned from."""
        return self.file.manifest

    @property
    def digest(self) -> str:
        """SHA-256 of the file, hex."""
        return self.file.file_sha256

    @property
    def habits(self) -> Habits:
        """What all the works do that it learned from."""
        return Habits.from_run(self.run)


def save_checkpoint(
    path: Path,
    model: Transformer,
    manifest: Manifest,
    run: dict[str, Any],
    *,
    dtype: torch.dtype = torch.float32,
    tokenization: Tokenization = HOUSE_EVENTS,
) -> ModelFile:
    """Write the whole file or nothing.

    Args:
        path: ends in `.safetensors`.
        model: its weights and shape are kept.
        manifest: of the corpus it learned from.
        run: anything JSON can hold.
        dtype: of the stored weights; `torch.float16` halves the file.
        tokenization: that it reads and writes.

    Returns:
        What was written, with its digests: whatever lies there later may be another's.
    """
    tensors = {
        name: tensor.detach().to("cpu", dtype).contiguous()
        for name, tensor in model.state_dict().items()
    }
    about = {
        "format": FORMAT,
        "model": dataclasses.asdict(model.config),
        "tokenizer": tokenization.fingerprint,
        "manifest": manifest.to_json(),
        "run": run,
    }
    if (kept := tokenization.to_dict()) is not None:
        about["tokenization"] = kept
    # One text, since safetensors writes several in any order: the same model, the same bytes.
    data = save_tensors(tensors, {ABOUT: json.dumps(about, sort_keys=True)})
    write_atomically(path, data)
    return parse_model_file(data)


def tokenizer_of(manifest: Manifest) -> TokenizerPlugin | None:
    """The tokenizer of one's own that a model was trained with; None for this project's.

    Raises:
        HouseError: it is not installed here as it was then.
    """
    plugin = _plugin(manifest, "tokenizer")
    return TokenizerPlugin(find_again(plugin).load(), plugin.sha256) if plugin else None


def model_of(manifest: Manifest, run: Mapping[str, Any]) -> MakeModel:
    """What makes a model of its shape: this project's `Transformer`, or the plug-in's.

    Args:
        manifest: names the plug-in.
        run: how it was trained; the plug-in's options are among its settings.

    Raises:
        HouseError: the plug-in is not installed here as it was then.
    """
    plugin = _plugin(manifest, "model")
    if plugin is None:
        return Transformer
    options: Any = run
    for name in ("settings", "plugins", "options", plugin.name):
        options = options.get(name, {}) if isinstance(options, Mapping) else None
    if not isinstance(options, Mapping):
        raise HouseError(f"its settings give no options of {plugin}")
    return maker(find_again(plugin), options)


def maker(found: Installed, options: Mapping[str, Any]) -> MakeModel:
    """Import a plug-in that makes models.

    Raises:
        HouseError: it cannot be imported, or is no kind of `Transformer`.
    """
    kind = found.load()
    if not (isinstance(kind, type) and issubclass(kind, Transformer)):
        raise HouseError(
            f"{found.plugin} is no class that derives from gen.model.Transformer",
            where="plugins.model",
        )
    check_call(found.plugin, kind, None, **options)
    return partial(kind, **options)


def _plugin(manifest: Manifest, kind: Kind) -> Plugin | None:
    return next((plugin for plugin in manifest.plugins if plugin.kind == kind), None)


def config_of(about: Mapping[str, Any]) -> dict[str, Any]:
    """What `config.json` beside a model's weights says: its shape, its tokens, how it was made."""
    run = about["run"]
    made = {name: run[name] for name in ("code_version", "torch", "steps") if name in run}
    return {
        "format": about["format"],
        "model": about["model"],
        "tokenizer": about["tokenizer"],
        **made,
    }


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint and check that it belongs together.

    Code is run of the plug-ins alone that its manifest names for its network or its tokens, and
    only where the very same is installed here.

    Raises:
        HouseError: no such file, not a checkpoint of this house's format, made for another
            tokenizer, the manifest is for another tokenizer than the weights, or such a plug-in
            is not installed here.
    """
    data = read_weights(path)
    try:
        weights = renamed(load_tensors(data))
        tensors = {name: tensor.float() for name, tensor in weights.items()}
        file = parse_model_file(data)
        about, manifest = _of_this_format(file.about), file.manifest
        config = build(ModelConfig, with_new_names(ModelConfig, about["model"]), where="model")
        tokenizer, run = about["tokenizer"], dict(about["run"])
        kept = about.get("tokenization")
    except (
        SafetensorError, StrictJsonError, ValueError, KeyError, TypeError, AttributeError,
        RecursionError,
    ) as error:  # fmt: skip
        raise _broken(path, "is not a checkpoint of this format") from error
    tokenization = _tokenization(path, kept, tokenizer_of(manifest))
    sizes = (tokenization.field_sizes, tokenization.context_sizes)
    fits = (config.field_sizes, config.context_sizes) == sizes
    if not fits or not tokenizer == manifest.tokenizer_fingerprint == tokenization.fingerprint:
        raise HouseError(
            "was trained with another tokenizer than this version of the code has",
            where=str(path),
            mend="use the code version it names, or train anew",
        )
    make = model_of(manifest, run)
    _check_shapes(path, config, tensors, make)
    model = make(config)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise _broken(path, "its weights do not fit the shape it names") from error
    return Checkpoint(model.eval(), run, file, tokenization)


def _tokenization(path: Path, kept: Any, plugin: TokenizerPlugin | None) -> Tokenization:
    try:
        return tokenization_of(kept, plugin)
    except HouseError as error:
        raise HouseError(f"its tokenizer {error.what}", where=str(path), mend=error.mend) from error


def _check_shapes(
    path: Path, config: ModelConfig, tensors: dict[str, torch.Tensor], make: MakeModel
) -> None:
    """Whether the tensors are those of the shape, before memory is taken for it."""
    what = "its weights do not fit the shape it names"
    if config.n_layer > len(tensors):
        raise _broken(path, what)
    try:
        with torch.device("meta"), _Unfilled():
            model = make(config)
    except (RuntimeError, OverflowError) as error:
        raise _broken(path, what) from error
    wanted = {name: tensor.shape for name, tensor in model.state_dict().items()}
    tables = sum(buffer.numel() for buffer in model.buffers())
    found = {name: tensor.shape for name, tensor in tensors.items()}
    if wanted != found or tables > _MOST_IN_TABLES:
        raise _broken(path, what)


class _Unfilled(TorchFunctionMode):
    """Leaves out filling new parameters: it takes no memory there, and loads torch's compiler."""

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if getattr(function, "__module__", None) == torch.nn.init.__name__:
            return (kwargs or {}).get("tensor", args[0] if args else None)
        return function(*args, **(kwargs or {}))


def _of_this_format(about: dict[str, Any]) -> dict[str, Any]:
    if about.get("format") != FORMAT:
        raise ValueError("another format")
    return about


def _broken(path: Path, what: str) -> HouseError:
    return HouseError(what, where=str(path), mend="name a file that scripts/train.py wrote")

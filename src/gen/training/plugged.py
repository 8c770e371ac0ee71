"""The plug-ins of one run: found before the gate is asked, imported after it has answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from lightning import Callback
from torch.optim import Optimizer

from gen.checkpoint import MakeModel, maker
from gen.errors import HouseError
from gen.model import Transformer
from gen.plugins import check_call, find, find_again, setting_of
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.records.plugin_record import Kind, Plugin, order
from gen.tokens.choice import TokenizerPlugin
from gen.training.learner import MakeOptimizer
from gen.training.optimising.muon import MuonAdamW
from gen.training.settings.plugin_settings import PluginConfig


class Plugged:
    """What a run calls besides this project's own code.

    Args:
        config: names it.

    Raises:
        HouseError: one is not installed here.
    """

    def __init__(self, config: PluginConfig) -> None:
        self.config = config
        self.found = {(kind, name): find(kind, name) for kind, name in config.named}

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """As the run's manifest names them."""
        return tuple(each.plugin for each in self.found.values())

    def make_model(self) -> MakeModel:
        """What makes the network of a shape."""
        name = self.config.model
        if name is None:
            return Transformer
        return maker(self.found["model", name], self.config.options_of(name))

    def make_optimizer(self) -> MakeOptimizer:
        """What makes the optimiser of groups of parameters."""
        name = self.config.optimizer
        if name is None:
            return MuonAdamW
        make = self._maker("optimizer", name, [])
        return lambda groups: _checked("optimizer", name, make(groups), Optimizer)

    def callbacks(self) -> list[Callback]:
        """New ones, in the order in which they are called."""
        return [
            _checked("callback", name, self._maker("callback", name)(), Callback)
            for name in self.config.callbacks
        ]  # fmt: skip

    def tokenizer(self) -> TokenizerPlugin | None:
        """What writes the works as rows."""
        name = self.config.tokenizer
        if name is None:
            return None
        sha256 = self.found["tokenizer", name].plugin.sha256
        return TokenizerPlugin(self._load("tokenizer", name), sha256)

    def _maker(self, kind: Kind, name: str, *given: object) -> Callable[..., Any]:
        """What the plug-in names, with its options; `given` is what it will be called with."""
        made, options = self._load(kind, name), self.config.options_of(name)
        check_call(self.found[kind, name].plugin, made, *given, **options)
        return partial(made, **options)

    def _load(self, kind: Kind, name: str) -> Any:
        return self.found[kind, name].load()


NO_PLUGINS = Plugged(PluginConfig())


def names_of(callbacks: Sequence[Callback]) -> list[str]:
    """The kinds of callbacks that a program handed over, as a manifest names them."""
    return [f"{type(each).__module__}.{type(each).__qualname__}" for each in callbacks]


def plugged_again(manifest: Manifest, config: PluginConfig) -> Plugged:
    """What a run called besides, to replay it.

    Raises:
        HouseError: a plug-in is not installed as it was then, the run's settings name others than
            its manifest, or callbacks were handed over.
    """
    if manifest.callbacks_given:
        raise HouseError(
            f"a program handed callbacks to the run ({', '.join(manifest.callbacks_given)}), which "
            "no record holds: it cannot be replayed",
            mend="train anew with callbacks of an installed package: docs/plugins.md",
        )
    for plugin in manifest.plugins:
        find_again(plugin)
    plugged = Plugged(config)
    if tuple(sorted(plugged.plugins, key=order)) != manifest.plugins:
        raise HouseError("the run's settings name other plug-ins than its manifest")
    return plugged


def _checked(kind: Kind, name: str, made: Any, wanted: type) -> Any:
    if not isinstance(made, wanted):
        raise HouseError(
            f"{name} made {type(made).__name__}, and not a {wanted.__name__}",
            where=setting_of(kind),
        )
    return made

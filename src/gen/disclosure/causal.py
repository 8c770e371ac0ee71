"""What a composer's works cause in a model: small models, trained with them and without.

For each seed one model learns from all training works, and one for each composer from all but
those that this composer had a part in. All are judged on the same held-out works. The effect of a
composer is how many bits a note more held-out works cost without them, seed by seed (the same
seed begins with the same weights), with an interval over seeds: what chance does to training is in
it. A model that learns from fewer works sees each more often, so an effect is of these works and of
having fewer. Models of so few steps speak for models of so few steps.

Nothing is kept of these models, and nothing is entered. The gate is asked as for any run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import torch

from gen.data.module import HouseData
from gen.errors import HouseError, SettingError
from gen.evaluation.measures.interval import LEAST_GROUPS, Figure, detectable, mean, verdict
from gen.provenance.history.register import Register
from gen.provenance.records.pin import Pin
from gen.training.callbacks import SeedEachStep
from gen.training.gauges import bits_per_note
from gen.training.prepared import make_learner
from gen.training.run import fit
from gen.training.settings.plugin_settings import is_used
from gen.training.settings.run_settings import TrainingSettings, read_settings
from gen.training.trainer import quieten, silent_trainer

FORMAT: Final = "gen causal 1"
HELD_OUT: Final = ("validation", "test")
_OWN: Final = {
    "accelerator": "auto", "devices": 1, "num_nodes": 1, "strategy": "auto", "compile": False,
    "arithmetic": "fast", "max_time": None, "patience": None, "profiler": None,
    "accumulate_grad_batches": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Effect:
    """What leaving a composer out did.

    Attributes:
        composer: id.
        left_out: training works that this composer had a part in.
        others: bits a note more on held-out works of others; None where there are none.
        own: the same on held-out works of this composer.
    """

    composer: str
    left_out: int
    others: Figure | None
    own: Figure | None

    @property
    def words(self) -> str:
        """What can be said of the held-out works of others, in a sentence."""
        if self.others is None:
            return "no held-out work of anybody else"
        value, low, high = (self.others[name] for name in ("value", "low", "high"))
        found = verdict(self.others)
        if found == "none":
            least = detectable(self.others)
            return f"no effect seen ({value:+.3f}); one of {least:.3f} would have been, mostly"
        side = "cost more" if found == "higher" else "cost less"
        return f"held-out works of others {side} without: {value:+.3f} ({low:+.3f} to {high:+.3f})"


def causal(
    pin: Pin, register: Register, recipe: Mapping[str, Any], *,
    composers: Sequence[str] = (), steps: int = 300, seeds: int = LEAST_GROUPS,
) -> tuple[list[Effect], dict[str, Any]]:  # fmt: skip
    """Train with and without each composer's works.

    Args:
        pin: of the house.
        register: of it.
        recipe: settings of a run, as its begin act has them.
        composers: ids; all with training works where none is named.
        steps: of each model.
        seeds: models of each kind, from seed 1 on.

    Returns:
        The effects, by composer; and bits a note of every model, for doing it again.

    Raises:
        HouseError: too few seeds for an interval, nothing held out, or a composer without works
            to leave out, or with all of them.
    """
    if seeds < LEAST_GROUPS:
        raise SettingError(
            f"{seeds} seeds tell nothing of chance", where="--seeds",
            mend=f"at least {LEAST_GROUPS}",
        )  # fmt: skip
    quieten()
    settings = _settings(recipe, pin, steps)
    data = HouseData(pin.dir, pin, settings(1).run.purpose, settings(1).data)
    data.setup()
    bench = _Bench.of(data, register)
    chosen = list(composers) or sorted(bench.authors())
    for who in chosen:
        bench.check(who)
    bits = {
        leave: [bench.model(settings(seed), leave, chosen) for seed in range(1, seeds + 1)]
        for leave in ("", *chosen)
    }
    effects = [bench.effect(who, bits) for who in chosen]
    return effects, {
        "bits_per_note": bits, "format": FORMAT, "held_out": bench.held, "seeds": seeds,
        "steps": steps, "works": len(data.sides["train"]),
    }  # fmt: skip


def _settings(recipe: Mapping[str, Any], pin: Pin, steps: int) -> Callable[[int], TrainingSettings]:
    """The settings of a run with this seed, of so many steps, on one device."""
    trainer = {**recipe["trainer"], **_OWN, "max_steps": steps, "val_check_interval": steps}
    own = {"pin": str(pin.path), "name": "causal", "ckpt": None, "logger": {"name": "none"}}
    if recipe.get("init") not in (None, "none", ""):
        raise HouseError(
            "the run began with another model, whose works cannot be left out",
            mend="name a model that began from nothing",
        )
    if is_used(recipe.get("plugins")):
        raise HouseError(
            "the run used parts of other packages, which are not called here",
            mend="name a model that was made without",
        )
    return lambda seed: read_settings({**recipe, **own, "trainer": trainer, "seed": seed})


@dataclass(frozen=True, slots=True)
class _Bench:
    """The works of a house, split once, and who had a part in each.

    Attributes:
        data: of the house.
        composers: of each work, by place.
        train: places of the training works.
        held: how many works are held out.
    """

    data: HouseData
    composers: tuple[frozenset[str], ...]
    train: tuple[int, ...]
    held: int

    @classmethod
    def of(cls, data: HouseData, register: Register) -> _Bench:
        people = tuple(
            frozenset(who for who, _ in register.works[work].entry.composers)
            for work in data.admitted.ids
        )
        held = sum(len(data.sides[side]) for side in HELD_OUT)
        if not held:
            raise HouseError("no work is held out", mend="see the split in conf/data")
        return cls(data, people, tuple(data.sides["train"]), held)

    def authors(self) -> set[str]:
        """Composers of training works."""
        return {who for place in self.train for who in self.composers[place]}

    def check(self, who: str) -> None:
        """Whether leaving a composer out leaves something out, and something to learn from.

        Raises:
            SettingError: not so.
        """
        if not 0 < len(self._of(who, self.train)) < len(self.train):
            raise SettingError(
                f"{who} has a part in none or all of the {len(self.train)} training works",
                mend=f"composers of some are: {', '.join(sorted(self.authors()))}",
            )

    def _of(self, who: str, places: Iterable[int]) -> list[int]:
        return [place for place in places if who in self.composers[place]]

    def model(
        self, settings: TrainingSettings, leave: str, chosen: Sequence[str]
    ) -> dict[str, float]:
        """Bits a note of one model on held-out works: of each composer's, and of all others'."""
        self.data.config = replace(self.data.config, seed=settings.run.seed)
        self.data.batches_done = 0
        self.data.sides["train"] = [p for p in self.train if leave not in self.composers[p]]
        learner = make_learner(settings, self.data.tokenization)
        trainer = silent_trainer(settings.trainer, [SeedEachStep(settings.run.seed)])
        fit(trainer, learner, self.data)
        self.data.sides["train"] = list(self.train)
        if trainer.interrupted:
            raise HouseError("interrupted: of models that were not trained nothing can be said")
        judged = [leave] if leave else chosen
        return {
            f"{kind} {who}": bits
            for who in judged
            for kind, places in self._held_out(who).items()
            if (bits := self._bits(learner, places)) is not None
        }

    def _held_out(self, who: str) -> dict[str, list[int]]:
        held = [place for side in HELD_OUT for place in self.data.sides[side]]
        own = self._of(who, held)
        return {"own": own, "others": [place for place in held if place not in own]}

    @torch.inference_mode()
    def _bits(self, learner: Any, places: Sequence[int]) -> float | None:
        if not places:
            return None
        kept = self.data.sides["validation"]
        self.data.sides["validation"] = list(places)
        try:
            return bits_per_note(learner.eval(), self.data.covering_batches("validation"))
        finally:
            self.data.sides["validation"] = kept

    def effect(self, who: str, bits: Mapping[str, Sequence[Mapping[str, float]]]) -> Effect:
        """Without less with, seed by seed."""

        def change(kind: str) -> Figure | None:
            name = f"{kind} {who}"
            pairs = list(zip(bits[who], bits[""], strict=True))
            if any(name not in without for without, _ in pairs):
                return None
            return mean([without[name] - with_[name] for without, with_ in pairs])

        return Effect(who, len(self._of(who, self.train)), change("others"), change("own"))


def to_plain(effects: Iterable[Effect]) -> list[dict[str, Any]]:
    """Effects as JSON has them."""
    return [{**asdict(effect), "words": effect.words} for effect in effects]

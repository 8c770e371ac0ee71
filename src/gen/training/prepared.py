"""A run before it begins: settings judged, the gate asked, the model as it is before any step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gen.data.admission import said_of_used_up
from gen.data.module import HouseData
from gen.data.splits import Split, shingles
from gen.errors import counted
from gen.likeness.relatives import related_groups
from gen.provenance.manifests.manifest import check_length
from gen.provenance.records.pin import load_pin
from gen.provenance.witnesses.standing import requiring_witnesses
from gen.tokens.tokenization import Tokenization
from gen.tokens.vocabulary import Kind
from gen.training.evidence.portable import check_portable
from gen.training.learner import Learner
from gen.training.machine import check_devices, compiles, keep_compiled_code_to_oneself
from gen.training.messages import say
from gen.training.optimising.lora import add_low_rank
from gen.training.plugged import NO_PLUGINS, Plugged
from gen.training.settings.run_settings import TrainingSettings, read_settings
from gen.training.sharded import ShardedLearner
from gen.training.start import Start, open_start, with_tokens_of
from gen.training.trainer import quieten

FEWEST_FOR_INTERVAL = 5
"""Groups of related works; evaluation gives fewer no interval either."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A run before it begins: its works are admitted.

    Attributes:
        settings: as its recipe has them.
        chosen: the same, checked.
        start: the model that it begins with; None for what its seed gives.
        plugged: what it calls besides this project's code.
        data: what it learns from.
    """

    settings: Mapping[str, Any]
    chosen: TrainingSettings
    start: Start | None
    plugged: Plugged
    data: HouseData

    def learner(self, chosen: TrainingSettings) -> Learner:
        """The model before its first step."""
        weights = self.start.weights if self.start else None
        return make_learner(chosen, self.data.tokenization, weights, self.plugged)


def prepared(settings: Mapping[str, Any], given: Sequence[str] = ()) -> Ready:
    """Judge settings, open the model that is begun with, and ask the gate.

    Args:
        settings: as for `train`.
        given: kinds of the callbacks that are handed over.

    Raises:
        HouseError: as `train`.
    """
    quieten()
    chosen = read_settings(settings)
    check_devices(chosen.trainer)
    if chosen.trainer.is_portable:
        check_portable()
    start = open_start(chosen.run)
    if start:
        say(start.words)
        settings = start.settings(settings)
        chosen = read_settings(settings)
    plugged = Plugged(chosen.plugins)
    if start:
        start.check_plugins(plugged.plugins)
    data = _admitted(chosen, start, plugged, given)
    return Ready(settings, chosen, start, plugged, data)


def _admitted(
    chosen: TrainingSettings, start: Start | None, plugged: Plugged, given: Sequence[str]
) -> HouseData:
    """The works that the gate admits for this run."""
    run, pin = chosen.run, load_pin(Path(chosen.run.pin))
    if run.witnessed:
        pin = requiring_witnesses(pin)
    data = HouseData(
        pin.dir, pin, run.purpose, with_tokens_of(chosen.data, start), on_refusal=run.on_refusal,
        base=start.base_of if start else None,
        tokenization=start.checkpoint.tokenization if start else None,
        plugins=plugged.plugins, callbacks_given=given, own_tokenizer=plugged.tokenizer,
    )  # fmt: skip
    data.setup()
    manifest = data.manifest
    check_length(manifest)
    for words in manifest.foreign_code:
        say(f"calls code that is not this project's: {words}")
    left_out = said_of_used_up(data.admitted.corpus)
    say(f"admitted {len(manifest.works)} works of {manifest.house}; {_sides(data)}{left_out}")
    if start:
        _say_what_is_known(data, start)
    if chosen.data.corpus.least:
        say(words_for_few(data, chosen))
    return data


def _say_what_is_known(data: HouseData, start: Start) -> None:
    """What the model that is begun with has learned of the works."""
    base = data.manifest.base
    known = [side for side in base.sides.values() if side == "train"] if base else []
    say(f"{len(known)} of these works, or relatives of them, it has learned already"
        + ("" if start.run else "; what it learned besides, nobody knows"))  # fmt: skip
    if flatter := known_by_base(data):
        say(
            f"all {flatter} works that choose the best checkpoint are among them, since there are "
            "no others: bits per note of them flatter, and none is kept for test"
        )


def known_by_base(data: HouseData) -> int:
    """Of the works that choose the best checkpoint those that its base has learned."""
    base, ids = data.manifest.base, data.admitted.ids
    sides = base.sides if base else {}
    return sum(sides.get(ids[index]) == "train" for index in data.sides["validation"])


def make_learner(
    chosen: TrainingSettings,
    tokenization: Tokenization,
    weights: Mapping[str, Tensor] | None = None,
    plugged: Plugged = NO_PLUGINS,
) -> Learner:
    """A model as it is before its first step: it follows from the seed, or has these weights."""
    model = replace(
        chosen.model,
        field_sizes=tokenization.field_sizes,
        context_sizes=tokenization.context_sizes,
    )
    torch.manual_seed(chosen.run.seed)
    compiled = compiles(chosen.trainer)
    if compiled:
        keep_compiled_code_to_oneself()
    kind = ShardedLearner if chosen.trainer.strategy == "fsdp" else Learner
    learner = kind(
        model, chosen.optimizer, compiled=compiled, tokenization=tokenization,
        make_model=plugged.make_model(), make_optimizer=plugged.make_optimizer(),
        average=chosen.average,
    )  # fmt: skip
    if weights is not None:
        learner.model.load_state_dict(weights)
    if chosen.run.lora.rank:
        add_low_rank(learner.model, chosen.run.lora.rank, chosen.run.lora.alpha)
    return learner


def _sides(data: HouseData) -> str:
    return ", ".join(f"{len(works)} for {side}" for side, works in data.sides.items())


def words_for_few(data: HouseData, chosen: TrainingSettings) -> str:
    """What a house of few works is told: how much it can learn from them, and what figures say."""
    works, held = data.side("train"), data.side("validation")
    events, notes = sum(works.lengths), _notes(data, "train")
    shown = chosen.trainer.max_steps * chosen.data.batch_size * chosen.data.training_window
    times = f"some {shown / max(events, 1):.0f} times" if shown > 0 else "as often as time lets it"
    groups = len(related_groups([shingles(each) for each in held.all_events()]))
    interval = "no interval" if groups < FEWEST_FOR_INTERVAL else "an interval"
    begin = "" if chosen.run.init else (
        ". It begins from nothing: what is the same in most music has to be learned from these, "
        "too; init=CHECKPOINT brings that along"
    )  # fmt: skip
    return (
        f"{len(works)} works with {notes:,} notes to learn from, to which this run comes {times}. "
        "What they share can be learned: instruments, ranges, meters, tempi, common chords and "
        "figures. What only one of them has is learned by heart, if at all; sample.py holds each "
        f"piece against them and withholds copies. Held out: {counted(len(held), 'work')} in "
        f"{counted(groups, 'group')}, whose figure has {interval} and speaks for music like "
        f"theirs alone{begin}"
    )


def _notes(data: HouseData, side: Split) -> int:
    return int(sum(events.is_a(Kind.NOTE).sum() for events in data.side(side).all_events()))

"""The LightningDataModule: its only source of bytes is the gate."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from lightning import LightningDataModule
from msgspec import structs
from torch.utils.data import DataLoader, Dataset

from gen.data.admission import Admitted, FindBase, take_in
from gen.data.batches import (
    DIGEST,
    Batch,
    CoveringBatches,
    DataConfig,
    TrainingBatches,
    Works,
    loader,
)
from gen.data.splits import Split
from gen.data.store import EventStore, RowStore
from gen.errors import HouseError, SettingError
from gen.provenance.admission.corpus import Corpus
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.records.pin import Pin
from gen.provenance.records.plugin_record import Plugin, order
from gen.tokens.choice import TokenizerPlugin
from gen.tokens.tokenization import Tokenization, house_events
from gen.tokens.tokenizer import HouseTokenizer

if TYPE_CHECKING:
    from gen.tokens.miditok_tokens import MidiTokTokens

HANDFUL = 8
"""Training works that show how much is learned by heart."""


class HouseData(LightningDataModule):
    """Admitted works of one house, for one purpose, as batches.

    Args:
        house: folder of the house's works, roster and register.
        pin: what is trusted about it.
        purpose: consent scope this run needs, such as `general_model`.
        config: how works become batches.
        on_refusal: `stop` (the default) or `record`: train on what was admitted and write
            the refusals into the manifest.
        again: of a run that is replayed, see `gen.data.admission.take_in`.
        base: says what the model that is begun with has learned of the works.
        tokenization: of that model; None for what `config` says.
        plugins: foreign code that the run calls, as its manifest names it.
        callbacks_given: kinds of the callbacks that were handed to it.
        own_tokenizer: imports the plug-in that writes the works as rows, once the gate has admitted
            them; None where `config` names none.

    Attributes:
        works: the admitted works as the house's events, with what they echo.
        rows: the same works as the run learns them: `works` itself, or MidiTok's tokens of them.
        sides: places in both, by side of the split.
        styles: numbers of the composers whose style is learned by name.
        tokenization: of `rows`.
        batch_digest: of the training batch that was handed on last.
    """

    def __init__(
        self,
        house: Path,
        pin: Pin,
        purpose: str,
        config: DataConfig,
        *,
        on_refusal: str = "stop",
        again: Manifest | None = None,
        base: FindBase | None = None,
        tokenization: Tokenization | None = None,
        plugins: Sequence[Plugin] = (),
        callbacks_given: Sequence[str] = (),
        own_tokenizer: Callable[[], TokenizerPlugin | None] = lambda: None,
    ) -> None:
        super().__init__()
        self.house, self.pin, self.purpose = house, pin, purpose
        self.config, self.on_refusal, self.again = config, on_refusal, again
        self.base, self._given = base, tokenization
        self.plugins = tuple(sorted(plugins, key=order))
        self.callbacks_given, self.own_tokenizer = tuple(callbacks_given), own_tokenizer
        if again and (known := again.base):
            self.base = lambda *_: known
        self.tokenizer = HouseTokenizer(timing=config.tokenizer.timing)
        self.tokenization: Tokenization = house_events(config.tokenizer)
        self.works = EventStore()
        self.rows: RowStore[Any] = self.works
        self.sides: dict[Split, list[int]] = {}
        self.corpus: Corpus | None = None
        self.styles: dict[str, int] = {}
        self._admitted: Admitted | None = None
        self.batches_done = 0
        self.batch_digest = b""

    def setup(self, stage: str | None = None) -> None:
        """Admit, tokenise and split, once.

        Raises:
            HouseError: a file was refused (all are listed), nothing is left to train on, or
                the processes of this run have not admitted the same corpus.
        """
        if self._admitted is None:
            found = take_in(
                self.house, self.pin, self.purpose, self.config.split, self.tokenizer,
                styles=self.config.styles, on_refusal=self.on_refusal, again=self.again,
                chosen=self.config.corpus, for_new_model=self.again is None, base=self.base,
            )  # fmt: skip
            self.corpus, self.works = found.corpus, found.works
            self.sides, self.styles, self._admitted = found.sides, found.styles, found
            self.rows = found.works
            if not self.config.tokenizer.is_house:
                self._write_as_tokens(found)
        if self.trainer and self.trainer.world_size > 1:
            self._check_agreement()

    def _write_as_tokens(self, found: Admitted) -> None:
        """Learn from one of MidiTok's tokenizations, joined as the training works suggest."""
        from gen.data.token_works import token_store

        rows = token_store(
            found.works, found.ids, self.config.tokenizer, self.sides["train"],
            cast("MidiTokTokens | None", self._given), self.own_tokenizer(),
        )  # fmt: skip
        self.rows, self.tokenization = rows, rows.tokens
        self._admitted = replace(found, tokenizer=rows.tokens.fingerprint)

    def _check_agreement(self) -> None:
        """Every process reads the house itself, perhaps on another machine: compare."""
        strategy = self.trainer.strategy  # type: ignore[union-attr]
        mine = self.corpus_digest, self._plugin_names()
        differs = strategy.broadcast(mine) != mine
        differing = strategy.reduce(
            torch.tensor(float(differs), device=strategy.root_device), reduce_op="sum"
        )
        if differing:  # the same number in each process: they all stop, and none waits for another
            raise HouseError(
                f"{int(differing)} of {self.trainer.world_size} processes admitted another corpus "  # type: ignore[union-attr]
                "than the first one, or call other plug-ins",
                where=str(self.house),
                mend="give every machine the same works, register, pin and date, then start anew",
            )

    @property
    def admitted(self) -> Admitted:
        """The works; only after `setup`."""
        if self._admitted is None:
            raise HouseError("the corpus has not been admitted yet", mend="call setup() first")
        return self._admitted

    @property
    def manifest(self) -> Manifest:
        """What this run learns from; only after `setup`."""
        return structs.replace(
            self.admitted.manifest, plugins=self.plugins, callbacks_given=self.callbacks_given
        )

    @property
    def corpus_digest(self) -> str:
        """What a resumed run must find again."""
        return self.admitted.digest

    def side(self, side: Split) -> EventStore:
        """The works of one side of the split, as the house's events."""
        return self.works.chosen(self.sides[side])

    def measured(self, side: Split) -> Works:
        """The works of one side as they are measured: bare, in the run's own tokenization."""
        return self._bare(self.rows.chosen(self.sides[side]))

    def _bare(self, works: Works) -> Works:
        """Works without annotations, as they are measured.

        The house's events are made bare window by window; byte-pair encoding takes long, so works
        that have it are made bare once, here.
        """
        return works if self.tokenization.is_house else [work.bare() for work in works]

    def train_dataloader(self) -> DataLoader[Batch]:
        ranks = self.trainer.world_size if self.trainer else 1
        rank = self.trainer.global_rank if self.trainer else 0
        ids = [self.admitted.ids[index] for index in self.sides["train"]]
        data = TrainingBatches(
            self.rows.chosen(self.sides["train"]), self.config,
            start=self.batches_done, rank=rank, ranks=ranks, ids=ids,
        )  # fmt: skip
        return self._loader(data)

    def on_before_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Keep a training batch's digest here: no device needs it."""
        if DIGEST in batch:
            self.batch_digest = batch[DIGEST].numpy().tobytes()
        return {name: tensor for name, tensor in batch.items() if name != DIGEST}

    def val_dataloader(self) -> DataLoader[Batch]:
        return self.covering_loader("validation")

    def covering_batches(self, side: Split) -> Iterator[Batch]:
        """What `covering_loader` gives, in this process and before there is a trainer."""
        batches = CoveringBatches(self.measured(side), self.config.training_window)
        return (batches[index] for index in range(len(batches)))

    def covering_loader(self, side: Split) -> DataLoader[Batch]:
        """Every event of every work of a side once, from the bare music."""
        ranks = self.trainer.world_size if self.trainer else 1
        rank = self.trainer.global_rank if self.trainer else 0
        batches = CoveringBatches(
            self.measured(side), self.config.training_window, rank=rank, ranks=ranks
        )
        return self._loader(batches)

    def _loader(self, batches: Dataset[Batch]) -> DataLoader[Batch]:
        device = self.trainer.strategy.root_device.type if self.trainer else "cpu"
        return loader(batches, self.config.workers, device)

    def handful(self) -> list[Batch]:
        """At most two batches of `HANDFUL` training works, spread evenly over the register."""
        works = self.rows.chosen(self.sides["train"])
        chosen = sorted({round(i) for i in np.linspace(0, len(works) - 1, HANDFUL)})
        handful = self._bare([works[index] for index in chosen])
        batches = CoveringBatches(handful, self.config.training_window)
        return [batches[index] for index in range(min(2, len(batches)))]

    def state_dict(self) -> dict[str, Any]:
        """Where the stream of batches stands."""
        of_a_step = self.trainer.accumulate_grad_batches if self.trainer else 1
        batches = self.trainer.global_step * of_a_step if self.trainer else 0
        return {
            "batches_done": batches, "corpus": self.corpus_digest, "split": self._split_digest(),
            "base": self._base_digest(), "plugins": self._plugin_names(),
        }  # fmt: skip

    def _plugin_names(self) -> list[str]:
        """The foreign code that the run calls, to the byte."""
        own = [f"{each.kind} {each.name} {each.sha256}" for each in self.plugins]
        return [*own, *self.callbacks_given]

    def _base_digest(self) -> str:
        """Of the weights that the run began with; "" where its seed gave them."""
        return self.admitted.base.tensors_sha256 if self.admitted.base else ""

    def _split_digest(self) -> str:
        """Which works are learned from, of all that were admitted."""
        ids = [self.admitted.ids[index] for index in self.sides["train"]]
        return hashlib.sha256("\n".join(ids).encode()).hexdigest()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where a run over the same corpus, split alike, stood.

        Raises:
            SettingError: the checkpoint learned from another corpus than this run admits, or from
                other works of it: those held out now would be known already.
        """
        if state_dict["corpus"] != self.corpus_digest:
            raise SettingError(
                "the checkpoint to resume from learned from another corpus, or for another purpose",
                where="ckpt",
                mend="train anew without ckpt; works, consent or settings have changed since",
            )
        if state_dict.get("base", "") != self._base_digest():
            raise SettingError(
                "the run to resume began with other weights than these settings name",
                where="init", mend="give the init it had (its manifest names the digest), or none",
            )  # fmt: skip
        if (had := state_dict.get("plugins", [])) != self._plugin_names():
            raise SettingError(
                f"the run to resume called {', '.join(had) or 'no plug-ins'}; these settings call "
                f"{', '.join(self._plugin_names()) or 'none'}",
                where="plugins", mend="name and install those that it had, or start anew",
            )  # fmt: skip
        # Older runs kept nothing of it.
        if state_dict.get("split", self._split_digest()) != self._split_digest():
            raise SettingError(
                "the run to resume learned from works that are held out now, or held out others",
                where="data.split",
                mend="give the shares and the seed it had (they are in its folder), or start anew",
            )
        self.batches_done = int(state_dict["batches_done"])

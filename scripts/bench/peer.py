"""The peer: what a competent user would assemble instead.

A `transformers` Llama from scratch on MidiTok's REMI (one token stream, programs, tempos, time
signatures, sustain pedals), with or without trained byte pair encoding, AdamW and a cosine.

With `network="house"` the same tokens are learned by this house's own trunk, optimiser and
schedule instead: what remains between that and ours is the event language.

It gets every kindness that costs nothing: the grid, durations, velocities and tempos of the
house tokenizer, so that both describe a work equally finely; the same transposition, tempo and
velocity variation, computed beforehand and off its clock; a bare training loop without
`Trainer`'s bookkeeping; the faster of float32 and bfloat16.

B batch, T tokens, V ids.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from miditok import REMI, TokenizerConfig, TokSequence
from numpy.random import Generator
from numpy.typing import NDArray
from symusic import Score
from torch import Tensor, nn

from bench.corpus import BenchWork
from bench.machine import Clock, precision_of
from gen.data.augment import AugmentConfig
from gen.errors import SettingError
from gen.model import ModelConfig
from gen.settings import AUTO
from gen.tokens import vocabulary as v
from gen.tokens.score import score_of
from gen.tokens.tokenizer import SHARED
from gen.training.learner import Learner, OptimizerConfig
from gen.training.settings.learning_rate import ScheduleConfig, rate

Ids = NDArray[np.int64]
CPU = torch.device("cpu")
IGNORED = -100
"""The label that `transformers` does not count."""


@dataclass(frozen=True, slots=True)
class PeerConfig:
    """How the peer is trained.

    Args:
        learning_rate: at its highest.
        batch_size: windows B.
        warmup: share of the run in which the rate rises.
        weight_decay: AdamW's.
        clip: most gradient norm.
        window: tokens T.
        network: `llama`, with AdamW and a cosine, or `house`, with what this house trains with.
    """

    learning_rate: float
    batch_size: int
    warmup: float = 0.05
    weight_decay: float = 0.01
    clip: float = 1.0
    window: int = 1024
    network: str = "llama"


PRESETS = {
    # MidiTok's own example of training with transformers (Example_HuggingFace_Mistral_Transformer),
    # without its gradient accumulation, which would leave some forty steps in eight minutes.
    "documented": PeerConfig(1e-4, 16, warmup=0.3, clip=3.0),
    # What somebody who has trained small models before begins with.
    "usual": PeerConfig(1e-3, 8),
    # This house's network and training on the peer's tokens, as many a step as our events hold.
    "house": PeerConfig(4e-3, 4, network="house"),
}


def remi_config() -> TokenizerConfig:
    """REMI that keeps what the house tokenizer keeps, on the same grids."""
    return TokenizerConfig(
        **SHARED,
        drums_pitch_range=(0, 127),
        beat_res={(0, 2): 12, (2, 4): 6, (4, 8): 2, (8, 16): 1},  # = vocabulary.DURATIONS
        num_velocities=len(v.VELOCITIES),
        log_tempos=True,
    )


class PeerTokenizer:
    """REMI, if wanted with byte pair encoding learned from the training works.

    Args:
        train: the works that byte pair encoding is learned from.
        merged: ids V after learning, None for plain REMI.
    """

    def __init__(self, train: Sequence[BenchWork] = (), merged: int | None = None) -> None:
        self.remi = REMI(remi_config())
        self.base_size = len(self.remi)
        self._base: dict[str, Ids] = {}
        self.merged = merged
        if merged is not None and merged <= self.base_size:
            raise SettingError(
                f"{merged} ids leave nothing to merge", where="--bpe-size",
                mend=f"REMI alone has {self.base_size}; ask for more",
            )  # fmt: skip
        if merged is not None:
            spelled = [
                [self.remi._ids_to_bytes(bar.tolist(), as_one_str=True) for bar in self._bars(ids)]
                for ids in map(self.base_ids, train)
            ]
            self.remi.train(vocab_size=merged, model="BPE", iterator=spelled)
        self.size = len(self.remi)
        names = {token: id_ for token, id_ in self.remi.vocab.items() if isinstance(id_, int)}
        self.vocabulary: dict[str, int] = names
        self.bos, self.eos, self.pad = (names[f"{s}_None"] for s in ("BOS", "EOS", "PAD"))
        self.notes_in = self._notes_in()

    def base_ids(self, work: BenchWork) -> Ids:
        """REMI's ids of a work, before any merging; without BOS and EOS."""
        if work.work_id not in self._base:
            score = score_of(work.piece)
            sequence: Any = self.remi.encode(score, encode_ids=False)
            self._base[work.work_id] = np.array(sequence.ids, dtype=np.int64)
        return self._base[work.work_id]

    def finish(self, base: Ids) -> Ids:
        """Merge, and put BOS and EOS around."""
        ids = base
        if self.merged is not None:
            bars = [TokSequence(ids=bar.tolist()) for bar in self._bars(base)]
            self.remi.encode_token_ids(bars)
            ids = np.concatenate([np.array(bar.ids, dtype=np.int64) for bar in bars])
        return np.concatenate([[self.bos], ids, [self.eos]])

    def ids(self, work: BenchWork) -> Ids:
        return self.finish(self.base_ids(work))

    def decode(self, ids: Ids) -> Score:
        """The music of ids, BOS and EOS left out."""
        inside = ids[~np.isin(ids, [self.bos, self.eos, self.pad])]
        sequence = TokSequence(ids=inside.tolist(), are_ids_encoded=self.merged is not None)
        return self.remi.decode(sequence)

    def _bars(self, base: Ids) -> list[Ids]:
        """The ids of each bar: MidiTok merges inside bars only."""
        starts = np.flatnonzero(base == self.remi["Bar_None"])
        return np.split(base, starts[starts > 0])

    def _notes_in(self) -> Ids:
        """How many notes each id stands for, (V,)."""
        base = np.array(
            [
                t.startswith("Pitch")
                for t in sorted(self.vocabulary, key=self.vocabulary.__getitem__)
            ]
        )
        if self.merged is None:
            return base.astype(np.int64)
        counts = np.zeros(self.size, dtype=np.int64)
        for id_ in range(self.size):
            sequence = TokSequence(ids=[id_], are_ids_encoded=True)
            self.remi.decode_token_ids(sequence)
            counts[id_] = sum(base[i] for i in sequence.ids)
        return counts


# Variation -----------------------------------------------------------------------------


class Variation:
    """Transposes, and moves tempos and velocities, by looking each id up in a table."""

    def __init__(self, vocabulary: dict[str, int], config: AugmentConfig) -> None:
        self.config = config
        ordered = {kind: _ids_of(vocabulary, kind) for kind in ("Pitch", "Tempo", "Velocity")}
        self.pitch, self.tempo, self.velocity = ordered.values()
        self.size = max(vocabulary.values()) + 1

    def variants(self, base: Ids, rng: Generator) -> Iterator[Ids]:
        """The work in each transposition that fits, each with tempo and velocity of its own."""
        used = np.isin(self.pitch, base).nonzero()[0]
        for semitones in range(-self.config.transpose, self.config.transpose + 1):
            if not len(used) or 0 <= used[0] + semitones <= used[-1] + semitones < len(self.pitch):
                yield self.varied(base, semitones, rng)

    def varied(self, base: Ids, semitones: int, rng: Generator) -> Ids:
        table = np.arange(self.size)
        tempo = int(rng.integers(-self.config.tempo, self.config.tempo + 1))
        velocity = int(rng.integers(-self.config.velocity, self.config.velocity + 1))
        moves = ((self.pitch, semitones), (self.tempo, tempo), (self.velocity, velocity))
        for group, shift in moves:
            moved = np.clip(np.arange(len(group)) + shift, 0, len(group) - 1)
            table[group] = group[moved]
        return table[base]


def _ids_of(vocabulary: dict[str, int], kind: str) -> Ids:
    """Ids of the tokens `kind_number`, by number."""
    named = [(float(t.partition("_")[2]), i) for t, i in vocabulary.items()
             if t.partition("_")[0] == kind]  # fmt: skip
    return np.array([i for _, i in sorted(named)], dtype=np.int64)


# Model ---------------------------------------------------------------------------------


def llama(vocabulary: int, *, layers: int, heads: int, width: int, inner: int, context: int) -> Any:
    """A Llama with fresh weights, from its configuration alone."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=width,
            intermediate_size=inner,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=heads,
            max_position_embeddings=context,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
        )
    )


def llama_parameters(vocabulary: int, layers: int, width: int, inner: int) -> int:
    """How many values `llama` trains."""
    block = 4 * width**2 + 3 * width * inner + 2 * width
    return 2 * vocabulary * width + layers * block + width


def llama_of_size(
    parameters: int, vocabulary: int, *, layers: int, heads: int, context: int
) -> Any:
    """The Llama nearest to a number of parameters, its inner layer 8/3 of its width."""
    widths = range(4 * heads, 4096, 2 * heads)
    shapes = [(width, 8 * max(1, round(width / 3))) for width in widths]

    def distance(shape: tuple[int, int]) -> int:
        return abs(llama_parameters(vocabulary, layers, *shape) - parameters)

    width, inner = min(shapes, key=distance)
    return llama(vocabulary, layers=layers, heads=heads, width=width, inner=inner, context=context)


class HouseOnTokens(nn.Module):
    """This house's transformer on one stream of tokens, called as `transformers` models are."""

    def __init__(self, config: ModelConfig, optimizer: OptimizerConfig) -> None:
        super().__init__()
        learner = Learner(config, optimizer)
        self.trunk, self.optimizer = learner.model, learner.configure_optimizers()

    def forward(
        self, input_ids: Tensor, labels: Tensor | None = None, use_cache: bool = False
    ) -> SimpleNamespace:
        """(B, T) ids -> `logits` (B, T, V), and the mean `loss` of the next ones if asked."""
        logits = self.trunk.head(0, self.trunk.states(input_ids[..., None]))
        if labels is None:
            return SimpleNamespace(logits=logits)
        loss = nn.functional.cross_entropy(
            logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED
        )
        return SimpleNamespace(logits=logits, loss=loss)


def house_on_tokens(
    parameters: int, vocabulary: int, *, layers: int, heads: int, context: int
) -> HouseOnTokens:
    """This house's network of about so many parameters, for tokens."""

    def shape(width: int) -> ModelConfig:
        return ModelConfig(layers, width, heads, 4, 0.0, context, (vocabulary,), ())

    def distance(width: int) -> int:
        return abs((12 * layers + 1) * width**2 + (2 * width + 1) * vocabulary - parameters)

    width = min(range(2 * heads, 4096, 2 * heads), key=distance)
    return HouseOnTokens(shape(width), OptimizerConfig())


# Measuring -----------------------------------------------------------------------------


def covering(length: int, window: int) -> Iterator[tuple[int, int]]:
    """Starts of sliding windows over `length` predicted tokens, and the first that counts.

    Each window begins half a window after the one before; every token counts once.
    """
    start, done = 0, 0
    while done < length:
        yield start, done
        done = min(start + window, length)
        start += window // 2


@torch.inference_mode()
def total_bits(model: nn.Module, sequences: Sequence[Ids], window: int) -> float:
    """Negative log-likelihood of all tokens after the first of each sequence, in bits."""
    nats = 0.0
    rows = [
        (ids, start, done) for ids in sequences for start, done in covering(len(ids) - 1, window)
    ]
    at_once = max(1, 8192 // window)
    for first in range(0, len(rows), at_once):
        nats += _nats(model, rows[first : first + at_once], window)
    return nats / math.log(2)


def _nats(model: nn.Module, rows: Sequence[tuple[Ids, int, int]], window: int) -> float:
    device = next(model.parameters()).device
    longest = max(min(window, len(ids) - 1 - start) for ids, start, _ in rows)
    inputs = torch.zeros(len(rows), longest, dtype=torch.int64)
    targets = torch.full((len(rows), longest), IGNORED)
    for row, (ids, start, done) in enumerate(rows):
        seen = torch.from_numpy(ids[start : start + longest + 1])
        inputs[row, : len(seen) - 1] = seen[:-1]
        targets[row, done - start : len(seen) - 1] = seen[1 + done - start :]
    inputs, targets = inputs.to(device), targets.to(device)
    scores = model(input_ids=inputs, use_cache=False).logits.float()  # (B, T, V)
    loss = nn.functional.cross_entropy(
        scores.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    return float(loss.double())


class Peer:
    """One way of training the peer, which learns for as long as it is told to.

    Args:
        name: for tables.
        tokenizer: of its works.
        config: how it is trained.
        works: the training works.
        shape: parameters wanted, layers, heads.
        budget_seconds: length of the whole run, for the schedule.
        augment: how works are varied.
        seed: of weights and windows.
        device: where it learns.
        precision: in what, as `trainer.precision` says it.
    """

    def __init__(
        self,
        name: str,
        tokenizer: PeerTokenizer,
        config: PeerConfig,
        works: Sequence[BenchWork],
        *,
        shape: tuple[int, int, int],
        budget_seconds: float,
        augment: AugmentConfig,
        seed: int,
        device: torch.device = CPU,
        precision: int | str = AUTO,
    ) -> None:
        self.device = device
        self.name, self.tokenizer, self.config = name, tokenizer, config
        parameters, layers, heads = shape
        torch.manual_seed(seed)
        house = config.network == "house"
        make: Any = house_on_tokens if house else llama_of_size
        self.model = make(
            parameters, tokenizer.size, layers=layers, heads=heads, context=config.window + house
        ).to(device)
        self.parameters = sum(p.numel() for p in self.model.parameters())
        self.optimizer = self.model.optimizer if house else torch.optim.AdamW(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay,
            fused=device.type == "cuda",
        )  # fmt: skip
        for group in self.optimizer.param_groups:
            group.setdefault("full_lr", config.learning_rate)
        self.rng = np.random.default_rng(seed)
        self.budget_seconds = budget_seconds
        self.clock = Clock()
        self.steps = self.notes = 0
        variation = Variation(tokenizer.vocabulary, augment)
        self.works = [
            [tokenizer.finish(x) for x in variation.variants(tokenizer.base_ids(work), self.rng)]
            for work in works
        ]
        sizes = np.array([len(variants[0]) for variants in self.works], dtype=np.float64)
        self.shares = sizes / sizes.sum()
        self.precision, self.step_seconds = precision_of(precision, self._trial, device)

    def batch(self) -> Tensor:
        """(B, T) ids, padded with `IGNORED`; a work's beginning is as likely as its middle."""
        length = self.config.window + 1
        ids = torch.full((self.config.batch_size, length), IGNORED)
        for row in ids:
            variants = self.works[self.rng.choice(len(self.works), p=self.shares)]
            sequence = variants[self.rng.integers(len(variants))]
            start = max(0, int(self.rng.integers(-(length // 4), max(1, len(sequence) - length))))
            part = sequence[start : start + length]
            row[: len(part)] = torch.from_numpy(part)
        return ids

    def _loss(self, ids: Tensor) -> Tensor:
        """Mean negative log-likelihood of a token, in nats."""
        ids = ids.to(self.device)
        inputs = torch.where(ids == IGNORED, self.tokenizer.pad, ids)
        return self.model(input_ids=inputs, labels=ids, use_cache=False).loss

    def _trial(self) -> None:
        self._loss(self.batch()[:2]).backward()
        self.optimizer.zero_grad()

    def _rate(self) -> float:
        """Share of the full learning rate: linear warm-up, then a cosine to nothing."""
        done = min(self.clock.seconds / self.budget_seconds, 1.0)
        if self.config.network == "house":
            return rate(done, ScheduleConfig())
        if done < self.config.warmup:
            return max(done / self.config.warmup, 0.01)
        left = (done - self.config.warmup) / (1 - self.config.warmup)
        return 0.5 * (1 + math.cos(math.pi * left))

    def advance(self, until_seconds: float) -> None:
        """Train until the clock of this peer says `until_seconds`."""
        self.model.train()
        self.clock.start()
        while self.clock.seconds < until_seconds:
            self._step()
        self.clock.stop()

    def _step(self) -> None:
        ids = self.batch()
        for group in self.optimizer.param_groups:
            group["lr"] = group["full_lr"] * self._rate()
        with torch.autocast(self.device.type, torch.bfloat16, self.precision == "bfloat16"):
            loss = self._loss(ids)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.steps += 1
        self.notes += int(self.tokenizer.notes_in[ids[ids != IGNORED].numpy()].sum())

    def bits(self, works: Sequence[BenchWork]) -> float:
        """Bits of all tokens of these works, without variation."""
        self.model.eval()
        sequences = [self.tokenizer.ids(work) for work in works]
        return total_bits(self.model, sequences, self.config.window)

    def report(self) -> dict[str, Any]:
        c = self.config
        return {
            "model": self.name,
            "parameters": self.parameters,
            "precision": self.precision,
            "learning_rate": c.learning_rate,
            "batch": f"{c.batch_size} x {c.window} tokens",
            "steps": self.steps,
            "seconds": round(self.clock.seconds, 1),
            "notes_per_second": self.notes / max(self.clock.seconds, 1e-9),
        }

"""Builds the peers of a comparison, and tunes them when asked to."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import replace
from functools import cached_property
from typing import Any

from bench.corpus import Sides, kept
from bench.ours import Ours
from bench.peer import PRESETS, Peer, PeerConfig, PeerTokenizer
from gen.errors import SettingError
from gen.tokens.tokenizer import HouseTokenizer, score_of

LEARNING_RATES = (5e-4, 1e-3, 2e-3, 4e-3)
BATCH_SIZES = (4, 16)


class PeerBuilder:
    """Tokenizers are made once and shared by the peers that use them.

    Args:
        args: of `benchmark.py train`.
        sides: the works.
        ours: the model whose size the peers have.
    """

    def __init__(self, args: argparse.Namespace, sides: Sides, ours: Ours) -> None:
        self.args, self.sides, self.ours = args, sides, ours
        self.chosen = [self._parsed(text) for text in args.peers.split(",") if text]

    def _parsed(self, text: str) -> tuple[str, str, PeerConfig]:
        """Read `remi:usual` or `bpe:0.002x4`."""
        tokenizer, _, settings = text.partition(":")
        config = PRESETS.get(settings) or _rate_and_batch(settings)
        if tokenizer not in ("remi", "bpe") or config is None:
            raise SettingError(
                f"{text!r} is no peer", where="--peers",
                mend="write remi or bpe, a colon, and one of "
                f"{', '.join(PRESETS)} or rate and batch as in 0.002x4",
            )  # fmt: skip
        return tokenizer, settings, replace(config, window=self.args.peer_window)

    @cached_property
    def remi(self) -> PeerTokenizer:
        return PeerTokenizer()

    @cached_property
    def bpe(self) -> PeerTokenizer:
        return PeerTokenizer(self.sides.train, self.args.bpe_size)

    def peer(self, tokenizer: str, label: str, config: PeerConfig, minutes: float) -> Peer:
        """A fresh peer of the size of ours."""
        shape = (self.ours.parameters, self.ours.shape.n_layer, self.ours.shape.n_head)
        return Peer(
            f"{'Llama' if config.network == 'llama' else 'Ours'}, {tokenizer.upper()}, {label}",
            getattr(self, tokenizer),
            config,
            self.sides.train,
            shape=shape,
            budget_seconds=minutes * 60,
            augment=self.ours.data.augment,
            seed=self.args.seed,
            device=self.ours.device,
            precision=self.ours.settings["trainer"]["precision"],
        )

    def peers(self) -> list[Peer]:
        """Those asked for, and those that `tune` has found."""
        return [self.peer(*chosen, self.args.minutes) for chosen in self.chosen]

    def tune(self) -> list[dict[str, Any]]:
        """Find the best rate, then the best batch, for either tokenizer, by validation works.

        Returns:
            Every trial.
        """
        trials: list[dict[str, Any]] = []
        for tokenizer in ("remi", "bpe"):
            best = replace(PRESETS["usual"], window=self.args.peer_window)
            lowest = float("inf")
            rates = [replace(best, learning_rate=rate) for rate in LEARNING_RATES]
            for config in rates:
                bits = self._trial(tokenizer, config, trials)
                if bits < lowest:
                    lowest, best = bits, config
            for config in [replace(best, batch_size=size) for size in BATCH_SIZES]:
                bits = self._trial(tokenizer, config, trials)
                if bits < lowest:
                    lowest, best = bits, config
            self.chosen.append((tokenizer, "tuned", best))
        return trials

    def _trial(self, tokenizer: str, config: PeerConfig, trials: list[dict[str, Any]]) -> float:
        """Train one, note it down, and give its bits per note on the validation works."""
        minutes = self.args.tune_minutes or self.args.minutes / 2
        peer = self.peer(tokenizer, "trial", config, minutes)
        peer.advance(minutes * 60)
        works = self.sides.validation
        bits = peer.bits(works) / sum(work.notes for work in works)
        trials.append({**peer.report(), "validation_bits_per_note": bits})
        print(f"trial: {tokenizer} {config.learning_rate:g} x {config.batch_size}: {bits:.3f}",
              file=sys.stderr, flush=True)  # fmt: skip
        return bits

    def kept(self) -> list[dict[str, Any]]:
        """What each tokenizer keeps of the held-out works."""
        works = self.sides.validation + self.sides.test
        house = HouseTokenizer()
        before = [score_of(work.piece) for work in works]
        ours = [score_of(house.piece(work.events)) for work in works]
        peer = [self.remi.decode(self.remi.ids(work)) for work in works]
        return [
            {"tokenizer": name, **kept(list(zip(before, after, strict=True)))}
            for name, after in (("this house's", ours), ("REMI", peer))
        ]


def _rate_and_batch(text: str) -> PeerConfig | None:
    """`usual` with the rate and batch of, say, `0.002x4`; None where that says neither."""
    if not (found := re.fullmatch(r"(0\.\d+)x(\d+)", text)):
        return None
    rate, batch = float(found[1]), int(found[2])
    return replace(PRESETS["usual"], learning_rate=rate, batch_size=batch) if rate * batch else None

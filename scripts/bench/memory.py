"""Memory that training takes: this house's model against the peer, each in a process of its own.

What counts is how far the process grows from just before the model is made to its peak in a few
steps: weights, gradients, optimiser and what a step computes. Both see about as many notes a step.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.machine import alone
from gen.errors import HouseError

if TYPE_CHECKING:
    from bench.corpus import Given, Sides

STEPS = 4


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `benchmark.py memory`."""
    add = parser.add_argument
    add("--works", type=int, default=40, help="admitted works to take batches from")
    add("--peer-window", type=int, default=1024, help="tokens the peer sees at once")
    add("--set", action="append", default=[], metavar="KEY=VALUE",
        help="a setting of scripts/train.py, such as model=small")  # fmt: skip
    add("--seed", type=int, default=1)


def run(args: argparse.Namespace, works: Sequence[Given] | None = None) -> dict[str, Any]:
    """Measure both.

    Args:
        args: as `arguments` declares them.
        works: to train on; by default the first of what the gate admits.
    """
    from bench.corpus import admitted_works, deal, settings_of

    settings = settings_of(args.set)
    found = admitted_works(settings)[: args.works] if works is None else works
    sides = deal(found, settings)
    ours = alone(_ours, settings, sides, args.seed)
    batch = max(1, round(ours["notes_per_step"] / _notes_per_window(sides, args.peer_window)))
    peer = alone(_peer, ours["parameters"], settings, sides, (batch, args.peer_window), args.seed)
    return {
        "seed": args.seed,
        "models": [ours, peer],
        "ratio": {"megabytes": ours["megabytes"] / peer["megabytes"]},
    }


def peak_megabytes() -> float:
    """The most memory this program has had resident.

    Raises:
        HouseError: the system does not tell.
    """
    status = Path("/proc/self/status")
    if status.is_file():  # `getrusage` would also count what the starting process had
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text("ascii"))
        if found:
            return int(found[1]) * 1024 / 1e6
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    raise HouseError(
        "this system does not tell a process its peak memory", where="benchmark.py memory",
        mend="run it on Linux or macOS",
    )  # fmt: skip


def _notes_per_window(sides: Sides, window: int) -> float:
    from bench.peer import PeerTokenizer

    tokenizer = PeerTokenizer()
    tokens = sum(len(tokenizer.ids(work)) for work in sides.train)
    return sum(work.notes for work in sides.train) / tokens * window


def _ours(settings: dict[str, Any], sides: Sides, seed: int) -> dict[str, Any]:
    from bench.ours import Ours
    from gen.tokens.vocabulary import KIND, Kind

    before = peak_megabytes()
    model = Ours(settings, sides.train, seed)
    optimizer: Any = model.learner.configure_optimizers()
    notes = 0
    for index in range(STEPS):
        batch = model.batches.batch(index)
        model.model.losses(batch["columns"], batch["targets"]).mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        notes += int((batch["targets"][..., KIND] == Kind.NOTE).sum())
    return _row(model.name, model.parameters, before, notes)


def _peer(
    parameters: int, settings: dict[str, Any], sides: Sides, shape: tuple[int, int], seed: int
) -> dict[str, Any]:
    from dataclasses import replace

    import transformers.models.llama.modeling_llama  # noqa: F401  (before what is counted)

    from bench.peer import PRESETS, Peer, PeerTokenizer
    from gen.data.augment import AugmentConfig

    config = replace(PRESETS["usual"], batch_size=shape[0], window=shape[1])
    tokenizer, plain = PeerTokenizer(), AugmentConfig(transpose=0)
    layers, heads = settings["model"]["n_layer"], settings["model"]["n_head"]

    before = peak_megabytes()
    model = Peer(
        "Llama, REMI", tokenizer, config, sides.train, shape=(parameters, layers, heads),
        budget_seconds=60, augment=plain, seed=seed,
    )  # fmt: skip
    while model.steps < STEPS:
        model.advance(model.clock.seconds + 0.01)
    return _row(model.name, model.parameters, before, model.notes)


def _row(name: str, parameters: int, before: float, notes: int) -> dict[str, Any]:
    megabytes = peak_megabytes() - before
    print(f"{name}: {megabytes:.0f} MB", file=sys.stderr, flush=True)
    return {
        "model": name,
        "parameters": parameters,
        "notes_per_step": notes / STEPS,
        "megabytes": megabytes,
    }

"""What each choice is worth: this house's model with one thing changed at a time.

All have the same processor time, the same works and the same seed; each trains alone, one after
another, and is measured on the validation works. The event language is compared with MidiTok's
REMI, with and without byte pair encoding, learned by the same network with the same optimiser.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.machine import fair_clock
from bench.options import above_0, add_shared

if TYPE_CHECKING:
    from bench.corpus import BenchWork, Given, Sides
    from bench.ours import Ours
    from bench.peer import Peer

VARIANTS: dict[str, list[str]] = {
    "as it is": [],
    "without echo": [],
    "AdamW for all": ["optimizer=adamw"],
    "Muon, twice the rate": ["optimizer.matrix_lr=0.008"],
    "Muon, half the rate": ["optimizer.matrix_lr=0.002"],
    "AdamW part, twice the rate": ["optimizer.lr=0.008"],
    "windows of 512, 2 a step": [
        "data.training_window=512",
        "model.context=512",
        "data.batch_size=2",
    ],
    "16 windows a step": ["data.batch_size=16"],
    "dropout 0.1": ["model.dropout=0.1"],
    "decay over the last fifth": ["optimizer.schedule.decay=0.2"],
    "no transposition": ["data.augment.transpose=0"],
    "no tempo or velocity variation": ["data.augment.tempo=0", "data.augment.velocity=0"],
    "no infilling": ["data.augment.infill=0"],
}
"""Name: what is set besides the settings that all share."""
SHAPES = {"deeper and narrower": 2.0, "shallower and wider": 0.5}
"""Name: how many times as many layers, of as many weights in all."""
TOKENS = ("remi:house", "bpe:house")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `benchmark.py ablate`."""
    add = parser.add_argument
    add("--minutes", type=above_0, default=2.0, help="of training, for each; of all cores together")
    add("--only", help="of the variants, those whose name has this in it")
    add("--bpe-size", type=int, default=2048, help="ids of the bpe tokenizer")
    add("--peer-window", type=int, default=256, help="tokens seen at once")
    add_shared(parser)


def run(args: argparse.Namespace, works: Sequence[Given] | None = None) -> dict[str, Any]:
    """Train each, measure each.

    Args:
        args: as `arguments` declares them.
        works: to compare on; by default what the gate admits.
    """
    from bench.corpus import opened
    from bench.peers import PeerBuilder

    _, sides = opened(args.set, works)
    chosen = [name for name in (*VARIANTS, *SHAPES) if (args.only or "") in name]
    rows = [_ours(name, args, sides) for name in chosen]
    args.peers = ",".join(name for name in TOKENS if (args.only or "") in name)
    if args.peers:
        builder = PeerBuilder(args, sides, _model("as it is", args, sides))
        for peer in builder.peers():
            peer.clock = fair_clock(peer.device)
            peer.advance(args.minutes * 60)
            rows.append(_row(peer.name, peer, sides.validation))
    first = rows[0]["validation_bits_per_note"]
    for row in rows:
        row["against_first"] = row["validation_bits_per_note"] / first
    return {"seed": args.seed, "minutes": args.minutes, "shared": args.set, "variants": rows}


def _model(name: str, args: argparse.Namespace, sides: Sides) -> Ours:
    from bench.corpus import settings_of
    from bench.ours import Ours

    settings = settings_of([*args.set, *VARIANTS.get(name, ())])
    if name in SHAPES:
        settings = {**settings, "model": _reshaped(settings["model"], SHAPES[name])}
    return Ours(settings, sides.train, args.seed, minutes=args.minutes, echo=name != "without echo")


def _reshaped(model: dict[str, Any], times: float) -> dict[str, Any]:
    """As many times the layers; their weights grow with the square of the width."""
    layers = max(1, round(times * model["n_layer"]))
    step = 2 * model["n_head"]
    width = step * round(model["width"] * (model["n_layer"] / layers) ** 0.5 / step)
    return {**model, "n_layer": layers, "width": width}


def _ours(name: str, args: argparse.Namespace, sides: Sides) -> dict[str, Any]:
    ours = _model(name, args, sides)
    ours.clock = fair_clock(ours.device)
    ours.fit(args.minutes * 60, [], lambda mark: None)
    return _row(name, ours, sides.validation)


def _row(name: str, racer: Ours | Peer, works: Sequence[BenchWork]) -> dict[str, Any]:
    bits = racer.bits(works) / sum(work.notes for work in works)
    print(f"{name:32} {bits:7.3f} bits per note", file=sys.stderr, flush=True)
    return {**racer.report(), "model": name, "validation_bits_per_note": bits}

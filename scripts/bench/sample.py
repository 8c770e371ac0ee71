"""Writing per second: this house's sampler against `transformers.generate` with its cache.

Both sides have the same number of parameters. Notes a second are steps a second over the steps
that the corpus needs for a note: a model that writes many notes by chance gains nothing. Both
draw from the smallest set of ids that reaches the same probability; ours also keeps its grammar.
Both may use all processors: ours where `scripts/sample.py` would, for enough pieces at once.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.corpus import BenchWork, Given
    from bench.peer import PeerTokenizer
    from gen.model import Transformer
    from gen.sampling.plan import Plan

TOP_P = 0.98


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `benchmark.py sample`."""
    add = parser.add_argument
    add("--batches", default="1,32", help="pieces side by side")
    add("--bars", type=int, default=16, help="of each of our pieces")
    add("--peer-tokens", type=int, default=512,
        help="tokens of each of the peer's; few favour it, its cache stays short")  # fmt: skip
    add("--checkpoint", default="last", help="of our model: a file, or the last trained one")
    add("--untrained", action="store_true", help="fresh weights in the shape that --set says")
    add("--bpe-size", type=int, default=2048, help="ids of the bpe tokenizer")
    add("--set", action="append", default=[], metavar="KEY=VALUE",
        help="a setting of scripts/train.py, such as model=tiny")  # fmt: skip
    add("--seed", type=int, default=1)


def run(args: argparse.Namespace, works: Sequence[Given] | None = None) -> dict[str, Any]:
    """Time both sides at each batch size.

    Args:
        args: as `arguments` declares them.
        works: what steps a note are counted on; by default what the gate admits.
    """
    import torch

    from bench.corpus import admitted_works, deal, settings_of
    from bench.peer import PeerTokenizer
    from gen.model import parameter_count

    settings = settings_of(args.set)
    sides = deal(admitted_works(settings) if works is None else works, settings)
    held_out = sides.validation + sides.test
    torch.manual_seed(args.seed)
    model = _model(args, settings)
    parameters = parameter_count(model)
    plan = _plan(held_out, args.bars)
    tokenizers = {
        "Llama, REMI": PeerTokenizer(),
        "Llama, BPE": PeerTokenizer(sides.train, args.bpe_size),
    }
    rows = []
    for batch in map(int, args.batches.split(",")):
        rows.append(_ours(model, plan, held_out, batch, args.seed))
        for name, tokenizer in tokenizers.items():
            rows.append(_peer(name, tokenizer, model, held_out, batch, args.peer_tokens))
    return {
        "seed": args.seed,
        "bars": args.bars,
        "peer_tokens": args.peer_tokens,
        "our_parameters": parameters,
        "weights": "untrained" if args.untrained else "trained",
        "models": rows,
        "ratios": _ratios(rows),
        "floor": _floor(model, rows),
    }


def _model(args: argparse.Namespace, settings: dict[str, Any]) -> Transformer:
    """The model of a checkpoint, or a fresh one."""
    from gen.checkpoint import load_checkpoint
    from gen.model import ModelConfig, Transformer
    from gen.sampling.run import find_checkpoint
    from gen.settings import build
    from gen.tokens.columns import CONTEXT_SIZES
    from gen.tokens.vocabulary import FIELD_SIZES

    if not args.untrained:
        return load_checkpoint(find_checkpoint(args.checkpoint)).model
    shape = build(
        ModelConfig, settings["model"], where="model",
        field_sizes=FIELD_SIZES, context_sizes=CONTEXT_SIZES,
    )  # fmt: skip
    return Transformer(shape).eval()


def _plan(works: Sequence[BenchWork], bars: int) -> Plan:
    """So many bars for the instruments of the held-out work with the median number of tracks."""
    from gen.data.windows import Sequence as WorkSequence
    from gen.data.windows import bare
    from gen.sampling.plan import Plan

    headers = [bare(WorkSequence.of(work.events)).header.tolist() for work in works]
    header = sorted(headers, key=len)[len(headers) // 2]
    return Plan(header, tracks_open=False, bars=bars)


def _row(
    name: str, batch: int, steps: int, seconds: float, per_note: float, **more: Any
) -> dict[str, Any]:
    row = {
        "model": name,
        "pieces_at_once": batch,
        "steps": steps,
        "seconds": seconds,
        "steps_per_second": steps / seconds,
        "steps_per_note": per_note,
        "notes_per_second": steps / seconds / per_note,
        **more,
    }
    print(f"{name}, {batch} at once: {row['notes_per_second']:.0f} notes/s", file=sys.stderr)
    return row


def _ours(
    model: Transformer, plan: Plan, works: Sequence[BenchWork], batch: int, seed: int
) -> dict[str, Any]:
    import numpy as np

    from gen.data.windows import Sequence as WorkSequence
    from gen.data.windows import bare
    from gen.sampling.batches import dealt, write_all
    from gen.sampling.decode import DrawConfig, decode
    from gen.sampling.grammar import Walk
    from gen.tokens.vocabulary import KIND, Kind

    config = DrawConfig(top_p=TOP_P, min_p=0.0)

    def write(indices: Sequence[int], tell: Callable[[tuple[int, int]], None]) -> None:
        walks = [Walk(plan) for _ in indices]
        decode(model, walks, [np.random.default_rng([seed, index]) for index in indices], config)
        for walk in walks:
            notes = sum(row[KIND] == Kind.NOTE for row in walk.rows)
            tell((len(walk.rows) - len(plan.header), notes))

    # The first call allocates.
    decode(model, [Walk(replace(plan, bars=1))], [np.random.default_rng(seed)], config)
    written: list[tuple[int, int]] = []
    seconds = _seconds(lambda: write_all(dealt(range(batch)), write, written.append))
    steps, notes = (sum(counts) for counts in zip(*written, strict=True))
    sequences = [bare(WorkSequence.of(work.events)) for work in works]
    events = sum(len(s.events) - len(s.header) for s in sequences)
    return _row(
        "this house's", batch, steps, seconds, events / sum(work.notes for work in works),
        written_notes_per_second=notes / seconds,
    )  # fmt: skip


def _peer(
    name: str,
    tokenizer: PeerTokenizer,
    like: Transformer,
    works: Sequence[BenchWork],
    batch: int,
    tokens: int,
) -> dict[str, Any]:
    """Time `generate` in float32 and in bfloat16, and keep the faster."""
    import torch

    from bench.peer import llama_of_size
    from gen.model import parameter_count

    model = llama_of_size(
        parameter_count(like), tokenizer.size, layers=like.config.layers,
        heads=like.config.heads, context=tokens + 1,
    ).eval()  # fmt: skip
    per_note = sum(len(tokenizer.ids(work)) - 1 for work in works) / sum(w.notes for w in works)
    prompt = torch.full((batch, 1), tokenizer.bos)

    def generate(count: int) -> None:
        model.generate(
            prompt, attention_mask=torch.ones_like(prompt), do_sample=True, top_p=TOP_P, top_k=0,
            max_new_tokens=count, min_new_tokens=count, use_cache=True,
        )  # fmt: skip

    trial = max(1, tokens // 16)
    trials = {}
    for dtype in (torch.float32, torch.bfloat16):
        model.to(dtype)
        generate(1)
        trials[dtype] = _seconds(lambda: generate(trial))
    fastest = min(trials, key=trials.__getitem__)
    model.to(fastest)
    seconds = _seconds(lambda: generate(tokens))
    return _row(
        name, batch, tokens * batch, seconds, per_note, precision=str(fastest).partition(".")[2]
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _ratios(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Our notes a second over each peer's, at the same batch."""
    ours = {row["pieces_at_once"]: row for row in rows if row["model"] == "this house's"}
    return [
        {
            "against": row["model"],
            "pieces_at_once": row["pieces_at_once"],
            "notes_per_second": ours[row["pieces_at_once"]]["notes_per_second"]
            / row["notes_per_second"],
        }
        for row in rows
        if row["model"] != "this house's"
    ]


def _floor(model: Transformer, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Least time a step could take alone: reading each weight of trunk and head once.

    Measured as a product of one matrix of as many bytes with a vector.
    """
    import torch

    count = sum(p.numel() for part in (model.blocks, model.head) for p in part.parameters())
    width = model.config.width
    matrix, vector = torch.randn(count // width, width), torch.randn(width)
    least = min(_seconds(lambda: matrix @ vector) for _ in range(20))
    alone = next(
        (r for r in rows if r["model"] == "this house's" and r["pieces_at_once"] == 1), None
    )
    taken = 1 / alone["steps_per_second"] if alone else float("nan")
    return {
        "weight_megabytes": count * 4 / 1e6,
        "floor_milliseconds_a_step": least * 1e3,
        "taken_milliseconds_a_step": taken * 1e3,
        "times_the_floor": taken / least,
    }

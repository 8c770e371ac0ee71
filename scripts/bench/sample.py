"""Writing per second: this house's sampler against `transformers.generate` with its cache.

Both sides have the same number of parameters and write pieces of the same length in notes. Notes a
second are steps a second over the steps that the corpus needs for a note: a model that writes many
notes by chance gains nothing. Both draw from the smallest set of ids that reaches the same
probability; ours also keeps its grammar, and its pieces end when they end, so that some are waited
for. Both may use all processors: ours where `scripts/sample.py` would, for enough pieces at once.
The peer gets what is fastest for it: float32 or bfloat16, a cache that grows or one of full size,
one thread or all. Neither side is compiled.

Each is timed in a process of its own, which has in memory what it needs to write and no more.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from bench.machine import alone, begin_capped

if TYPE_CHECKING:
    import torch

    from bench.corpus import BenchWork, Given
    from bench.peer import PeerTokenizer
    from gen.model import Transformer
    from gen.sampling.planning.plan import Plan

    Way = tuple[torch.dtype, str, int]  # precision, cache and threads of the peer

TOP_P = 0.98
ALONE = 4
"""Pieces written one after another where they are written one at a time."""
TRIAL = 32
"""Steps by which the peer's ways are compared, after half a piece."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `benchmark.py sample`."""
    add = parser.add_argument
    add("--batches", default="1,32", help="pieces side by side")
    add("--bars", type=int, default=16, help="of each of our pieces")
    add("--peer-tokens", type=int,
        help="of each of the peer's pieces, by default as many as the notes of one of ours take; "
        "few favour it, its cache stays short")  # fmt: skip
    add("--checkpoint", default="last", help="of our model: a file, or the last trained one")
    add("--avx2", action="store_true", help="both sides as on a processor without AVX-512")
    add("--device", default="cpu", choices=("cpu", "cuda"), help="of both sides")
    add("--untrained", action="store_true", help="fresh weights in the shape that --set says")
    add("--bpe-size", type=int, default=2048, help="ids of the bpe tokenizer")
    add("--set", action="append", default=[], metavar="KEY=VALUE",
        help="a setting of scripts/train.py, such as model=tiny")  # fmt: skip
    add("--steering", type=float, default=1.0, help="as scripts/sample.py has it; 0 for none")
    add("--seed", type=int, default=1)


def run(args: argparse.Namespace, works: Sequence[Given] | None = None) -> dict[str, Any]:
    """Time both sides at each batch size.

    Args:
        args: as `arguments` declares them.
        works: what steps a note are counted on; by default what the gate admits.
    """
    if args.avx2:
        begin_capped()
    from bench.corpus import opened
    from bench.peer import PeerTokenizer
    from gen.model import parameter_count
    from gen.sampling.planning.rules import NEWEST, Rules

    settings, sides = opened(args.set, works)
    held_out = sides.validation + sides.test
    plan = replace(_plan(held_out, args.bars), steering=args.steering, rules=Rules(NEWEST))
    tokenizers = {
        "Llama, REMI": PeerTokenizer(),
        "Llama, BPE": PeerTokenizer(sides.train, args.bpe_size),
    }
    model = _model(args, settings).to(args.device)
    parameters = parameter_count(model)
    shape = parameters, model.config.n_layer, model.config.n_head
    steps_per_note = _steps_per_note(held_out)
    rows = []
    for batch in map(int, args.batches.split(",")):

        def time_ours(batch: int = batch) -> dict[str, Any]:
            steps, notes, seconds = alone(_ours, args, settings, plan, batch)
            return _row(
                "this house's", batch, steps, seconds, steps_per_note,
                written_notes_per_second=notes / seconds,
            )  # fmt: skip

        # Ours take a second and the peers half a minute, in which a machine may change its pace:
        # so ours are timed before, between and after, and the median counts.
        ours = [time_ours()]
        peers = []
        for name, tokenizer in tokenizers.items():
            per_note = _ids_per_note(tokenizer, held_out)
            tokens = args.peer_tokens or round(
                ours[0]["steps_per_piece"] / steps_per_note * per_note
            )
            way, seconds = alone(
                _peer, shape, (tokenizer.size, tokenizer.bos), args.device, batch, tokens
            )
            steps = tokens * batch * _turns(batch)
            peers.append(_row(name, batch, steps, seconds, per_note, **way))
            ours.append(time_ours())
        rows += [sorted(ours, key=lambda row: row["seconds"])[len(ours) // 2], *peers]
    return {
        "seed": args.seed,
        "bars": args.bars,
        "our_parameters": parameters,
        "device": args.device,
        "weights": "untrained" if args.untrained else "trained",
        "steering": args.steering,
        "models": rows,
        "ratios": _ratios(rows),
        "floor": _floor(model, rows),
    }


def _model(args: argparse.Namespace, settings: dict[str, Any]) -> Transformer:
    """The model of a checkpoint, or a fresh one."""
    import torch

    from gen.checkpoint import load_checkpoint
    from gen.model import ModelConfig, Transformer
    from gen.sampling.opening.checkpoints import find_checkpoint
    from gen.settings import build
    from gen.tokens.columns import CONTEXT_SIZES
    from gen.tokens.vocabulary import FIELD_SIZES

    if not args.untrained:
        return load_checkpoint(find_checkpoint(args.checkpoint)).model
    shape = build(
        ModelConfig, settings["model"], where="model",
        field_sizes=FIELD_SIZES, context_sizes=CONTEXT_SIZES,
    )  # fmt: skip
    torch.manual_seed(args.seed)
    return Transformer(shape).eval()


def _plan(works: Sequence[BenchWork], bars: int) -> Plan:
    """So many bars for the instruments of the held-out work with the median number of tracks."""
    from gen.data.windows import TokenisedWork
    from gen.sampling.planning.plan import Plan

    headers = [TokenisedWork.of(work.events).bare().header.tolist() for work in works]
    header = sorted(headers, key=len)[len(headers) // 2]
    return Plan(header, tracks_open=False, bars=bars)


def _steps_per_note(works: Sequence[BenchWork]) -> float:
    """Events that our model writes for each note of works."""
    from gen.data.windows import TokenisedWork

    sequences = [TokenisedWork.of(work.events).bare() for work in works]
    events = sum(len(s.events) - len(s.header) for s in sequences)
    return events / sum(work.notes for work in works)


def _ids_per_note(tokenizer: PeerTokenizer, works: Sequence[BenchWork]) -> float:
    """The same of the peer's ids."""
    return sum(len(tokenizer.ids(work)) - 1 for work in works) / sum(w.notes for w in works)


def _row(
    name: str, batch: int, steps: int, seconds: float, per_note: float, **more: Any
) -> dict[str, Any]:
    row = {
        "model": name,
        "pieces_at_once": batch,
        "steps_per_piece": steps / (batch * _turns(batch)),
        "seconds": seconds,
        "steps_per_second": steps / seconds,
        "steps_per_note": per_note,
        "notes_per_second": steps / seconds / per_note,
        **more,
    }
    print(f"{name}, {batch} at once: {row['notes_per_second']:.0f} notes/s", file=sys.stderr)
    return row


def _ours(
    args: argparse.Namespace, settings: dict[str, Any], plan: Plan, batch: int
) -> tuple[int, int, float]:
    """Write pieces; steps and notes of all, and seconds."""
    import numpy as np

    from gen.sampling.decoding.decode import dealt, decode, write_all
    from gen.sampling.decoding.draw import DrawConfig
    from gen.sampling.decoding.step import step_of
    from gen.sampling.drafting.draft import Draft
    from gen.tokens.vocabulary import KIND, Kind

    config = DrawConfig(top_p=TOP_P, min_p=0.0)
    on_gpu = args.device != "cpu"
    step = step_of(_model(args, settings).to(args.device))

    def write(indices: Sequence[int], tell: Callable[[tuple[int, int]], None]) -> None:
        drafts = [Draft(plan) for _ in indices]
        rngs = [np.random.default_rng([args.seed, index]) for index in indices]
        decode(step, drafts, rngs, config)
        for draft in drafts:
            notes = sum(row[KIND] == Kind.NOTE for row in draft.rows)
            tell((len(draft.rows) - len(plan.header), notes))

    # The first call allocates.
    decode(step, [Draft(replace(plan, bars=1))], [np.random.default_rng(args.seed)], config)
    written: list[tuple[int, int]] = []

    def write_turns() -> None:
        for turn in range(_turns(batch)):
            indices = range(turn * batch, (turn + 1) * batch)
            write_all(dealt(indices, on_gpu=on_gpu), write, written.append, on_gpu=on_gpu)

    seconds = _seconds(write_turns)
    steps, notes = (sum(counts) for counts in zip(*written, strict=True))
    return steps, notes, seconds


def _peer(
    shape: tuple[int, int, int], ids: tuple[int, int], device: str, batch: int, tokens: int
) -> tuple[dict[str, Any], float]:
    """Time `generate`.

    Args:
        shape: parameters, layers and heads that the peer is to have.
        ids: how many it has, and the one that begins a piece.
        device: where it writes.
        batch: pieces at once.
        tokens: of each piece.

    Returns:
        The way that suits it best, and the seconds that it takes so.
    """
    import numpy as np
    import torch
    from transformers import LogitsProcessorList, StaticCache

    from bench.peer import llama_of_size

    parameters, layers, heads = shape
    vocabulary, bos = ids
    model = llama_of_size(
        parameters, vocabulary, layers=layers, heads=heads, context=tokens + TRIAL
    ).eval()

    def generate(way: Way, begun: int, count: int, times: list[float] | None = None) -> None:
        def now(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            (times if times is not None else []).append(time.perf_counter())
            return scores

        dtype, cache, threads = way
        torch.set_num_threads(threads)
        prompt = torch.full((batch, begun), bos, device=device)
        whole = StaticCache(config=model.config, max_cache_len=tokens + TRIAL)
        model.to(device, dtype).generate(
            prompt, attention_mask=torch.ones_like(prompt), do_sample=True, top_p=TOP_P, top_k=0,
            max_new_tokens=count, min_new_tokens=count, use_cache=True,
            past_key_values=whole if cache == "of full size" else None,
            logits_processor=LogitsProcessorList([now]),
        )  # fmt: skip

    def step_seconds(way: Way) -> float:
        """What a step takes in the middle of a piece: the median of some."""
        times: list[float] = []
        generate(way, max(1, tokens // 2), TRIAL, times)
        return float(np.median(np.diff(times)))

    most = torch.get_num_threads()
    ways = list(product((torch.float32, torch.bfloat16), ("growing", "of full size"), {1, most}))
    trials = [[step_seconds(way) for way in ways] for _ in range(2)]
    best = ways[int(np.min(trials, axis=0).argmin())]
    seconds = _seconds(lambda: [generate(best, 1, tokens) for _ in range(_turns(batch))])
    dtype, cache, threads = best
    way = {"precision": str(dtype).partition(".")[2], "cache": cache, "threads": threads}
    return way, seconds


def _turns(batch: int) -> int:
    """How often so many pieces are written: one alone is soon done."""
    return ALONE if batch == 1 else 1


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
    """What reading each weight of trunk and head once takes, beside what a step takes alone.

    Measured as a product of one matrix of as many bytes with a vector, by one thread, as the
    pieces are written. A step reads fewer: of forced fields, of channels that do not fire and of
    values that may not follow it needs no weights.
    """
    import torch

    count = sum(p.numel() for part in (model.blocks, model.head) for p in part.parameters())
    width = model.config.width
    device = model.embedding.weight.device
    matrix = torch.randn(count // width, width, device=device)
    vector = torch.randn(width, device=device)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        least = min(_seconds(lambda: (matrix @ vector)[0].item()) for _ in range(20))
    finally:
        torch.set_num_threads(threads)
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

"""Learning per minute: this house's model against the peer, in one run, taking turns.

All learn from the same works of the training side and are measured on the same held-out works:
the negative log-likelihood of everything they write down about a work, in bits, over the number
of notes in its file. Each has its own clock, which stands while others train or any is measured.
Their turns alternate, so that a machine that slows down slows all alike.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.options import above_0, add_plot, add_shared, count
from gen.errors import SettingError

if TYPE_CHECKING:
    from bench.corpus import BenchWork, Given, Sides
    from bench.ours import Ours
    from bench.peer import Peer

    Racer = Ours | Peer

NOT_KEPT = (
    "REMI in one stream merges tracks of one instrument and does not write down which note "
    "belongs to which; this house's events do, and pay for it. None is given genre, mood, key, "
    "chords, sections, roles or length while it is measured."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `benchmark.py train`."""
    add = parser.add_argument
    add("--minutes", type=above_0, default=8.0, help="of training, for each model")
    add("--points", type=count, default=12, help="measurements along the way")
    add("--curve-works", type=count, default=8, help="held-out works measured at each point")
    add("--peers", default="remi:documented,remi:usual,bpe:usual",
        help="tokenizer:settings; remi or bpe, and documented, usual, house or rate x batch "
        "as in 0.002x4")  # fmt: skip
    add("--tuned", action="store_true", help="also tune rate and batch of remi and of bpe")
    add("--tune-minutes", type=above_0, help="of each trial (default: half of --minutes)")
    add("--bpe-size", type=int, default=2048, help="ids of the bpe tokenizer")
    add("--peer-window", type=int, default=1024, help="tokens the peer sees at once")
    add_shared(parser)
    add_plot(parser)


def run(args: argparse.Namespace, works: Sequence[Given] | None = None) -> dict[str, Any]:
    """Train all, measure all.

    Args:
        args: as `arguments` declares them.
        works: to compare on; by default what the gate admits.

    Raises:
        HouseError: a file is refused, a setting is wrong, or too few works are there to split.
    """
    from bench.corpus import curve_works, opened
    from bench.ours import Ours
    from bench.peers import PeerBuilder

    settings, sides = opened(args.set, works)
    if not (sides.train and sides.validation and sides.test):
        raise SettingError(
            "one side of the split has no works", where="house",
            mend="at least three unrelated works are needed",
        )  # fmt: skip
    ours = Ours(settings, sides.train, args.seed, minutes=args.minutes)
    say(f"{len(sides.train)} works to learn from; {ours.parameters / 1e6:.2f} M parameters")
    builder = PeerBuilder(args, sides, ours)
    trials = builder.tune() if args.tuned else []
    peers = builder.peers()
    shown = curve_works(sides.validation, args.curve_works)
    curves = race(ours, peers, shown, args.minutes * 60, args.points)
    rows = [final(racer, sides) for racer in (ours, *peers)]
    result = {
        "seed": args.seed,
        "minutes": args.minutes,
        "corpus": sides.summary(),
        "models": rows,
        "ratios": [ratios(rows[0], row) for row in rows[1:]],
        "kept_of_held_out_works": builder.kept(),
        "not_kept": NOT_KEPT,
        "step_seconds": [{"model": r.name, **r.step_seconds} for r in (ours, *peers)],
        "tuning": trials,
        "curve_works": [work.work_id for work in shown],
        "curves": curves,
    }
    plot(curves, args.out / "train.png", f"{len(shown)} held-out works, {args.minutes:g} minutes")
    return result


def say(text: str) -> None:
    """Talk goes to stderr, results to stdout."""
    print(text, file=sys.stderr, flush=True)


def bits_per_note(racer: Racer, works: Sequence[BenchWork]) -> float:
    """Bits a model needs for works, over the notes in their files (no tokenizer's count)."""
    return racer.bits(works) / sum(work.notes for work in works)


def race(
    ours: Ours, peers: Sequence[Peer], shown: Sequence[BenchWork], seconds: float, points: int
) -> dict[str, list[list[float]]]:
    """Train all for `seconds` each, in turns.

    Returns:
        For each model, (seconds of training, bits per note of `shown`) at each point.
    """
    curves: dict[str, list[list[float]]] = {racer.name: [] for racer in (ours, *peers)}

    def measure(racer: Racer) -> None:
        bits = bits_per_note(racer, shown)
        curves[racer.name].append([round(racer.clock.seconds, 1), round(bits, 4)])
        say(f"{racer.clock.seconds:7.1f} s  {racer.name:28} {bits:7.3f} bits per note")

    def at_mark(mark: float) -> None:
        measure(ours)
        for peer in peers:
            peer.advance(mark)
            measure(peer)

    ours.fit(seconds, [seconds * (i + 1) / points for i in range(points)], at_mark)
    return curves


def final(racer: Racer, sides: Sides) -> dict[str, Any]:
    """What a model has reached, on all held-out works."""
    return {
        **racer.report(),
        "validation_bits_per_note": bits_per_note(racer, sides.validation),
        "test_bits_per_note": bits_per_note(racer, sides.test),
    }


def ratios(ours: dict[str, Any], peer: dict[str, Any]) -> dict[str, Any]:
    """This house's figures over the peer's."""
    measures = ("test_bits_per_note", "validation_bits_per_note", "notes_per_second", "parameters")
    return {"against": peer["model"], **{name: ours[name] / peer[name] for name in measures}}


def plot(curves: dict[str, list[list[float]]], path: Path, title: str) -> None:
    """Draw bits per note over minutes of training."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name, points in curves.items():
        minutes, bits = zip(*((seconds / 60, bits) for seconds, bits in points), strict=True)
        axes.plot(minutes, bits, marker="o", markersize=3, label=name)
    axes.set(xlabel="minutes of training", ylabel="bits per note", title=title)
    axes.grid(alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure).print_png(path)

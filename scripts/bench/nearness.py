"""How far honest replays of a run are from each other, beside replays with one foreign window.

A small model learns from the starter works in a house of its own. Stretches of its run are then
replayed in processes that compute otherwise (instructions, threads, precision), and with one window
of one batch replaced by another. What `house.py rebuild --within` would say of each, judged by a
process that computes in yet another way, is counted: honest ones it would refuse, foreign ones it
would let pass. The picture shows all distances.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gen.training.nearness import Weights
    from gen.training.rebuild import Recorded

SCRIPTS = Path(__file__).parents[1]
STEPS, EVERY = 80, 10
STRETCHES = ((0, 10), (60, 70), (0, 80))
"""First and last step: short, longer, and the whole run."""
JUDGE = "judge"
PLACES: dict[str, dict[str, str]] = {
    JUDGE: {"OMP_NUM_THREADS": "1"},
    "no vector units": {"OMP_NUM_THREADS": "1", "ATEN_CPU_CAPABILITY": "default"},
    "AVX2": {"OMP_NUM_THREADS": "1", "ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2"},
}
"""Processes that a run is replayed in, by what makes their arithmetic another."""
SETTINGS = (
    "model=tiny model.n_layer=2 model.width=48 model.n_head=2 model.context=128 "
    "model.dropout=0.1 data.training_window=128 data.batch_size=4 trainer.accelerator=cpu "
    f"trainer.max_steps={STEPS} trainer.mark_every={EVERY} trainer.keep_states={STEPS // EVERY} "
    "trainer.val_check_interval=80 trainer.limit_val_batches=1 trainer.compile=false logger=none"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `benchmark.py nearness`."""
    add = parser.add_argument
    add("--runs", type=int, default=2, help="runs, each with a seed of its own")
    add("--foreign", type=int, default=6, help="replays with a foreign window, a place and stretch")
    add("--precision", nargs="+", choices=("32", "bf16"), default=("32", "bf16"))
    add("--picture", type=Path, default=Path("docs/pictures/nearness.svg"))


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Train, replay, compare and draw."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        pin = _house(Path(place))
        for seed in range(1, args.runs + 1):
            model = _train(Path(place), pin, seed)
            for precision in args.precision:
                rows += _measured(Path(place), pin, model, precision, seed, args.foreign)
    _draw(rows, args.picture, args.precision)
    return {"distances": rows, "decisions": _decisions(rows)}


def _house(place: Path) -> Path:
    """The starter's works in a house whose log takes runs; its pin."""
    environment = {"HOUSE_KEYS": str(place / "keys"), "HOUSE_PASSPHRASE": "nothing worth guarding"}
    pin = place / "lantern.yaml"
    _command(
        "house.py", "init", "--name", "lantern", "--one-person", "--machine-written",
        "--with-starter", "--yes", "--house", place / "house", "--pin", pin, env=environment,
    )  # fmt: skip
    return pin


def _train(place: Path, pin: Path, seed: int) -> Path:
    out = place / f"run-{seed}"
    words = [*SETTINGS.split(), f"seed={seed}", f"pin={pin}", f"hydra.run.dir={out}"]
    _command("train.py", *words, "trainer.precision=32",
        env={"HOUSE_KEYS": str(place / "keys"), **PLACES[JUDGE]})  # fmt: skip
    return out / "last.safetensors"


def _measured(
    place: Path, pin: Path, model: Path, precision: str, seed: int, foreign: int
) -> list[dict[str, Any]]:
    """Distances of all replays in this precision from what the judge has."""
    found: dict[str, dict[str, Weights]] = {}
    for name, variables in PLACES.items():
        if precision == "bf16" and name not in (JUDGE, "AVX2"):
            continue  # single precision shows what else makes a difference
        out = place / f"{precision}-{seed}-{name}.pt"
        _command("bench/nearness.py", pin, model, precision, foreign, name, out, env=variables)
        import torch

        found[name] = torch.load(out, weights_only=True)
        out.unlink()
    return list(_distances(found, {"seed": seed, "precision": precision}))


def _distances(found: Mapping[str, Mapping[str, Weights]], about: Mapping[str, Any]) -> Any:
    """What the judge would work out of each replay that somebody else made."""
    from gen.training.nearness import distance

    judge = found[JUDGE]
    for first, last in STRETCHES:
        stretch = f"{first}-{last}"
        begin, own, other = (judge[f"{stretch} {what}"] for what in ("begin", "own", "other"))
        honest = distance(other, own, begin)
        drawn = [name for name in judge if name.startswith(f"{stretch} foreign")]
        foreign = min(distance(judge[name], own, begin) for name in drawn)
        for name, results in found.items():
            for what, weights in results.items():
                if not what.startswith(stretch) or what.endswith("begin") or name == JUDGE:
                    continue
                apart = min(distance(weights, each, begin) for each in (own, other))
                yield {
                    **about, "stretch": stretch, "steps": last - first, "place": name,
                    "foreign": "foreign" in what, "distance": apart,
                    "honest": honest, "nearest": foreign,
                }  # fmt: skip


def _decisions(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By precision and length: false alarms and misses at the command's allowance."""
    from gen.training.nearness import separates

    found = []
    for key in sorted({(row["precision"], row["steps"]) for row in rows}):
        mine = [row for row in rows if (row["precision"], row["steps"]) == key]
        honest = [row for row in mine if not row["foreign"]]
        foreign = [row for row in mine if row["foreign"]]
        found.append({
            "precision": key[0], "steps": key[1],
            "honest": len(honest), "furthest honest": max(row["distance"] for row in honest),
            "nothing told": sum(not separates(r["honest"], r["nearest"]) for r in mine),
            "false alarms": sum(not _near(r) for r in honest),
            "foreign": len(foreign), "nearest foreign": min(row["distance"] for row in foreign),
            "misses": sum(_near(r) for r in foreign),
        })  # fmt: skip
    return found


def _near(row: Mapping[str, Any]) -> bool:
    from gen.training.nearness import limit

    return bool(row["distance"] <= limit(row["honest"], row["nearest"]))


def _draw(rows: list[dict[str, Any]], path: Path, precisions: Sequence[str]) -> None:
    """Histograms of the distances, honest beside foreign, a panel for each length."""
    import matplotlib as mpl

    mpl.use("svg")
    import numpy as np
    from matplotlib import pyplot as plt

    mpl.rcParams.update({"svg.hashsalt": "nearness", "font.size": 8})
    lengths = sorted({row["steps"] for row in rows})
    figure, axes = plt.subplots(
        len(precisions), len(lengths), figsize=(8, 0.6 + 1.5 * len(precisions)), sharex=True,
        squeeze=False,
    )  # fmt: skip
    bins = np.logspace(-8, 1, 37)
    for row, precision in zip(axes, precisions, strict=True):
        for panel, steps in zip(row, lengths, strict=True):
            for foreign, colour, label in (
                (False, "#2b6cb0", "honest"), (True, "#c05621", "one foreign window"),
            ):  # fmt: skip
                mine = [
                    r["distance"] for r in rows
                    if (r["precision"], r["steps"], r["foreign"]) == (precision, steps, foreign)
                ]  # fmt: skip
                panel.hist(np.maximum(mine, 1e-8), bins, color=colour, alpha=0.7, label=label)
            panel.set_xscale("log")
            panel.set_title(f"{steps} steps, {'single' if precision == '32' else 'bfloat16'}")
    axes[0][0].legend(frameon=False)
    figure.supxlabel("distance from the judge's replay, in parts of the way the weights went")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def _command(script: str, *words: object, env: Mapping[str, str]) -> None:
    clean = {k: v for k, v in os.environ.items() if k not in ("ATEN_CPU_CAPABILITY", "MKL_CBWR")}
    command = [sys.executable, str(SCRIPTS / script), *map(str, words)]
    done = subprocess.run(command, env=clean | dict(env), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{script}: exit {done.returncode}\n{done.stderr[-3000:]}")


def replay_here(pin: Path, model: Path, precision: str, foreign: int, name: str, out: Path) -> None:
    """In a process of its own: the weights of all stretches, honest and with foreign windows."""
    import torch

    from gen.training.nearness import BFLOAT, DOUBLE, SINGLE, Nearby
    from gen.training.rebuild import SegmentRun

    replays = Nearby(_recorded(pin, model))
    own, other = (SINGLE, DOUBLE) if precision == "32" else (BFLOAT, SINGLE)
    marks = {mark.step: mark.state for mark in replays.recorded.marks}
    found = {}
    for first, last in STRETCHES:
        stretch = SegmentRun(first, last, marks[first] if first else "")
        rng = random.Random(f"{first} {last} {os.environ}")  # noqa: S311 - no secret
        wanted: list[tuple[str, str, random.Random | None]] = [("own", own, None)]
        if name == JUDGE:
            wanted.append(("other", other, None))
        wanted += [(f"foreign {n}", own, rng) for n in range(foreign)]
        found[f"{first}-{last} begin"] = replays.weights_at_start(stretch)
        for what, lightning, drawn in wanted:
            options = {"arithmetic": "fast", "lightning": {"precision": lightning}}
            found[f"{first}-{last} {what}"] = replays.result(
                stretch, options, lambda _: None, drawn
            )
    torch.save(found, out)


def _recorded(pin: Path, model: Path) -> Recorded:
    from gen.provenance.houses.access import open_house
    from gen.provenance.manifests.model_file import read_model_file
    from gen.provenance.manifests.recorded import run_behind, transcript_of
    from gen.training.rebuild import Recorded

    house, file = open_house(None, pin), read_model_file(model)
    run = run_behind(file, house.load())
    assert run.begin  # noqa: S101 - `_train` entered it
    found = transcript_of(run, file, model)
    return Recorded(house.pin, run.begin, file, model, run.models, found, model.parent)


if __name__ == "__main__":
    given = sys.argv[1:]
    replay_here(Path(given[0]), Path(given[1]), given[2], int(given[3]), given[4], Path(given[5]))

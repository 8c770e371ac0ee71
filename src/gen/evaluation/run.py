"""One evaluation, from settings to the report. `evaluate` is what scripts and tests call."""

from __future__ import annotations

import hashlib
import itertools
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator

import gen
from gen.checkpoint import load_checkpoint
from gen.data.splits import Split
from gen.errors import HouseError, SettingError
from gen.evaluation import control, infilling, interval, likelihood, listening, originality, samples
from gen.evaluation.headlines import headlines
from gen.evaluation.listening.making import LEAST_SECONDS
from gen.evaluation.material import Material, Work, gather, matched, piece_of
from gen.evaluation.metrics import (
    diversity,
    frechet,
    one_nearest_neighbour,
    statistics,
    structure,
)
from gen.evaluation.page import page
from gen.evaluation.pictures import draw
from gen.evaluation.progress import Stages, Tick
from gen.evaluation.rungs import Rung, baselines, rungs_of
from gen.evaluation.settings import OPTIONAL, PARTS, EvaluationConfig, Sizes, read_settings
from gen.evaluation.store import Store, keep
from gen.likeness.originality import LearnedMusic
from gen.piece import Piece
from gen.provenance.house import House
from gen.provenance.manifest import Manifest
from gen.provenance.pin import Pin, load_pin
from gen.rendering import files
from gen.sampling.checkpoints import find_checkpoint
from gen.sampling.decode import DrawConfig
from gen.sampling.learned import learned_music
from gen.sampling.session import CPU
from gen.sampling.view import Row

FORMAT = "gen evaluation 1"

METRICS = {
    "statistics": statistics.compare,
    "nearest_neighbour": one_nearest_neighbour.compare,
    "structure": structure.compare,
    "diversity": diversity.compare,
}
"""Parts that compare pieces with works, for every rung."""

COMPARED = {**METRICS, "frechet": frechet.compare}
"""The same with those that need more than this house installs."""

ASKED = ("control", "infilling", "originality")
"""Parts that ask a checkpoint for something."""

WEIGHTS = {
    "likelihood": 5.0, "pieces": 4.0, "statistics": 1.0, "nearest_neighbour": 0.5,
    "structure": 1.0, "diversity": 0.5, "frechet": 5.0, "control": 12.0,
    "infilling": 1.0, "originality": 2.5,
}  # fmt: skip
"""How long each part takes beside the others, for the progress bar."""

PROMPT_BARS, WRITTEN_BARS = 4, 4
REPEATED_REQUESTS = 16
"""At most so many requests, and at most a third, are asked again for diversity."""
MOST_PAIRS = 12
"""So many pairs make a listening test of about half an hour."""
EXAMPLES = 4
"""So many pieces are pictured by their self-similarity."""


def evaluate(settings: Mapping[str, Any]) -> Path:
    """Measure checkpoints and write what was found below `out`.

    Args:
        settings: the composed `conf/evaluate.yaml`, as plain containers.

    Returns:
        `report.html`; beside it lies `report.json`.

    Raises:
        HouseError: a setting is wrong, or the checkpoints or the house cannot be used.
    """
    if "frechet" in read_settings(settings)[0].parts:
        frechet.require()
    bench, rungs = _prepared(settings)
    if bench.config.baselines:
        lower = baselines(bench.material)
        for rung in lower:
            rung.model.to(bench.config.device)
        rungs = [*lower, *rungs]
    return write(bench.measure(rungs), Path(bench.config.out))


def listen(settings: Mapping[str, Any]) -> Path | dict[str, Any]:
    """Make a blind listening test in the folder `listening`, or count the ratings that lie there.

    Args:
        settings: the composed `conf/evaluate.yaml`, with `listening` set.

    Returns:
        The page to hand out; or, once there is a test, its results, also in `results.json`.

    Raises:
        HouseError: a setting is wrong, more than one checkpoint, or no ratings yet.
    """
    config, *_ = read_settings(settings)
    folder = Path(config.listening or "")
    if (folder / "key.json").exists():
        found = listening.results(folder, sorted(folder.glob("ratings*.json")), seed=config.seed)
        keep(folder / "results.json", found)
        return found
    bench, rungs = _prepared(settings)
    if len(rungs) > 1:
        raise SettingError("a listening test is of one checkpoint", where="checkpoint")
    pairs = bench.pairs(rungs[0])
    return listening.build([ours for ours, _ in pairs], [work for _, work in pairs], folder)


def _prepared(settings: Mapping[str, Any]) -> tuple[Bench, list[Rung]]:
    """What to measure with, and the checkpoints."""
    config, sizes, chosen, names = read_settings(settings)
    if config.device != CPU and not torch.cuda.is_available():
        raise SettingError("PyTorch sees no CUDA device here", where="device", mend="device=cpu")
    pin = load_pin(Path(config.pin))
    found = [find_checkpoint(name) for name in names]
    checkpoints = [load_checkpoint(path) for path in found]
    for checkpoint in checkpoints:
        checkpoint.model.to(config.device)
    rungs = rungs_of(found, checkpoints)
    return Bench(config, sizes, chosen, pin, gather(pin, checkpoints)), rungs


def write(report: dict[str, Any], out: Path) -> Path:
    """Write `report.json`, `plots/` and `report.html`; return the last.

    Raises:
        HouseError: the folder cannot be written.
    """
    keep(out / "report.json", report)
    pictures = draw(report)
    for name, png in pictures.items():
        files.write(out / "plots" / f"{name}.png", png)
    return files.write(out / "report.html", page(report, pictures).encode())


def code_digest() -> str:
    """SHA-256 over this program's source files: another program, other figures perhaps."""
    root = Path(gen.__file__).parent
    sources = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
    whole = hashlib.sha256()
    for name in sources:
        whole.update(name.encode() + b"\0" + (root / name).read_bytes() + b"\0")
    return whole.hexdigest()


class Bench:
    """What is measured with, and where finished parts are kept."""

    def __init__(
        self,
        config: EvaluationConfig,
        sizes: Sizes,
        draw: DrawConfig,
        pin: Pin,
        material: Material,
    ) -> None:
        self.config, self.sizes, self.draw = config, sizes, draw
        self.pin, self.material = pin, material
        self.store = Store(Path(config.out) / "parts")
        side: Split = "test" if config.split == "test" else "validation"
        self.held = self._shuffled(material.sides[side], "held out")
        self.train = matched(self._shuffled(material.sides["train"], "train"), self.held)
        for works, name in ((self.held, config.split), (self.train, "train")):
            if not works:
                raise HouseError(
                    f"no work on the side {name!r} may be measured", where="split",
                    mend="hold out more works in training, or ask for consent to evaluation",
                )  # fmt: skip
        self.causes = {
            "code": code_digest(), "works": material.digest, "seed": config.seed,
            "device": config.device, "split": config.split, "sizes": asdict(sizes),
            "draw": asdict(draw),
        }  # fmt: skip
        self.stages: Stages
        self._houses: dict[str, tuple[LearnedMusic, dict[str, Any]]] = {}

    def _shuffled(self, works: Sequence[Work], name: str) -> list[Work]:
        return [works[i] for i in self.rng(name).permutation(len(works))]

    def rng(self, name: str) -> Generator:
        """A generator of its own for each purpose, the same for every rung."""
        return np.random.default_rng([self.config.seed, zlib.crc32(name.encode())])

    def part(self, rung: Rung, name: str, make: Callable[[Tick], Any]) -> Any:
        """A part of one rung: kept from before, or made now."""
        with self.stages.stage(f"{rung.name}: {name.replace('_', ' ')}") as tick:
            causes = {**self.causes, "part": name, "model": rung.cause}
            path = f"{hashlib.sha256(rung.cause.encode()).hexdigest()[:12]}/{name}"
            return self.store.get(path, causes, lambda: make(tick))

    # Everything ----------------------------------------------------------------------------

    def measure(self, rungs: Sequence[Rung]) -> dict[str, Any]:
        """All parts of all rungs, and the report that follows from them."""
        found: dict[str, dict[str, Any]] = {name: {} for name in PARTS + OPTIONAL}
        weights = {
            f"{rung.name}: {name.replace('_', ' ')}": WEIGHTS[name]
            * (1 if rung.checkpoint else 0.2)
            for rung in rungs
            for name in self._parts_of(rung)
        }
        with Stages(weights) as self.stages:
            for rung in rungs:
                for name, value in self._measure(rung):
                    found[name][rung.name] = value
        report: dict[str, Any] = {
            "format": FORMAT,
            "code_version": gen.__version__,
            "torch": torch.__version__,
            "seed": self.config.seed,
            "split": self.config.split,
            "fast": self.config.fast,
            "house": self.material.house,
            "notes": list(self.material.notes),
            "works": {side: len(works) for side, works in self.material.sides.items()},
            "sizes": asdict(self.sizes),
            "draw": asdict(self.draw),
            "rungs": [rung.to_dict() for rung in rungs],
            **{name: value for name, value in found.items() if value},
        }
        if "likelihood" in report:
            report["likelihood"] = self._likelihood(found["likelihood"])
        report["headlines"] = headlines(report)
        return report

    def _parts_of(self, rung: Rung) -> list[str]:
        wanted = [name for name in self.config.parts if name == "likelihood" or name in COMPARED]
        if rung.checkpoint is not None:
            wanted += [n for n in self.config.parts if n in ASKED]
        if any(name in COMPARED or name == "originality" for name in wanted):
            wanted.append("pieces")
        return sorted(wanted, key=list(WEIGHTS).index)

    def _measure(self, rung: Rung) -> list[tuple[str, Any]]:
        wanted, found = self._parts_of(rung), []
        if "likelihood" in wanted:
            found.append(("likelihood", self.part(rung, "likelihood", self._bits(rung))))
        rows = self.part(rung, "pieces", self._pieces(rung)) if "pieces" in wanted else []
        generated = [piece for r in rows if (piece := _piece(r)).note_count]
        for name in COMPARED:
            if name in wanted:
                make = self._compared(name, generated)
                found.append((name, self.part(rung, name, make)))
        if "control" in wanted:
            found.append(("control", self.part(rung, "control", self._control(rung))))
        if "infilling" in wanted:
            found.append(("infilling", self.part(rung, "infilling", self._infilling(rung))))
        if "originality" in wanted:
            make = self._originality(rung, generated)
            found.append(("originality", self.part(rung, "originality", make)))
        return found

    def pairs(self, rung: Rung) -> list[tuple[Piece, Piece]]:
        """Pieces of one rung, each beside the held-out work whose genre and length it was given."""
        with Stages({f"{rung.name}: pieces": 1.0}) as self.stages:
            rows = self.part(rung, "pieces", self._pieces(rung))
        works = [work.piece(self.sizes.bars) for work in self.held]
        found = [(_piece(r), work) for r, work in zip(rows, works, strict=False)]
        long = [pair for pair in found if all(_seconds(p) >= LEAST_SECONDS for p in pair)]
        return long[:MOST_PAIRS]

    # Parts ---------------------------------------------------------------------------------

    def _bits(self, rung: Rung) -> Callable[[Tick], Any]:
        def make(tick: Tick) -> Any:
            sides = (self.held[: self.sizes.works], self.train[: self.sizes.works])
            held, train = (
                likelihood.measure(
                    rung.model, works, rung.window,
                    tick=lambda share, first=first: tick((first + share) / 2),  # type: ignore[misc]
                )
                for first, works in enumerate(sides)
            )  # fmt: skip
            return {"held_out": held, "train": train}

        return make

    def _likelihood(self, rows: dict[str, Any]) -> dict[str, Any]:
        """Figures of every rung, and each rung beside the one below it."""
        names = list(rows)
        figures = {
            name: {
                **likelihood.figures(found["held_out"], self.rng("likelihood")),
                "gauge": likelihood.gauge(found["held_out"], found["train"], self.rng("gauge")),
            }
            for name, found in rows.items()
        }
        against = [self._against(below, above, rows) for below, above in itertools.pairwise(names)]
        return {"rungs": figures, "against": against}

    def _against(self, below: str, above: str, rows: dict[str, Any]) -> dict[str, Any]:
        gap = likelihood.against(
            rows[above]["held_out"], rows[below]["held_out"], self.rng("against")
        )
        return {"from": below, "to": above, "more": gap, "verdict": interval.verdict(gap)}

    def _pieces(self, rung: Rung) -> Callable[[Tick], Any]:
        works = [self.held[i % len(self.held)] for i in range(self.sizes.pieces)]
        seed = [self.config.seed, zlib.crc32(b"pieces")]
        return lambda tick: samples.write(
            rung.model,
            rung.limited(samples.like(works, self.sizes.bars)),
            self.draw,
            seed,
            tick=tick,
        )

    @cached_property
    def beginnings(self) -> tuple[list[Piece], list[Piece]]:
        """What pieces are compared with: works held out and works learned from, cut like them."""
        held, train = (
            [work.piece(self.sizes.bars) for work in works[: self.sizes.pieces]]
            for works in (self.held, self.train)
        )
        return held, train

    def _compared(self, name: str, generated: Sequence[Piece]) -> Callable[[Tick], Any]:
        def make(tick: Tick) -> Any:
            if not generated:
                return None
            reference, train = self.beginnings
            found = COMPARED[name](generated, reference, train, self.rng(name))
            if name == "structure":
                found["examples"] = {
                    side: [_matrix(piece) for piece in pieces[:EXAMPLES]]
                    for side, pieces in (("generated", generated), ("reference", reference))
                }
            return found

        return make

    def _control(self, rung: Rung) -> Callable[[Tick], Any]:
        def make(tick: Tick) -> Any:
            rng = self.rng("control")
            asked = control.requests(self.material.sides["train"], self.sizes.requests, rng)
            repeated = min(REPEATED_REQUESTS, math.ceil(len(asked) / 3))
            again = asked[:repeated] * (self.sizes.repeats - 1)
            walks = [control.walk_of(request) for request in [*asked, *again]]
            seed = [self.config.seed, zlib.crc32(b"control")]
            rows = samples.write(rung.model, rung.limited(walks), self.draw, seed, tick=tick)
            pairs = list(zip(rows, asked, strict=False))
            scores = [control.score(*pair) for pair in pairs]
            receipts = [control.receipt(*pair) for pair in pairs]
            works = control.of_works(self.held[: len(asked)], rng)
            groups = [
                [_piece(r) for r in [rows[i], *rows[len(asked) + i :: repeated]]]
                for i in range(repeated)
            ]
            return {
                "requests": len(asked),
                "scores": control.figures(scores, receipts, asked, works, rng),
                "diversity": control.diversity(groups, rng),
            }

        return make

    def _infilling(self, rung: Rung) -> Callable[[Tick], Any]:
        def make(tick: Tick) -> Any:
            rng = self.rng("infilling")
            found = (infilling.gap_of(work, rung.window, rng) for work in self.held)
            gaps = list(itertools.islice((gap for gap in found if gap), self.sizes.holes))
            if not gaps:
                return None
            bits = infilling.measure(rung.model, gaps, tick=lambda share: tick(share / 2))
            seed = [self.config.seed, zlib.crc32(b"infilling")]
            rows = samples.write(
                rung.model,
                rung.limited([infilling.walk_of(gap) for gap in gaps]),
                self.draw,
                seed,
                tick=lambda share: tick((1 + share) / 2),
            )
            return infilling.figures(gaps, bits, rows, rng)

        return make

    def _borrowed(self, manifest: Manifest, tick: Tick) -> tuple[LearnedMusic, dict[str, Any]]:
        """The works learned from and what they borrow from each other: once for all models."""
        if manifest.digest not in self._houses:
            music = learned_music(House(self.pin), manifest)
            known = {work.work for work in music.works}
            works = self._shuffled(self.material.corpus, "house")[: self.sizes.house_works]
            self._houses[manifest.digest] = music, originality.house(
                music, [work for work in works if work.id in known], self.sizes.bars,
                self.rng("borrowed"), tick=tick,
            )  # fmt: skip
        return self._houses[manifest.digest]

    def _originality(self, rung: Rung, generated: Sequence[Piece]) -> Callable[[Tick], Any]:
        def make(tick: Tick) -> Any:
            assert rung.checkpoint is not None  # noqa: S101 - asked of checkpoints alone
            rng = self.rng("originality")
            music, borrowed = self._borrowed(
                rung.checkpoint.manifest, lambda share: tick(share / 3)
            )
            ours = originality.outputs(
                music, generated, borrowed, rng, tick=lambda share: tick((1 + share) / 3)
            )
            given = originality.extraction(
                rung.model, self.train[: self.sizes.prompts], self.held[: self.sizes.prompts],
                PROMPT_BARS, WRITTEN_BARS, [self.config.seed, zlib.crc32(b"extraction")], rng,
                tick=lambda share: tick((2 + share) / 3),
            )  # fmt: skip
            return {
                "compared_with": len(music.works),
                "missing": music.to_dict(),
                "house": borrowed,
                "outputs": ours,
                "extraction": given,
            }

        return make


def _seconds(piece: Piece) -> float:
    return piece.seconds_at(piece.end_ticks)


def _matrix(piece: Piece) -> list[list[float]]:
    """A self-similarity matrix for a picture."""
    found: list[list[float]] = structure.self_similarity(piece).round(2).tolist()
    return found


def _piece(rows: Sequence[Row]) -> Piece:
    return piece_of(np.array(rows, dtype=np.int16))

"""One evaluation, from settings to the report. `evaluate` is what scripts and tests call."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

import gen
from gen.checkpoint import Checkpoint, load_checkpoint
from gen.data.splits import Split
from gen.disk import check_can_write
from gen.errors import SettingError
from gen.evaluation import artists, parts
from gen.evaluation.bench import Bench
from gen.evaluation.listeners import listening, ratings
from gen.evaluation.page import write
from gen.evaluation.progress import Stages
from gen.evaluation.recorded import notes_on
from gen.evaluation.report.headlines import headlines
from gen.evaluation.report.part import EvaluationPart
from gen.evaluation.settings import EvaluationConfig, read_settings
from gen.evaluation.store import PartStore, keep
from gen.evaluation.subjects.models import Candidate, baselines, candidates_of
from gen.evaluation.subjects.works import gather, piece_of_rows
from gen.piece import Piece
from gen.provenance.records.pin import Pin, load_pin
from gen.provenance.signing.code import code_digest
from gen.sampling.opening.checkpoints import find_checkpoint
from gen.settings import CPU

FORMAT = "gen evaluation 2"
_PIECES, _PIECES_COST = "pieces", 4.0
_BASELINE_COST = 0.2
_MOST_PAIRS = 12
"""So many pairs make a listening test of about half an hour."""


def evaluate(settings: Mapping[str, Any]) -> Path:
    """Measure checkpoints and write what was found below `out`.

    Args:
        settings: the composed `conf/evaluate.yaml`, as plain containers.

    Returns:
        `report.html`; beside it lies `report.json`.

    Raises:
        HouseError: a setting is wrong, or the checkpoints or the house cannot be used.
    """
    config, *_ = read_settings(settings)
    for part in _wanted(config):
        part.check()
    bench, models = _prepared(settings)
    if config.baselines:
        models = [*baselines(bench.house), *models]
    for candidate in models:
        candidate.model.to(config.device)
    return write(_Measuring(bench, models).report(), Path(config.out))


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
        found = ratings.results(folder, sorted(folder.glob("ratings*.json")), seed=config.seed)
        keep(folder / "results.json", found)
        return found
    bench, models = _prepared(settings)
    if len(models) > 1:
        raise SettingError("a listening test is of one checkpoint", where="checkpoint")
    pairs = _Measuring(bench, models).pairs()
    return listening.build([ours for ours, _ in pairs], [work for _, work in pairs], folder)


def tell_apart(settings: Mapping[str, Any]) -> dict[str, Any]:
    """How well models of several artists are told apart; it is also written to `artists.json`.

    Args:
        settings: the composed `conf/evaluate.yaml`, with `artists` set.

    Raises:
        HouseError: as `evaluate`, or the checkpoints are not of several artists.
    """
    config, sizes, draw, names = read_settings(settings)
    pin, paths, checkpoints = _opened(config, names)
    models = artists.artists_of(checkpoints)
    judged = [
        path for path, each in zip(paths, checkpoints, strict=True) if each in models.values()
    ]
    unknown = notes_on(pin, judged, list(models.values()), unrecorded=config.unrecorded)
    side: Split = "test" if config.split == "test" else "validation"
    works = artists.works_of(pin, models, side)
    named = artists.named(candidates_of(paths, checkpoints))
    found = artists.tell_apart(config, sizes, draw, works, named)
    found = {"house": pin.name, "notes": [*unknown, *works.notes], **found}
    keep(Path(config.out) / "artists.json", found)
    return found


def _opened(
    config: EvaluationConfig, names: Sequence[str]
) -> tuple[Pin, list[Path], list[Checkpoint]]:
    """The house's pin, and the checkpoints.

    Raises:
        HouseError: there is no such device, pin or checkpoint, or nothing could be written.
    """
    for folder in filter(None, (config.out, config.listening)):
        check_can_write(Path(folder), is_folder=True)
    if config.device != CPU and not torch.cuda.is_available():
        raise SettingError("PyTorch sees no CUDA device here", where="device", mend="device=cpu")
    paths = [find_checkpoint(name) for name in names]
    return load_pin(Path(config.pin)), paths, [load_checkpoint(path) for path in paths]


def _prepared(settings: Mapping[str, Any]) -> tuple[Bench, list[Candidate]]:
    """What to measure with, and the checkpoints."""
    config, sizes, draw, names = read_settings(settings)
    pin, paths, checkpoints = _opened(config, names)
    unknown = notes_on(pin, paths, checkpoints, unrecorded=config.unrecorded)
    works = gather(pin, checkpoints)
    works = replace(works, notes=(*unknown, *works.notes))
    models = candidates_of(paths, checkpoints)
    return Bench(config, sizes, draw, pin, works), models


def _wanted(config: EvaluationConfig) -> list[EvaluationPart]:
    return [part for part in parts.ALL if part.name in config.parts]


class _Measuring:
    """Every part of every model, kept on disk as it is finished."""

    def __init__(self, bench: Bench, models: Sequence[Candidate]) -> None:
        self.bench, self.models = bench, models
        self.store = PartStore(Path(bench.config.out) / "parts")
        config = bench.config
        self.causes = {
            "code": code_digest(), "works": bench.house.digest, "seed": config.seed,
            "device": config.device, "split": config.split, "sizes": asdict(bench.sizes),
            "draw": asdict(bench.draw),
        }  # fmt: skip

    def report(self) -> dict[str, Any]:
        """All parts of all models, and what follows from them."""
        wanted = _wanted(self.bench.config)
        found: dict[str, dict[str, Any]] = {part.name: {} for part in wanted}
        costs = {
            _stage(candidate, name): cost * (1 if candidate.checkpoint else _BASELINE_COST)
            for candidate in self.models
            for name, cost in _stages(candidate, wanted, self.bench.house.house)
        }
        with Stages(costs) as self.stages:
            for candidate in self.models:
                for part, value in self._measured(candidate, wanted):
                    found[part.name][candidate.name] = value
        report = self._head() | {
            part.name: part.collect(self.bench, found[part.name])
            for part in wanted
            if found[part.name]
        }
        return {**report, "headlines": headlines(report)}

    def _measured(
        self, candidate: Candidate, wanted: Sequence[EvaluationPart]
    ) -> Iterator[tuple[EvaluationPart, Any]]:
        mine = _parts_of(candidate, wanted, self.bench.house.house)
        first = [part for part in mine if not part.uses_pieces and part.of_baselines]
        for part in first:
            yield part, self._part(candidate, part)
        if any(part.uses_pieces for part in mine):
            self._write_pieces(candidate)
        for part in (part for part in mine if part not in first):
            yield part, self._part(candidate, part)

    def _part(self, candidate: Candidate, part: EvaluationPart) -> Any:
        return self._kept(
            candidate, part.name, lambda tick: part.measure(self.bench, candidate, tick)
        )

    def _write_pieces(self, candidate: Candidate) -> list[Any]:
        rows: list[Any] = self._kept(
            candidate, _PIECES, lambda tick: self.bench.pieces(candidate, tick)
        )
        self.bench.take(candidate, rows)
        return rows

    def _kept(self, candidate: Candidate, name: str, make: Any) -> Any:
        """Kept from before, or made now."""
        with self.stages.stage(_stage(candidate, name)) as tick:
            causes = {**self.causes, "part": name, "model": candidate.cause}
            folder = hashlib.sha256(candidate.cause.encode()).hexdigest()[:12]
            return self.store.get(f"{folder}/{name}", causes, lambda: make(tick))

    def _head(self) -> dict[str, Any]:
        config, house = self.bench.config, self.bench.house
        return {
            "format": FORMAT,
            "code_version": gen.__version__,
            "torch": torch.__version__,
            "seed": config.seed,
            "split": config.split,
            "fast": config.fast,
            "house": house.house,
            "notes": [*house.notes, *_left_out(self.models, _wanted(config), house.house)],
            "works": {side: len(works) for side, works in house.sides.items()},
            "sizes": asdict(self.bench.sizes),
            "draw": asdict(self.bench.draw),
            "models": [candidate.to_dict() for candidate in self.models],
        }

    def pairs(self) -> list[tuple[Piece, Piece]]:
        """Pieces of the one model, each beside the held-out work whose genre and length it has."""
        (candidate,) = self.models
        with Stages({_stage(candidate, _PIECES): 1.0}) as self.stages:
            rows = self._write_pieces(candidate)
        works = [work.piece(self.bench.sizes.bars) for work in self.bench.held]
        found = [(piece_of_rows(r), work) for r, work in zip(rows, works, strict=False)]
        least = listening.LEAST_SECONDS
        return [pair for pair in found if all(_seconds(p) >= least for p in pair)][:_MOST_PAIRS]


def _parts_of(
    candidate: Candidate, wanted: Sequence[EvaluationPart], house: str
) -> list[EvaluationPart]:
    return [
        part
        for part in wanted
        if (part.of_baselines or candidate.checkpoint is not None)
        and not (part.of_events and candidate.tokens is not None)
        and not (part.of_learned and candidate.is_elsewhere(house))
    ]


def _left_out(
    models: Sequence[Candidate], wanted: Sequence[EvaluationPart], house: str
) -> Iterator[str]:
    """What is not measured of models of other tokens, and of another house, a sentence for each."""
    of_events = [part.name.replace("_", " ") for part in wanted if part.of_events]
    of_learned = [part.name.replace("_", " ") for part in wanted if part.of_learned]
    for one in models:
        if one.checkpoint is None:
            continue
        if one.tokens is not None and of_events:
            yield (
                f"{one.name} writes {one.checkpoint.tokenization.name} tokens: "
                f"{', '.join(of_events)}, which ask for the house's events, were left out."
            )
        if one.is_elsewhere(house) and of_learned:
            yield (
                f"{one.name} learned from works of {one.checkpoint.manifest.house}, which are not "
                f"here; left out: {', '.join(of_learned)}."
            )


def _stages(
    candidate: Candidate, wanted: Sequence[EvaluationPart], house: str
) -> Iterator[tuple[str, float]]:
    mine = _parts_of(candidate, wanted, house)
    if any(part.uses_pieces for part in mine):
        yield _PIECES, _PIECES_COST
    for part in mine:
        yield part.name, part.cost


def _stage(candidate: Candidate, name: str) -> str:
    return f"{candidate.name}: {name.replace('_', ' ')}"


def _seconds(piece: Piece) -> float:
    return piece.seconds_at(piece.end_ticks)

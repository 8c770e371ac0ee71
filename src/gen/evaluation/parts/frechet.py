"""Fréchet Music Distance: how far pieces are from works as a model trained elsewhere hears them.

Never part of the usual report: asked for with `parts=[…,frechet]`, where the user has installed
the package `frechet-music-distance` and put its weights (CLaMP 2, and the text model that it is
built around) where it looks for them. Nothing is ever fetched: the package runs offline, and its
own download is refused.

Definition: CLaMP 2 turns each piece, written as a MIDI file, into a vector; the distance is that
of Fréchet between two normal distributions with the means and covariances of two sets of vectors.

Formula: |m - w|² + tr C + tr D - 2 tr (C D)^½ with means m, w and covariances C, D. For centred
vectors A (n, d) and B (n', d) the last trace is the nuclear norm of A Bᵀ over √((n-1)(n'-1)), which
also holds where there are fewer pieces than dimensions. The distance of small sets is too large,
equal sets' too: beside it stands its *chance* level (`contrast`), what 95 % of random divisions of
the same pieces into two such sets stay below. Intervals: over random halves (`halves`).

Source: Retkowski, Stępniak & Modrzejewski 2024, "Frechet Music Distance", arXiv:2412.07948; Wu et
al. 2024, "CLaMP 2". Deviations: none in the value (their `mle` estimator); chance and interval
are added. What CLaMP 2 was trained on is not this house's music: the figure compares, nothing
is learned from it.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from gen.errors import HouseError
from gen.evaluation.measures.interval import (
    Groups,
    counted,
    divided,
    halves,
    numbered,
    spread_figure,
)
from gen.evaluation.measures.notes import Floats, PieceSets
from gen.evaluation.report.part import EvaluationPart, Table, cell, comparing, each, number
from gen.evaluation.report.plots import Report
from gen.piece import Piece
from gen.smf import write

PACKAGE = "frechet_music_distance"
_DRAWS = 200
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def frechet_distance(first: Floats, second: Floats) -> float:
    """Of two sets of vectors, (n, d) and (m, d); n, m >= 2."""
    means = [rows.mean(axis=0) for rows in (first, second)]
    a, b = (
        (rows - mean) / math.sqrt(len(rows) - 1)
        for rows, mean in zip((first, second), means, strict=True)
    )
    gap = means[0] - means[1]
    shared = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(max(gap @ gap + (a * a).sum() + (b * b).sum() - 2 * shared, 0.0))


def compare(sets: PieceSets, rng: Generator) -> dict[str, Any]:
    """Distances from the reference.

    Args:
        sets: generated pieces, works held out and works learned from.
        rng: draws pieces.

    Returns:
        `counts`; `apart` (generated pieces) and `real` (works learned from): a figure with
        `chance` and whether it `differs`; None for sets of fewer than four pieces.

    Raises:
        HouseError: the package or its weights are not there.
    """
    vectors = {side: embedded(pieces) for side, pieces in sets.pieces.items()}
    generated_by, held, learned = sets.groups.values()
    works = vectors["reference"]
    return {
        "counts": sets.counts,
        "apart": versus(vectors["generated"], works, rng, (generated_by, held)),
        "real": versus(vectors["train"], works, rng, (learned, held)),
    }


def versus(
    first: Floats, second: Floats, rng: Generator, groups: tuple[Groups, Groups] = (None, None)
) -> dict[str, Any] | None:
    """The distance of two sets with its interval and chance level; None where one is below four."""
    n, m = len(first), len(second)
    if min(n, m) < 4:
        return None
    both = np.concatenate([first, second])
    value = frechet_distance(first, second)
    sides = [halves(size, _DRAWS, rng, own) for size, own in zip((n, m), groups, strict=True)]
    smaller = min(counted(own, size) for size, own in zip((n, m), groups, strict=True))
    drawn = [frechet_distance(first[a], second[b]) for a, b in zip(*sides, strict=True)]
    known = [numbered(own, size) for size, own in zip((n, m), groups, strict=True)]
    together = np.concatenate([known[0], known[1] if groups[0] is not None else known[1] + n])
    sides_by_chance = divided(n + m, n, _DRAWS, rng, together)
    chance = float(
        np.quantile([frechet_distance(both[d], both[~d]) for d in sides_by_chance], 0.95)
    )
    found = spread_figure(value, np.array(drawn), min(n, m), groups=smaller)
    return {**found, "chance": chance, "differs": value > chance}


# The package --------------------------------------------------------------------------------


def require() -> None:
    """See that the distance can be taken here, before anything is measured.

    Raises:
        HouseError: the package or its weights are not there.
    """
    _extractor()


@cache
def _extractor() -> Any:
    """CLaMP 2, from what is on this machine."""
    mend = f"install {PACKAGE.replace('_', '-')} and its weights, or leave frechet out of parts"
    if find_spec(PACKAGE) is None:
        raise HouseError(f"the package {PACKAGE} is not installed", where="parts", mend=mend)
    os.environ.update(dict.fromkeys(_OFFLINE, "1"))
    weights = Path(import_module(f"{PACKAGE}.models.clamp2.config").CLAMP2_WEIGHTS_PATH)
    if not weights.is_file():
        raise HouseError("the weights of CLaMP 2 are not there", where=str(weights), mend=mend)
    base: Any = import_module(f"{PACKAGE}.models").CLaMP2Extractor
    try:
        return type("Offline", (base,), {"_download_checkpoint": _refused})(verbose=False)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise HouseError(f"CLaMP 2 cannot be read: {error}", where="parts", mend=mend) from error


def _refused(extractor: Any) -> None:
    raise OSError("its weights cannot be read, and nothing is fetched")


def embedded(pieces: Sequence[Piece]) -> Floats:
    """Each piece as CLaMP 2 hears it, (n, d).

    Raises:
        HouseError: the package or its weights are not there.
    """
    extractor = _extractor()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "piece.mid"
        for piece in pieces:
            path.write_bytes(write(piece))
            rows.append(np.asarray(extractor.extract_feature(path), dtype=np.float64).ravel())
    return np.array(rows)


# The part -----------------------------------------------------------------------------------


def _tables(report: Report) -> Iterator[Table]:
    sides = {"apart": "generated", "real": "works learned from"}
    for model, found in each(report, "frechet"):
        rows = [
            [title, cell(row), number(row["chance"]),
             "differs" if row["differs"] else "no difference found"]
            for side, title in sides.items()
            if (row := found[side])
        ]  # fmt: skip
        heads = ["", "distance", "by chance", ""]
        yield Table(f"{model}: distance from works held out", heads, rows)


PART = EvaluationPart(
    name="frechet",
    title="As another model hears it",
    meaning="A model trained elsewhere, on other music, listens to pieces and works. The distance "
    "says how far they lie apart to its ears; works learned from stand beside them.",
    definition=__doc__,
    cost=5.0,
    measure=comparing("frechet", lambda sets, rng: compare(sets, rng)),
    tables=_tables,
    of_baselines=True,
    uses_pieces=True,
    optional=True,
    check=lambda: require(),
)

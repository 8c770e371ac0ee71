"""Are artists told apart: their works by their models, and their models' pieces by their works?

Definition: each artist's model is held against every other on the works that it was kept from and
that may be measured; the model that all began with is measured beside them where it is named, too.

- `bits_per_note`: of the works of one artist, what each model costs (`parts.likelihood`), and
  `more`: how many bits more each other model costs than the artist's own, on the same works.
- `works_told`: the share of works that cost least under the model of their own artist.
- `pieces_told`: the share of pieces that are nearest (`similarity`) to a work of the artist whose
  model wrote them, of all that they have, learned from or not: those held out are too few to have
  all that an artist does. All models write to the same requests with the same seeds, and are told
  nothing but how many bars, so that those that know nothing of their artists are right by `chance`:
  one time in as many as there are artists. `by_model` has the pieces of each model, and of what
  they began with the share that each artist's works are nearest to.
- `works_near`: the same of the works themselves, with those related to them passed over: how far
  this nearness tells the artists apart at all.

Interval: by groups of works (`interval.ratio`, `interval.share_of`); of pieces by requests, where
the works that they are held against are taken as they are.
Source: as of `nearest_neighbour`. What is told apart is all that the artists differ in, their
genres and instruments among it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from gen.checkpoint import Checkpoint
from gen.data.splits import Split
from gen.errors import SettingError
from gen.evaluation.bits import Row, measure
from gen.evaluation.measures import interval
from gen.evaluation.measures.interval import Figure
from gen.evaluation.measures.notes import Bools, Floats
from gen.evaluation.measures.similarity import distances
from gen.evaluation.parts.likelihood import against, cost_of
from gen.evaluation.progress import Stages, Tick
from gen.evaluation.settings import EvaluationConfig, Sizes
from gen.evaluation.subjects import samples
from gen.evaluation.subjects.models import Candidate
from gen.evaluation.subjects.works import MeasuredWork, gather, piece_of_rows, spread_out
from gen.piece import Piece
from gen.provenance.records.consent import artist_of
from gen.provenance.records.pin import Pin
from gen.sampling.decoding.draw import DrawConfig

FORMAT = "gen artists 1"
BASE = "(base)"
"""The model that all of them began with; no composer's id is written so."""


def artists_of(checkpoints: Sequence[Checkpoint]) -> dict[str, Checkpoint]:
    """The model of each artist; the one that all of them began with may be among the checkpoints.

    Raises:
        SettingError: fewer than two artists, two models of one, a model that is of no artist and
            that not all of them began with, or one of other tokens than the house's events.
    """
    found: dict[str, Checkpoint] = {}
    others = []
    for checkpoint in checkpoints:
        if not checkpoint.tokenization.is_house:
            raise SettingError(
                f"reads {checkpoint.tokenization.name}", where="checkpoint",
                mend="artists are told apart in the house's events: tokenizer=house",
            )  # fmt: skip
        artist = artist_of(checkpoint.manifest.purpose)
        if artist is None:
            others.append(checkpoint)
        elif artist in found:
            raise SettingError(f"two models of {artist}", where="checkpoint", mend="name one")
        else:
            found[artist] = checkpoint
    if len(found) < 2:
        raise SettingError(
            f"models of {len(found)} artists are named", where="artists",
            mend="checkpoint=[A.safetensors,B.safetensors]: of two artists or more, as "
            "experiment=artist leaves them",
        )  # fmt: skip
    if len(others) > 1:
        raise SettingError("names several bases", where="checkpoint", mend="leave out all but one")
    for other in others:
        if any(
            other.digest not in {base.file_sha256 for base in each.manifest.bases}
            for each in found.values()
        ):
            raise SettingError(
                f"a model for {other.manifest.purpose} that not all of the others began with",
                where="checkpoint", mend="leave it out",
            )  # fmt: skip
    return found


def named(candidates: Sequence[Candidate]) -> dict[str, Candidate]:
    """The candidates by their artists' names, the model that they began with as `BASE`."""
    found = {}
    for each in candidates:
        purpose = each.checkpoint.manifest.purpose if each.checkpoint else ""
        found[artist_of(purpose) or BASE] = each
    return found


class ArtistsWorks(NamedTuple):
    """The works of artists that may be measured.

    Attributes:
        held: those held out, by artist.
        all: those, and those learned from.
        notes: what a reader should know of them.
    """

    held: dict[str, list[MeasuredWork]]
    all: dict[str, list[MeasuredWork]]
    notes: list[str]


def works_of(pin: Pin, models: Mapping[str, Checkpoint], side: Split) -> ArtistsWorks:
    """Each artist's works; those that another of the models learned from are left out.

    Args:
        pin: of their house.
        models: by artist.
        side: which works are held out.

    Raises:
        SettingError: an artist has none that is held out.
        HouseError: as `gather`.
    """
    works = ArtistsWorks({}, {}, [])
    for artist, checkpoint in models.items():
        found = gather(pin, [checkpoint])
        foreign = {
            work.work
            for other in models.values() if other is not checkpoint
            for work in other.manifest.works
        }  # fmt: skip
        own = {
            name: spread_out([work for work in chosen if work.id not in foreign])
            for name, chosen in found.sides.items()
        }
        if not own[side]:
            raise SettingError(
                f"no work of {artist} on the side {side!r} may be measured", where="split",
                mend="hold out works in training: data.split.test=0.4",
            )  # fmt: skip
        works.held[artist] = own[side]
        works.all[artist] = [work for chosen in own.values() for work in chosen]
        works.notes.extend(f"{artist}: {note}" for note in found.notes)
    return works


# By likelihood ---------------------------------------------------------------------------


def by_likelihood(
    rows: Mapping[str, Mapping[str, Sequence[Row]]],
) -> tuple[dict[str, Any], Figure]:
    """What each model costs on each artist's works, and the share of all works that are told.

    Args:
        rows: by artist, then by model: that of an artist by the artist's name, or `BASE`.
    """
    artists: dict[str, Any] = {}
    every: list[float] = []
    groups: list[str] = []
    for artist, found in rows.items():
        hits = told(found, artist)
        own = [row["group"] for row in found[artist]]
        more = {name: against(cost, found[artist]) for name, cost in found.items()}
        del more[artist]
        artists[artist] = {
            "works": len(hits),
            "bits_per_note": {name: cost_of(cost) for name, cost in found.items()},
            "more": {n: {**gap, "verdict": interval.verdict(gap)} for n, gap in more.items()},
            "works_told": interval.share_of(hits, own),
        }
        every += hits.tolist()
        groups += [f"{artist} {group}" for group in own]
    return artists, interval.share_of(every, groups)


def told(found: Mapping[str, Sequence[Row]], artist: str) -> Bools:
    """Which works cost least under the artist's own model, of those of artists; (works,)."""
    costs = {name: np.array([sum(row["fields"]) for row in cost]) for name, cost in found.items()}
    others = [cost for name, cost in costs.items() if name not in (artist, BASE)]
    return np.asarray(costs[artist] < np.min(others, axis=0))


# By nearness -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ArtistsMusic:
    """Pieces in a row, each with whose it is and what it is related to.

    Attributes:
        pieces: n of them.
        artists: whose each is.
        groups: of each; those of one group are passed over.
    """

    pieces: list[Piece]
    artists: list[str]
    groups: list[str]


def nearest(distance: Floats, artists: Sequence[str]) -> dict[str, Floats]:
    """Of each piece, how far the nearest works are each artist's: shares that add up to 1.

    Args:
        distance: (n, works) of pieces from works, inf where one is passed over.
        artists: whose each work is.
    """
    is_nearest = distance == distance.min(axis=1, keepdims=True)
    whose = np.asarray(artists)
    return {
        artist: np.asarray(is_nearest[:, whose == artist].sum(axis=1) / is_nearest.sum(axis=1))
        for artist in dict.fromkeys(artists)
    }


def by_nearness(written: Mapping[str, Sequence[Piece]], works: ArtistsMusic) -> dict[str, Any]:
    """Whose works the pieces of each model are nearest to.

    Args:
        written: by model the pieces it wrote, request by request.
        works: of the artists.
    """
    count = len(works.pieces)
    every = [*works.pieces, *(piece for pieces in written.values() for piece in pieces)]
    distance = distances(every)["together"][:, :count]
    groups = np.asarray(works.groups)
    related = groups[:, None] == groups
    among = nearest(np.where(related, np.inf, distance[:count]), works.artists)
    near = [among[artist][place] for place, artist in enumerate(works.artists)]
    by_model: dict[str, Any] = {}
    hits: list[float] = []
    start = count
    for name, pieces in written.items():
        shares = nearest(distance[start : start + len(pieces)], works.artists)
        start += len(pieces)
        if name == BASE:
            by_model[name] = {a: interval.share_of(x, None) for a, x in shares.items()}
        else:
            by_model[name] = interval.share_of(shares[name], None)
            hits += shares[name].tolist()
    requests = len(hits) // max(len(written) - (BASE in written), 1)
    return {
        "works_near": interval.share_of(near, works.groups),
        "pieces_told": interval.share_of(hits, np.arange(len(hits)) % max(requests, 1)),
        "by_model": by_model,
    }


def _write(
    candidate: Candidate, works: Sequence[MeasuredWork], sizes: Sizes, draw: DrawConfig, seed: int,
    tick: Tick,
) -> list[Piece]:  # fmt: skip
    """A piece of each work's length, cut, for which nothing else is asked."""
    asked = [replace(works[i % len(works)], genre=None) for i in range(sizes.pieces)]
    rows = samples.write(
        candidate.model, candidate.limited(samples.like(asked, sizes.bars)), draw,
        [seed, zlib.crc32(b"artists")], tick=tick,
    )  # fmt: skip
    return [piece_of_rows(each) for each in rows]


# Both ------------------------------------------------------------------------------------


def tell_apart(
    config: EvaluationConfig, sizes: Sizes, draw: DrawConfig, works: ArtistsWorks,
    models: Mapping[str, Candidate],
) -> dict[str, Any]:  # fmt: skip
    """Measure it.

    Args:
        config: what is measured.
        sizes: how much; so many `works` at most of each artist.
        draw: how pieces are drawn.
        works: of each artist.
        models: by artist, and `BASE`.
    """
    chosen = {artist: held[: sizes.works] for artist, held in works.held.items()}
    rows: dict[str, dict[str, list[Row]]] = {artist: {} for artist in chosen}
    written: dict[str, list[Piece]] = {}
    turns = [work for some in zip(*_evenly(chosen), strict=True) for work in some]
    stages = {f"{name}: {what}": 1.0 for name in models for what in ("works", "pieces")}
    with Stages(stages) as progress:
        for name, candidate in models.items():
            candidate.model.to(config.device)
            with progress.stage(f"{name}: works") as tick:
                for artist, held in chosen.items():
                    rows[artist][name] = measure(candidate.model, held, candidate.window, tick=tick)
            with progress.stage(f"{name}: pieces") as tick:
                written[name] = _write(candidate, turns, sizes, draw, config.seed, tick)
    artists, works_told = by_likelihood(rows)
    music = ArtistsMusic(
        [work.piece(sizes.bars) for own in works.all.values() for work in own],
        [artist for artist, own in works.all.items() for _ in own],
        [work.group for own in works.all.values() for work in own],
    )
    return {
        "format": FORMAT, "seed": config.seed, "split": config.split,
        "models": {name: candidate.to_dict() for name, candidate in models.items()},
        "artists": artists, "works_told": works_told, "chance": 1 / len(chosen),
        **by_nearness(written, music),
    }  # fmt: skip


def _evenly(chosen: Mapping[str, Sequence[MeasuredWork]]) -> list[list[MeasuredWork]]:
    """Works of each artist, as many of one as of another."""
    least = min(map(len, chosen.values()))
    return [list(works)[:least] for works in chosen.values()]

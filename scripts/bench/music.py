"""Harmony, home and form of pieces beside those of works: the measures of `evaluation.tonal`.

Pieces are of 32 bars and of 96, half of them with a key, all with genre and mood, from requests
that a seed draws; chorales are written besides, for their parallels. Works are held to their tags.
Parts are also added to files unlike any work (`strangers`).
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.strangers import files
from gen.analysis.key import krumhansl_kessler
from gen.evaluation.measures import tonal
from gen.harmony import GENRES, MOODS, Key, parse_key
from gen.piece import Piece
from gen.places import CONF
from gen.sampling.planning.deciding import MAJOR_MOODS, MINOR_MOODS

Told = tuple[Piece, str, str]
"""A piece, the key that it should have, "" for none, and its mood."""

LONG = 96
ADDED = ("[cello]", "[strings,bass]", "[piano,drums]")
FORM = "intro:1 a:5 build:13 b:17 break:21 a:25 ending:29"
PARTS: dict[str, Callable[[Piece], float]] = {
    "sixteenths with a semitone clash": tonal.clash,
    "melody notes in one": tonal.melody_clash,
    "bars with the chords of the bar before": tonal.stays,
    "sound beside the key of the file": tonal.beside_key,
    "melody moves by a step": tonal.steps,
    "melody stays on its pitch": tonal.repeats,
    "four bars on one pitch while chords change": tonal.stuck,
    "last bass is the tonic of the file": tonal.ends_at_home,
    "melody as it was, where a section comes back": tonal.recalls,
    "last bar struck as it begins": tonal.struck_close,
    "break by the rest, notes a bar": lambda piece: tonal.section_density(piece, "break"),
    "build, second half by the first": lambda piece: tonal.section_growth(piece, "build"),
    "kick and snare alone, bars": tonal.drums_alone,
    "bass enters, share of the piece": tonal.bass_enters,
    "lowest closing tempo by the one before": tonal.closing_tempo,
    "close speeds up": tonal.speeds_up,
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `benchmark.py music`."""
    add = parser.add_argument
    add("--pieces", type=int, default=24, help="of 32 bars")
    add("--long", type=int, default=4, help=f"pieces of {LONG} bars")
    add("--formed", type=int, default=14, help="pieces of 32 bars with a build and a break")
    add("--strangers", type=int, default=2, help="files of each kind that parts are added to")
    add("--works", type=int, default=60, help="works to compare with, 0 for none")
    add("--checkpoint", default="last")
    add("--seed", type=int, default=1)
    add("--set", action="append", default=[], metavar="KEY=VALUE",
        help="a setting of scripts/sample.py, of all pieces")  # fmt: skip


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Write pieces, and measure them and works alike."""
    rng = np.random.default_rng(args.seed)
    pieces = _pieces(args, requests(args.pieces, 32, rng), "pieces")
    long = _pieces(args, requests(args.long, LONG, rng), "long")
    asked = [[*some, f"sections='{FORM}'"] for some in requests(args.formed, 32, rng)]
    formed = _pieces(args, asked, "formed")
    chorales = _pieces(args, [["genre=chorale", "bars=16"]] * 4, "chorales")
    columns = {"pieces of 32 bars": pieces, f"of {LONG} bars": long,
               "with build and break": formed, "works": _works(args.works)}  # fmt: skip
    rows = [{"measure": name} for name in [*PARTS, "key by Krumhansl-Kessler", "mode of the mood"]]
    for column, told in columns.items():
        for row, value in zip(rows, _measures(told), strict=True):
            row[column] = value
    moves = [tonal.parallels(piece) for piece, _, _ in chorales]
    inner = np.array([move for piece, _, _ in chorales for move in tonal.inner_moves(piece)])
    outer = {
        "moves in one direction": sum(m for m, _ in moves),
        "in parallel fifths or octaves": sum(found for _, found in moves),
        "moves of inner voices": len(inner),
        "by a step": f"{np.isin(inner, (1, 2)).mean():.3f}",
        "to the same pitch": f"{(inner == 0).mean():.3f}",
    }
    return {
        "seed": args.seed, "settings": args.set, "music": rows, "chorales": outer,
        "added to chromatic and free music": _added(args),
    }  # fmt: skip


def requests(count: int, bars: int, rng: np.random.Generator) -> list[list[str]]:
    """Settings of so many pieces: every genre and mood in turn, half of them with a key."""
    genres = itertools.cycle(rng.permutation([g for g in GENRES if g != "chorale"]))
    moods = itertools.cycle(rng.permutation(MOODS))
    asked = []
    for number, genre, mood in zip(range(count), genres, moods, strict=False):
        mode = "minor" if mood in MINOR_MOODS else "major" if mood in MAJOR_MOODS else ""
        key = Key(int(rng.integers(12)), mode or str(rng.choice(["major", "minor"])))
        asked.append([f"genre={genre}", f"mood={mood}", f"bars={bars}"])
        if number % 2:
            asked[-1].append(f"key='{key}'")
    return asked


def _pieces(args: argparse.Namespace, asked: Sequence[list[str]], name: str) -> list[Told]:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for number, overrides in enumerate(asked):
            piece, settings = _written(args, overrides, Path(folder) / name, number)
            found.append((piece, settings["key"] or "", settings["mood"] or ""))
    return found


def _written(
    args: argparse.Namespace, overrides: Sequence[str], out: Path, number: int
) -> tuple[Piece, dict[str, Any]]:
    """One piece, and its settings."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    from gen.sampling.request import SampleRequest
    from gen.sampling.run import sample

    own = [f"out={out}", f"checkpoint={args.checkpoint}", "n=1", f"seed={args.seed + number}",
           "originality=off", "sign=off"]  # fmt: skip
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("sample", [*overrides, *own, *args.set])
    settings: Any = OmegaConf.to_container(config)
    settings.pop("controls", None)
    (done,) = sample(SampleRequest.of(settings))
    return done.piece, settings


def _added(args: argparse.Namespace) -> list[dict[str, str]]:
    """Semitone clashes of files unlike any work before and after parts are added, by parts."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        paths = [
            path
            for number in range(args.strangers)
            for path in files(Path(folder), args.seed + number)
        ]
        for parts in ADDED if paths else ():
            before, after, notes = [], [], []
            for number, path in enumerate(paths):
                overrides = [f"accompany={path}", f"add={parts}"]
                piece, _ = _written(args, overrides, Path(folder) / "out", number)
                own = [track for track in piece.tracks if not track.is_drum][:2]
                before.append(tonal.clash(replace(piece, tracks=own)))
                after.append(tonal.clash(piece))
                bars = len(piece.bar_starts())
                notes += [len(track.notes) / bars for track in piece.tracks[2:]]
            more = np.subtract(after, before)
            rows.append({
                "parts": parts, "files": str(len(paths)), "clash before": f"{np.mean(before):.3f}",
                "more with them": f"{more.mean():.3f}, at most {more.max():.3f}",
                "notes a bar of each": f"{np.mean(notes):.1f}, at least {np.min(notes):.1f}",
            })  # fmt: skip
    return rows


def _works(count: int) -> list[Told]:
    from bench.corpus import admitted_works, settings_of

    if not count:
        return []
    works = admitted_works(settings_of([]))
    chosen = np.unique(np.linspace(0, len(works) - 1, count).round().astype(int))
    found = []
    for number in chosen:
        _, piece, tag = works[number]
        for track, role in zip(piece.tracks, tag.roles or (), strict=False):
            track.role = role
        found.append((piece, tag.key or "", tag.mood or ""))
    return found


def _measures(told: Sequence[Told]) -> list[str]:
    """Mean of each measure, and of how many pieces it is known."""
    values = [[measure(piece) for piece, _, _ in told] for measure in PARTS.values()]
    values.append([_in_key(piece, key) for piece, key, _ in told])
    values.append([tonal.fits_mood(piece, mood) for piece, _, mood in told])
    return ["{:.3f} of {}".format(*tonal.mean(row)) for row in values]


def _in_key(piece: Piece, key: str) -> float:
    found = krumhansl_kessler(piece)
    return float(tonal.same_key(found, parse_key(key))) if key and found else float("nan")

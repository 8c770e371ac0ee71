"""From a producer's settings to finished pieces on disk, each with its receipt."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import gen
from gen.checkpoint import Checkpoint, load_checkpoint
from gen.errors import HouseError, SettingError
from gen.piece import Piece
from gen.provenance.files import write_atomically
from gen.provenance.house import House
from gen.provenance.ledger import Output, append_output
from gen.provenance.mark import mark_generated
from gen.provenance.pin import load_pin
from gen.provenance.voices import pack_voices, voices_of
from gen.sampling.controls import Controls, plan_of
from gen.sampling.decode import DrawConfig, decode
from gen.sampling.finish import finished
from gen.sampling.grammar import Row, Walk
from gen.sampling.scores import asked_and_got
from gen.settings import build
from gen.smf import musical_hash, parse, write
from gen.tokens import vocabulary

MOST_PIECES = 1024


@dataclass(frozen=True, slots=True)
class Sampled:
    """One finished piece on disk."""

    piece: Piece
    midi: Path
    receipt: Path
    record: dict[str, Any]


def sample(
    settings: Mapping[str, Any], *, report: Callable[[Sampled], None] | None = None
) -> list[Sampled]:
    """Write `n` new pieces as the settings say.

    Args:
        settings: the composed `conf/sample.yaml`, as plain containers.
        report: told of each piece as it is finished.

    Raises:
        HouseError: a setting is wrong, or the checkpoint or the house cannot be used.
    """
    count, seed = settings["n"], settings["seed"]
    if not isinstance(count, int) or not 1 <= count <= MOST_PIECES:
        raise SettingError(f"{count!r} is outside 1 to {MOST_PIECES}", where="n")
    if not isinstance(seed, int) or seed < 0:
        raise SettingError(f"{seed!r} is no whole number from 0 on", where="seed")
    controls = build(Controls, _chosen(settings, Controls))
    config = build(DrawConfig, _chosen(settings, DrawConfig))
    plan = plan_of(controls)
    house = House(load_pin(Path(settings["pin"])))
    checkpoint = load_checkpoint(find_checkpoint(settings["checkpoint"]))
    walks = [Walk(plan) for _ in range(count)]
    done: list[Sampled] = []

    def finish(index: int) -> None:
        request = {**settings, "index": index}
        result = _keep(walks[index].rows, controls, request, checkpoint, house)
        done.append(result)
        if report:
            report(result)

    rngs = [np.random.default_rng([seed, index]) for index in range(count)]
    decode(checkpoint.model, walks, rngs, config, on_done=finish)
    return sorted(done, key=lambda result: result.midi)


def _keep(
    rows: list[Row],
    controls: Controls,
    request: Mapping[str, Any],
    checkpoint: Checkpoint,
    house: House,
) -> Sampled:
    """Finish one piece, write its receipt and marked file, enter it in the ledger."""
    piece = finished(rows, controls)
    music = write(piece)
    parse(music)
    out = Path(request["out"])
    name = f"piece-{request['seed']}-{request['index'] + 1:02d}"
    record = _record(rows, piece, music, controls, request, checkpoint)
    text = json.dumps(record, indent=2, sort_keys=True).encode() + b"\n"
    digest = hashlib.sha256(text).hexdigest()
    midi = mark_generated(music, digest)
    paths = out / f"{name}.mid", out / f"{name}.json"
    write_atomically(paths[1], text)
    write_atomically(paths[0], midi)
    append_output(
        house,
        Output(
            sha256=hashlib.sha256(midi).hexdigest(),
            musical_hash=record["musical_hash"],
            receipt_digest=digest,
            manifest_digest=checkpoint.manifest.digest,
            checkpoint=checkpoint.digest,
            fingerprint=pack_voices(voices_of(piece, tuple(t.role or "" for t in piece.tracks))),
            path=paths[0].name,
        ),
    )
    return Sampled(piece, *paths, record)


def _record(
    rows: list[Row],
    piece: Piece,
    music: bytes,
    controls: Controls,
    request: Mapping[str, Any],
    checkpoint: Checkpoint,
) -> dict[str, Any]:
    """What the receipt says. The same request gives the same receipt, so no clock in it."""
    return {
        "format": "gen receipt 1",
        "machine_generated": True,
        "checkpoint_sha256": checkpoint.digest,
        "manifest_sha256": checkpoint.manifest.digest,
        "house": checkpoint.manifest.house,
        "works_learned_from": len(checkpoint.manifest.works),
        "code_version": gen.__version__,
        "tokenizer": vocabulary.fingerprint(),
        "seed": request["seed"],
        "index": request["index"],
        "n": request["n"],
        "controls": _chosen(request, Controls),
        "draw": _chosen(request, DrawConfig),
        "music_sha256": hashlib.sha256(music).hexdigest(),
        "musical_hash": musical_hash(piece),
        "notes": piece.note_count,
        "seconds": round(piece.seconds_at(piece.end_ticks), 3),
        "asked_and_got": asked_and_got(rows, piece, controls),
    }


def _chosen(settings: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """Those settings that are fields of one settings class."""
    return {field.name: settings[field.name] for field in dataclasses.fields(kind)}


def find_checkpoint(name: str) -> Path:
    """The file a checkpoint setting means: a path, or `last` for the newest of any run or demo.

    Raises:
        HouseError: there is none.
    """
    if name != "last":
        return Path(name)
    places = [*Path("outputs").glob("*/*"), Path("out/demo/run")]
    found = [place / "best.safetensors" for place in places]
    found = sorted((f for f in found if f.is_file()), key=lambda path: path.stat().st_mtime)
    if not found:
        raise HouseError(
            "no run has left a checkpoint under outputs/, nor `make demo` one under out/demo/",
            where="checkpoint", mend="train one with scripts/train.py, or name a file",
        )  # fmt: skip
    return found[-1]

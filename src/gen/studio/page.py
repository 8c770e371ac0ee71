"""The page of a sampling run: every piece with its picture, sound, score and receipt."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gen.likeness.originality import in_words
from gen.rendering import PieceEntry, Rendered, Renderer, Row, page
from gen.rendering.labels import key_name, tempo_name
from gen.sampling.takes import Sampled


def present(
    results: Sequence[Sampled],
    out: Path,
    renderer: Renderer,
    *,
    facts: Sequence[tuple[str, str]] = (),
    authors: Mapping[Path, str] | None = None,
) -> Path:
    """Write index.html, with the piano roll, notation and audio of each piece beside it.

    Args:
        results: pieces on disk under `out`.
        out: folder of the page.
        renderer: renders those that it has not begun, unless it hurries.
        facts: (name, value) pairs about the run, for the head of the page.
        authors: what wrote which piece, where there are several models.

    Returns:
        The page.
    """
    for result in results:
        renderer.begin(result.piece, result.midi)
    return page(
        [
            _entry(result, renderer.of(result.midi), (authors or {}).get(result.midi, ""))
            for result in results
        ],
        out / "index.html",
        title="New pieces",
        facts=[*facts, *_played(renderer)],
        note="Machine-generated music. Every file says so in content credentials (C2PA) and names "
        "its receipt, until somebody takes them off. The receipt names the "
        "checkpoint, its manifest of works, the seed and the settings, and sample.py receipt=FILE "
        "writes the same bytes again.",
    )


def _played(renderer: Renderer) -> list[tuple[str, str]]:
    return [("played by", renderer.playing.by)] if renderer.playing else []


def _entry(result: Sampled, rendered: Rendered | None, author: str) -> PieceEntry:
    record, title = result.record, result.midi.stem
    print(f"{'' if rendered else 'not '}rendered {title}", file=sys.stderr)
    return PieceEntry(
        title=title,
        piano_roll=rendered.picture if rendered else None,
        midi=result.midi,
        audio=rendered.sound if rendered else None,
        score=rendered.score if rendered else None,
        receipt=result.receipt,
        summary=" · ".join(filter(None, [author and f"by {author}", _summary(result)])),
        rows=[
            Row(_plain(row["control"]), _said(row["asked"]), _said(row["got"]), row["met"])
            for row in record["asked_and_got"]
        ],
        originality=in_words(record["originality"]),
        warning="too close to a work" if _is_close(record) else "",
        record=[*_record(result), *(_stems(rendered) if rendered else [])],
    )


def _is_close(record: dict[str, Any]) -> bool:
    return bool(record["originality"] and record["originality"]["is_above_line"])


def _record(result: Sampled) -> list[tuple[str, str]]:
    record = result.record
    drawn = f"{record['seed']}, piece {record['index'] + 1}, attempt {record['attempt'] + 1}"
    return [
        ("seed", drawn),
        ("checkpoint", record["checkpoint_sha256"]),
        ("its manifest", f"{record['works_learned_from']} works of {record['house']}"),
        ("SHA-256 of that", record["manifest_sha256"]),
        ("code", f"{record['code']['version']}, torch {record['machine']['torch']}"),
        *([("given", _given(record["source"]))] if record["source"] else []),
        *(("checked", note) for note in result.notes),
    ]


def _stems(rendered: Rendered) -> list[tuple[str, str]]:
    if not rendered.stems:
        return []
    kinds = sorted({path.suffix for path in rendered.stems})
    return [("stems", f"{rendered.stems[0].parent.name}/, each track as {' and '.join(kinds)}")]


def _given(source: dict[str, Any]) -> str:
    return f"{source['mode']} {source['file']}, SHA-256 {source['file_sha256'][:12]}…"


def _plain(control: str) -> str:
    return control.replace("_", " ")


def _said(value: Any) -> str:
    """A setting's value in words: two numbers are a range, further things a list."""
    if isinstance(value, float):
        return f"{value:g}"
    if not isinstance(value, list):
        return str(value).replace("_", " ")
    if len(value) == 2 and all(isinstance(item, int) for item in value):
        return f"{value[0]} to {value[1]}"
    return ", ".join(str(item).replace("_", " ") for item in value)


def _summary(result: Sampled) -> str:
    piece, record = result.piece, result.record
    meters = dict.fromkeys(f"{s.numerator}/{s.denominator}" for s in piece.time_signatures)
    return " · ".join(
        [
            *filter(None, [key_name(piece)]),
            ", ".join(meters),
            tempo_name(piece),
            f"{len(piece.bar_starts())} bars",
            f"{record['seconds']:.0f} s",
            f"{record['notes']} notes",
            ", ".join(track.name for track in piece.tracks),
        ]
    )

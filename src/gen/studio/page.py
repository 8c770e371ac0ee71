"""The page of a sampling run: every piece with its picture, sound and receipt."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from gen.rendering import Entry, Row, audio, musicxml, page, piano_roll
from gen.sampling.run import Sampled


def present(
    results: Sequence[Sampled],
    out: Path,
    *,
    with_audio: bool = True,
    facts: Sequence[tuple[str, str]] = (),
) -> Path:
    """Write a piano roll, notation and (unless told not to) audio of each piece, and index.html.

    Args:
        results: pieces on disk under `out`.
        out: folder of the page.
        with_audio: whether to write WAV files, about 6 MB a minute.
        facts: (name, value) pairs about the run, for the head of the page.

    Returns:
        The page.
    """
    entries = [_entry(result, with_audio) for result in results]
    return page(
        entries,
        out / "index.html",
        title="New pieces",
        facts=facts,
        note="Machine-generated music. Each file carries the mark of its origin; its receipt "
        "names the checkpoint, the works it learned from, the seed and the settings.",
    )


def _entry(result: Sampled, with_audio: bool) -> Entry:
    piece, record = result.piece, result.record
    title = result.midi.stem
    picture = piano_roll(piece, result.midi.with_suffix(".png"), title=title)
    sound = audio(piece, result.midi.with_suffix(".wav")) if with_audio else None
    score = musicxml(piece, result.midi.with_suffix(".musicxml"))
    print(f"rendered {title}", file=sys.stderr)
    return Entry(
        title=title,
        piano_roll=picture,
        midi=result.midi,
        audio=sound,
        score=score,
        receipt=result.receipt,
        summary=_summary(result),
        rows=[
            Row(row["control"], str(row["asked"]), str(row["got"]), row["met"])
            for row in record["asked_and_got"]
        ],
        record=[
            ("seed", f"{record['seed']} / {record['index'] + 1}"),
            ("checkpoint", record["checkpoint_sha256"]),
            ("learned from", f"{record['works_learned_from']} works of {record['house']}"),
            ("manifest", record["manifest_sha256"]),
        ],
    )


def _summary(result: Sampled) -> str:
    piece, record = result.piece, result.record
    signatures = dict.fromkeys(f"{s.numerator}/{s.denominator}" for s in piece.time_signatures)
    return " · ".join(
        [
            ", ".join(signatures),
            f"{len(piece.bar_starts())} bars",
            f"{record['seconds']:.0f} s",
            f"{record['notes']} notes",
            ", ".join(track.name for track in piece.tracks),
        ]
    )

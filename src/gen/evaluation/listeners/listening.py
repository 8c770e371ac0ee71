"""The test's folder: what listeners are handed, and the key that stays with the house.

`build` writes two things into a folder: `page/`, which is handed to listeners (one HTML page and
the sounds, no network needed), and `key.json`, which says what is what and stays with the house.
Listeners open the page from disk, answer, and save one file each; `results` counts those files.

Each pair is one generated piece and one work held out, as the caller pairs them, rendered alike:
the same sounds and stereo places (roles are inferred on both sides, names count for nothing), cut
to the same length, at the same loudness (RMS). The order of the pairs and the side of each come
from the seed. The page knows neither; it carries the SHA-256 of the key, which its ratings repeat,
so that a key changed afterwards fits no ratings; the key holds a random salt, so that nobody can
find its content by trying.
"""

from __future__ import annotations

import hashlib
import json
import math
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gen.analysis import infer_roles
from gen.disk.reading import MIDI, read
from gen.errors import HouseError, MalformedMidi
from gen.piece import Piece, Track
from gen.rendering import files
from gen.rendering.pages import render
from gen.rendering.sound import TAIL_SECONDS, AudioSettings, samples, wav
from gen.rendering.soundfont import SoundFont, load
from gen.smf import parse

Samples = NDArray[np.float32]

KEY_FORMAT = "gen-listening-key"
VERSION = 1
SIDES = ("a", "b")
LEAST_SECONDS = 2.0

_LOUDNESS = 10 ** (-20 / 20)  # RMS of full scale
_PEAK = 10 ** (-1 / 20)
_SOUND = AudioSettings()


class _Named(NamedTuple):
    name: str
    piece: Piece


def build(
    generated: Sequence[Path | Piece],
    held_out: Sequence[Path | Piece],
    out: Path,
    *,
    seed: int | None = None,
    seconds: float = 45.0,
    title: str = "Listening test",
    settings: AudioSettings = _SOUND,
) -> Path:
    """Write the page with its sounds, and the key beside it.

    Args:
        generated: pieces, or strict MIDI files; the i-th is heard with the i-th of `held_out`.
        held_out: works that the model never saw; what one side has more of is left out.
        out: a folder without a listening test; made if it is not there.
        seed: decides order and sides; who knows it can know them, so by default one is drawn that
            nobody knows, and the key keeps it.
        seconds: what of each piece is heard, at most; both of a pair as long as the shorter.
        title: heading of the page.
        settings: of the sound.

    Returns:
        The page, `out/page/index.html`.

    Raises:
        HouseError: no pair, a file that cannot be read, a piece shorter than two seconds, a folder
            that holds a test already or cannot be written.
    """
    key_path = out / "key.json"
    if key_path.exists():
        what = "holds a listening test already, whose ratings need its key"
        raise HouseError(what, where=str(out), mend="name another folder")
    if seconds < LEAST_SECONDS:
        what = f"{seconds} seconds are too short to judge"
        raise HouseError(what, where="seconds", mend=f"give {LEAST_SECONDS} or more")
    ours, works = (_loaded(*side) for side in ((generated, "generated"), (held_out, "held out")))
    pairs = list(zip(ours, works, strict=False))
    if not pairs:
        what = f"{len(ours)} generated pieces and {len(works)} works make no pair to listen to"
        raise HouseError(what, mend="give at least one of either")
    seed = secrets.randbits(64) if seed is None else seed
    rng, font = np.random.default_rng(seed), load(None)
    entries = []
    for number, index in enumerate(rng.permutation(len(pairs)).tolist(), start=1):
        side = int(rng.integers(2))  # of the generated piece
        clips = _rendered(pairs[index], seconds, font, settings)
        for name, clip in zip(SIDES, (clips[side], clips[1 - side]), strict=True):
            path = out / "page" / "sounds" / f"{number:02d}-{name}.wav"
            files.write(path, wav(clip, settings.sample_rate))
        piece, work = pairs[index]
        entries.append({"generated": SIDES[side], "piece": piece.name, "work": work.name})
    head = {"format": KEY_FORMAT, "version": VERSION, "seed": seed, "salt": secrets.token_hex(32)}
    key = json.dumps({**head, "pairs": entries}, indent=1).encode()
    files.write(key_path, key)
    document = render("listening.html", title=title, test=digest(key), pairs=len(pairs))
    return files.write(out / "page" / "index.html", document)


def _loaded(pieces: Sequence[Path | Piece], called: str) -> list[_Named]:
    """Each piece with a name.

    Raises:
        HouseError: one has no notes, or is shorter than can be judged.
    """
    named = [
        _Named(f"{called} {number}", p) if isinstance(p, Piece) else _Named(p.stem, _parsed(p))
        for number, p in enumerate(pieces, start=1)
    ]
    for name, piece in named:
        lasting = piece.seconds_at(piece.end_ticks)
        if lasting < LEAST_SECONDS:
            what = f"lasts {lasting:.1f} seconds, too short to judge"
            raise HouseError(what, where=name, mend="leave it out")
    return named


def _parsed(path: Path) -> Piece:
    try:
        return parse(read(path, MIDI))
    except MalformedMidi as error:
        raise HouseError(error.what, where=str(path), mend=error.mend) from error


def _rendered(
    pair: tuple[_Named, _Named], seconds: float, font: SoundFont, settings: AudioSettings
) -> list[Samples]:
    """Two clips of one length and one loudness, (channels, n) each."""
    pieces = [named.piece for named in pair]
    lasting = min(seconds, *(piece.seconds_at(piece.end_ticks) for piece in pieces))
    length = round((lasting + TAIL_SECONDS) * settings.sample_rate)
    clips = [_fitted(samples(_cut(p, lasting), font, settings), length) for p in pieces]
    levels = [_LOUDNESS / math.sqrt(float(np.mean(np.square(clip)))) for clip in clips]
    clips = [clip * np.float32(level) for clip, level in zip(clips, levels, strict=True)]
    highest = max(float(np.abs(clip).max()) for clip in clips)
    return [clip * np.float32(min(1.0, _PEAK / highest)) for clip in clips]


def _cut(piece: Piece, seconds: float) -> Piece:
    """The first seconds of a piece, with nothing but its notes to tell it by."""
    end = _tick_at(piece, seconds)
    tracks = [
        Track(
            program=track.program,
            is_drum=track.is_drum,
            notes=[
                replace(n, duration_ticks=min(n.duration_ticks, end - n.onset_ticks))
                for n in track.notes
                if n.onset_ticks < end
            ],
            pedals=track.pedals,
        )
        for track in piece.tracks
    ]
    cut = Piece(piece.ticks_per_quarter, tracks, piece.tempos, piece.time_signatures)
    for track, role in zip(tracks, infer_roles(cut), strict=True):
        track.role = role
    return cut


def _tick_at(piece: Piece, seconds: float) -> int:
    """The last tick that is not after `seconds`, at least 1."""
    low, high = 1, piece.end_ticks
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if piece.seconds_at(middle) <= seconds else (low, middle - 1)
    return low


def _fitted(clip: Samples, length: int) -> Samples:
    """Of `length` samples exactly: what is longer fades out, what is shorter ends in silence."""
    if clip.shape[1] <= length:
        return np.pad(clip, ((0, 0), (0, length - clip.shape[1])))
    return clip[:, :length]


def digest(key: bytes) -> str:
    """The identity of a test: what its page and its ratings carry of its key."""
    return hashlib.sha256(key).hexdigest()

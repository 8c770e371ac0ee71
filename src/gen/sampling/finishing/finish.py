"""From decoded rows to a finished piece with a name of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from gen import harmony
from gen.analysis import infer_key
from gen.piece import KeySignature, Marker, Pedal, Piece, Tempo, Track
from gen.rendering.labels import key_name
from gen.sampling.finishing.performance import Performance
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.plan import Basses, Row, Slashes, steps_of
from gen.smf import instrument_name, write
from gen.tokens import vocabulary as v
from gen.tokens.events import Events
from gen.tokens.grid import TICKS_PER_STEP
from gen.tokens.reading import decode
from gen.tokens.vocabulary import WORDS, Kind
from gen.tokens.word_ids import chord_of

_PLAIN: Final = {3: (5, "F"), 4: (0, "C")}
"""Sharps of a minor key: its leading note as a pitch class, and the plain name of that sound."""

NO_BASSES: Final[Slashes] = {}
_NUMBER: Final = re.compile(r"-(\d+)$")
"""At the end of a name."""
TAKEN: Final = ".taken"
"""Suffix of an empty file by which a command keeps a name while it makes what will have it."""
_TAKEN_SECONDS: Final = 3600
_NAME_BYTES: Final = 150
"""Of the 255 that systems allow; numbers and the names of parts and files come behind."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished piece.

    Attributes:
        piece: as its file has it, with the roles that are known.
        music: its file's bytes, without the mark.
        new: only what was written now, at 480 ticks a quarter: what is held against the controls.
        source: what a receipt says of the given file and of what was done in it; empty without one.
        remarks: what there is to be said of the file, one sentence each.
        score: the piece as it is written, where it is played otherwise.
    """

    piece: Piece
    music: bytes
    new: Piece
    source: dict[str, Any]
    remarks: tuple[str, ...] = ()
    score: Piece | None = None

    def played(self, performance: Performance) -> Finished:
        """The same, played so; what is judged and engraved is what is written."""
        if performance.is_plain:
            return self
        piece = performance.of(self.piece)
        music = write(piece, end_ticks=self.piece.bars_end_ticks)
        return replace(self, piece=piece, music=music, score=self.score or self.piece)


@dataclass(frozen=True, slots=True)
class SoFar:
    """What can be heard of an unfinished piece.

    Attributes:
        music: as far as it is written; of a given file also what comes after that.
        bars: how many of its bars are whole.
        first: the first bar that holds something new, counted from 0.
    """

    music: Piece
    bars: int
    first: int = 0


def finished(rows: Sequence[Row], controls: Controls, basses: Slashes = NO_BASSES) -> Piece:
    """The piece that the rows spell, ready for a sequencer.

    Its markers name `basses` as those of `markers_of` do. Its key signature is the key that was
    asked for, else the one it was written in, else the one its notes suggest.
    """
    piece = decode(Events.of(rows))
    if controls.tempo is not None:
        piece.tempos = [Tempo(0, round(60_000_000 / controls.tempo))]
    piece.tracks = [track for track in piece.tracks if track.notes]
    if controls.key or any(not track.is_drum for track in piece.tracks):
        key = controls.key or key_in(rows) or str(infer_key(piece)[0])
        piece.key_signatures = [signature_of(key)]
    piece.markers = markers_of(rows, piece.key_signatures, basses)
    end = piece.end_ticks
    for track in piece.tracks:
        track.name = track_name(track)
        track.pedals = _separate(track, end)
    return piece


def key_in(rows: Sequence[Row]) -> str:
    """The key that stands at the beginning of rows, "" for none."""
    for row in rows:
        if row[v.KIND] == Kind.KEY:
            tonic, is_minor = divmod(WORDS.key.number(row[v.VALUE]), 2)
            return str(harmony.Key(tonic, "minor" if is_minor else "major"))
        if row[v.KIND] == Kind.BAR:
            break
    return ""


def signature_of(name: str) -> KeySignature:
    """The key signature that spells a key's tonic as its name does: flats for Eb minor.

    Where that takes more than seven sharps or flats it is the usual one of the same notes.
    """
    key = harmony.parse_key(name)
    mode = key.mode if key.is_modal else ""
    tonic = re.match(r"\s*([A-Ga-g])([#b♯♭]?)", name)
    spelt = tonic[1].upper() + tonic[2].translate({ord("♯"): "#", ord("♭"): "b"}) if tonic else ""
    ways = (fifths for fifths in range(key.fifths - 12, key.fifths + 13, 12) if abs(fifths) <= 7)
    for fifths in ways:
        if harmony.note_names(fifths, is_minor=key.is_minor)[key.tonic] == spelt:
            return KeySignature(0, fifths, key.is_minor, mode)
    return KeySignature(0, key.fifths, key.is_minor, mode)


def _separate(track: Track, end: int) -> list[Pedal]:
    """Pedals released before they are pressed again, and before the piece is over."""
    ends = [*(pedal.onset_ticks for pedal in track.pedals), end][1:]
    return [
        Pedal(pedal.onset_ticks, min(pedal.duration_ticks, limit - pedal.onset_ticks))
        for pedal, limit in zip(track.pedals, ends, strict=True)
        if limit > pedal.onset_ticks
    ]


def track_name(track: Track) -> str:
    """Its instrument, and what it does if that is known."""
    role = f" ({track.role.replace('_', ' ')})" if track.role and not track.is_drum else ""
    return instrument_name(track.instrument).title() + role


def markers_of(
    rows: Sequence[Row],
    keys: Sequence[KeySignature],
    basses: Slashes = NO_BASSES,
) -> list[Marker]:
    """Section names and chord symbols, spelt by the key, where they begin: at 480 ticks.

    Args:
        rows: of a piece.
        keys: its key signatures.
        basses: of bars, counted from 0, what stands behind the slashes of their chords
            (`Plan.slashes`); the rows do not say it.
    """
    markers, bar, start, following = [], -1, 0, 0
    chord = ""
    for kind, position, value, *_ in rows:
        if kind == Kind.BAR:
            bar, start, following = bar + 1, following, following + steps_of(value)
        elif kind == Kind.SECTION:
            name = v.SECTIONS[WORDS.section.number(value)]
            title = name.title() if len(name) > 1 else f"Section {name.upper()}"  # A is a chord
            markers.append(Marker(start * TICKS_PER_STEP, title))
        elif kind == Kind.CHORD:
            step = WORDS.position.number(position)
            found = _over(chord_of(value), basses.get(bar, ()), step)
            symbol = _symbol(found, keys[0]) if found and keys else str(found or "NC")
            step += start
            if symbol != chord:
                markers.append(Marker(step * TICKS_PER_STEP, symbol))
            chord = symbol
    return markers


def _over(chord: harmony.Chord | None, basses: Basses, step: int) -> harmony.Chord | None:
    """The chord over the bass that was asked for from the last of some steps of its bar on."""
    asked = ([None] + [bass for first, bass in basses if first <= step])[-1]
    return chord if chord is None or asked is None else replace(chord, bass=asked)


def _symbol(chord: harmony.Chord, key: KeySignature) -> str:
    """A chord as it is called in a key.

    On E#, the leading note of F# minor, and B#, that of C# minor, only diminished chords are
    called by it, which lead to the tonic; others are chords on F and C.
    """
    names = list(harmony.note_names(key.fifths, is_minor=key.is_minor))
    if key.is_minor and key.fifths in _PLAIN and chord.quality not in ("dim", "dim7", "m7b5"):
        place, name = _PLAIN[key.fifths]
        names[place] = name
    return chord.spelt(names)


# Names ----------------------------------------------------------------------------------


def title_of(piece: Piece, controls: Controls, source: Mapping[str, Any]) -> str:
    """Such as `waltz-a-minor`; of a file that was worked on, `song-infill`.

    Args:
        piece: as its file has it.
        controls: what was asked.
        source: the given file's name and what was done with it; empty where there was none.
    """
    if source:
        words = f"{Path(source['file']).stem} {source['mode']}"
    else:
        key = key_name(piece).replace(" \u2026", "").replace("#", " sharp")
        words = f"{controls.genre or 'piece'} {re.sub(r'(?<=[A-G])b', ' flat', key)}"
    return re.sub(r"[\W_]+", "-", words).strip("-").lower() or "piece"


def name_of(title: str, modes: Sequence[str]) -> str:
    """A title as files are called: what was done with a piece last, once, in so many bytes.

    A piece that is worked on again and again would be called by all of it, and by no name in the
    end that a system takes.

    Args:
        title: see `title_of`.
        modes: what can be done with a file.
    """
    done = "|".join(modes)
    short = re.sub(rf"(-(?:{done})-\d+)+(?=-(?:{done})$)", "", title)
    return short.encode()[:_NAME_BYTES].decode("utf-8", "ignore").strip("-")


def highest_number(folder: Path) -> int:
    """The highest number of a piece with a receipt in a folder, 0 where there is none."""
    stems = (path.name.partition(".")[0] for path in folder.glob("*.json"))
    return max((int(found[1]) for stem in stems if (found := _NUMBER.search(stem))), default=0)


def reserve(folder: Path, title: str, number: int) -> str:
    """A name that no file in the folder has, such as `waltz-a-minor-03`.

    The file of that name and `TAKEN` is created, empty, so that no command beside this one takes
    the name; whoever asks removes it. One that a killed command left is no receipt, and goes.

    Args:
        folder: which is there.
        title: see `title_of`.
        number: the first to be tried.

    Raises:
        OSError: the folder cannot be written.
    """
    for left in folder.glob(f"*{TAKEN}"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _TAKEN_SECONDS:
                left.unlink()
    while True:
        name = f"{title}-{number:02d}"
        if not any(folder.glob(f"{name}.*")):
            with suppress(FileExistsError):  # a command beside this one was faster
                (folder / f"{name}{TAKEN}").touch(exist_ok=False)
                return name
        number += 1

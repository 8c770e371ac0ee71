"""Which works the starter house holds: lead sheets by arrangements, keys, voices, consent.

Everything here follows from names and counts, so that a rebuild gives the same works.
"""

from __future__ import annotations

import csv
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gen import smf
from starter import abc
from starter.arrangement import Arrangement
from starter.keys import idiomatic_shifts
from starter.leadsheet import LeadSheet
from starter.realise import RealisedWork, realise
from starter.styles import arrangements, second

LEADSHEETS = Path(__file__).parent / "leadsheets"
SECOND = LEADSHEETS / "second"
CONTRACT = "starter-house-1"
COLUMNS = ("file", "title", "composers", "method", "genre", "mood", "key", "chords", "sections",
           "roles", "consent", "contract")  # fmt: skip

VOICES = {
    # composer id: (letter of the program voice, genres)
    "starter-lyric": ("A", ("piano_miniature", "waltz", "chorale", "pop_ballad")),
    "starter-stage": ("B", ("cinematic", "march", "folk_dance", "ambient")),
    "starter-groove": ("C", ("rock", "funk", "house")),
    "starter-night": ("D", ("jazz_swing", "bossa", "lofi")),
}
"""House identities. None is a person: each is this program, writing in some genres."""
CURATOR = "starter-curator"
FAR = "2099-12-31"


@dataclass(frozen=True, slots=True)
class Commission:
    """A work to be realised."""

    sheet: LeadSheet
    arrangement: Arrangement
    shift: int

    @property
    def composer(self) -> str:
        return next(c for c, (_, genres) in VOICES.items() if self.sheet.genre in genres)

    @property
    def consent(self) -> str:
        """Consent by theme: nearly all for general models, the rest to show the other scopes."""
        draw = zlib.crc32(f"7/{self.sheet.slug}".encode()) % 100
        if draw < 5:
            return "evaluation"
        if draw < 10:
            return f"artist_model:{self.composer}"
        if draw < 16:
            return f"general_model@{FAR} evaluation@{FAR}"
        if draw < 24:
            return f"general_model evaluation artist_model:{self.composer}"
        return "general_model evaluation"

    @property
    def title(self) -> str:
        return f"{self.sheet.title} ({self.arrangement.name})"

    def realise(self) -> RealisedWork:
        return realise(self.sheet, self.arrangement, self.shift)


def display_name(composer: str) -> str:
    """What the roster calls an identity."""
    if composer == CURATOR:
        return "Starter house, curator (a program, no human)"
    return f"Starter house, program voice {VOICES[composer][0]} (no human)"


def commissions() -> list[Commission]:
    """Every work, in order: the first volume, then the second."""
    return [*first_volume(), *second_volume()]


def first_volume() -> list[Commission]:
    """Three arrangements of each theme, keys chosen so that all 24 are used about equally.

    The first arrangement of a theme keeps the key it was written in; each other takes, of the
    transpositions its style allows, the one whose key was used least so far.
    """
    sheets = abc.load(LEADSHEETS)
    made: list[Commission] = []
    used: Counter[tuple[int, bool]] = Counter((s.key.tonic, s.key.is_minor) for s in sheets)
    for sheet in sheets:
        for place, arrangement in enumerate(playable(sheet, arrangements(sheet.genre))):
            shift = 0 if place == 0 else _rarest(sheet, arrangement.shifts, used)
            key = sheet.key.transposed(shift)
            used[key.tonic, key.is_minor] += place > 0
            made.append(Commission(sheet, arrangement, shift))
    return made


def second_volume() -> list[Commission]:
    """Themes that begin, move and end in more ways, in keys that players of the genre like.

    The first arrangement of a theme keeps the key it was written in; each other takes the
    genre's key within a fourth that this genre has used least.
    """
    made: list[Commission] = []
    used: dict[str, Counter[tuple[int, bool]]] = defaultdict(Counter)
    for sheet in abc.load(SECOND):
        for place, arrangement in enumerate(playable(sheet, second.arrangements(sheet.genre))):
            liked = idiomatic_shifts(sheet.genre, sheet.key)
            shift = 0 if place == 0 else _rarest(sheet, liked, used[sheet.genre])
            key = sheet.key.transposed(shift)
            used[sheet.genre][key.tonic, key.is_minor] += 1
            made.append(Commission(sheet, arrangement, shift))
    return made


def playable(sheet: LeadSheet, found: Iterable[Arrangement]) -> list[Arrangement]:
    """Those of the arrangements that can play the theme's meter."""
    return [a for a in found if not a.meters or sheet.meter in a.meters]


def _rarest(sheet: LeadSheet, shifts: Iterable[int], used: Counter[tuple[int, bool]]) -> int:
    def count(shift: int) -> tuple[int, int, int]:
        key = sheet.key.transposed(shift)
        return used[key.tonic, key.is_minor], abs(shift), shift

    return min((s for s in shifts if s), key=count, default=0)


def build(folder: Path) -> Iterator[tuple[Commission, RealisedWork]]:
    """Write every work and one sidecar per composer under `folder`; yields as it goes."""
    rows: dict[str, list[dict[str, str]]] = {composer: [] for composer in VOICES}
    for commission in commissions():
        work = commission.realise()
        place = folder / commission.composer
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{work.work_id}.mid").write_bytes(smf.write(work.piece))
        rows[commission.composer].append(sidecar_row(commission, work))
        yield commission, work
    for composer, found in rows.items():
        if found:
            _write_sidecar(folder / composer / "works.csv", found)


def sidecar_row(commission: Commission, work: RealisedWork) -> dict[str, str]:
    """A work as the bulk contribution's sidecar states it."""
    return {
        "file": f"{work.work_id}.mid",
        "title": work.title,
        "composers": f"{commission.composer}:100",
        "method": "machine",
        "genre": work.sheet.genre,
        "mood": work.sheet.mood,
        "key": work.key_text,
        "chords": work.chords_text,
        "sections": work.sections_text,
        "roles": " ".join(t.role or "" for t in work.piece.tracks),
        "consent": commission.consent,
        "contract": CONTRACT,
    }


def _write_sidecar(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

"""What the corpus is, for people (datasheet) and machines (Croissant), from the register."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

from gen.disclosure import croissant
from starter.catalogue import CURATOR, VOICES, display_name
from starter.corpus import HouseWork

DATASHEET = """# Datasheet: the starter house

Numbers in this file come from the register and the works it names
(`python scripts/starter_house.py report`).

## What it is
{works} multi-track MIDI works on {themes} themes: {hours:.1f} hours, {notes:,} notes, {genres}
genres, {fewest} to {most} tracks each, every track with its role. Each work carries title, genre,
mood, key, chords and sections in its tag.

## How it was made
Each theme is a lead sheet - a melody, chord symbols and a form - written for this project in
`src/starter/leadsheets/`. A program, `src/starter/`, arranges each theme {per_theme}:
ensemble, key, tempo, groove and form differ. The themes in `leadsheets/second/` are a second
volume, whose works begin, speak and end in more ways than those of the first. Choices that look
random are drawn from the work's name, so `python scripts/starter_house.py build` gives the same
music bytes each time.

## By whom
No human composed or played any of it. The lead sheets and the arranging program were written as
source text by an AI language model, without looking any music up; from there the works follow by
rule. The tags declare every work `machine` written; a house takes such works only where its
signed roster says so, and one that does not starts without them. No model of music was used, and
nothing was sampled from one. The register's identities say what they are:

{voices}

## What it is not
- Not performances: timing and dynamics are modelled simply (velocity phrasing, swing, timing
  noise of a few milliseconds).
- Not a sample of any repertoire. Genres are named for orientation; none of the themes quotes an
  existing tune, and none was taken from a collection.
- Not {works} independent pieces: arrangements of one theme share its melody. Split by theme, not
  by work, when measuring generalisation.
- Lyrics, bends, tuplets finer than twelve to a quarter, and meters changing every bar do not
  occur.

## Consent, to exercise every path
{consents}

## Known limits
- Western tonal and modal harmony throughout; equal temperament; General MIDI programs.
- Solos are variations that keep the theme's tones; drums follow written patterns.
- Meters, tempi and the first volume's keys are spread on purpose, not as any repertoire has them.

## Weight, licence, upkeep
{megabytes:.1f} MB of signed files. Licence as the repository's. The house is sealed: its keys
were destroyed, so it cannot grow; publishing again replaces it.
"""


def write_datasheet(works: list[HouseWork], path: Path) -> None:
    """The datasheet, filled in from the works."""
    consents = Counter(_without_names(str(w.entry.consent)) for w in works)
    themes = len({w.theme for w in works})
    voices = [f"- `{c}`: {display_name(c)}" for c in (*VOICES, CURATOR)]
    text = DATASHEET.format(
        works=len(works),
        themes=themes,
        hours=sum(w.seconds for w in works) / 3600,
        notes=sum(w.piece.note_count for w in works),
        genres=len({w.description.genre for w in works}),
        per_theme="two or three times" if len(works) % themes else f"{len(works) // themes} times",
        fewest=min(len(w.piece.tracks) for w in works),
        most=max(len(w.piece.tracks) for w in works),
        voices="\n".join(voices),
        consents="\n".join(f"- {count} works: `{name}`" for name, count in consents.most_common()),
        megabytes=sum(w.file_bytes for w in works) / 1e6,
    )
    path.write_text(text, encoding="utf-8")


def _without_names(consent: str) -> str:
    """Consent with artists' ids left out, so that like counts with like."""
    return " ".join(
        "artist_model:…" if word.startswith("artist_model:") else word for word in consent.split()
    )


def write_croissant(works: list[HouseWork], house: Path, path: Path) -> None:
    """Croissant 1.0 metadata: one file object a work, the register's digests as checksums."""
    log = (house / croissant.REGISTER).read_bytes()
    files = [
        _file(croissant.REGISTER, "application/jsonlines", hashlib.sha256(log).hexdigest()),
        *(_file(w.entry.path, "audio/midi", w.entry.file_sha256) for w in works),
    ]
    found = croissant.dataset(
        "starter-house",
        files,
        [croissant.acts_of_register()],
        description="Original multi-track MIDI works written by a program for this project; no "
        "human played them.",
        license="https://www.apache.org/licenses/LICENSE-2.0",
        datePublished=json.loads(log.splitlines()[-1])["time"][:10],
        version="1.0.0",
        citeAs="the starter house of this repository",
        keywords=sorted({w.description.genre for w in works}),
        **{
            "rai:dataCollection": "Lead sheets written as text, arranged by a deterministic "
            "program.",
            "rai:personalSensitiveInformation": "none",
        },
    )
    path.write_text(croissant.text_of(found), encoding="utf-8")


def _file(place: str, kind: str, digest: str) -> dict[str, Any]:
    return croissant.file_object(place, kind, digest, url=f"data/house_midi/{place}")

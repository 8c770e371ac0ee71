"""The options that state something about a work."""

from __future__ import annotations

from typing import Any

import click

HELP = {
    "title": "Title (default: the file's name).",
    "composers": 'Composers and shares, as in "ana:60 ben:40" (default: you, 100).',
    "method": "How it was made: played, programmed, score; or machine.",
    "genre": "Genre; docs/composers.md lists them.",
    "mood": "Mood; docs/composers.md lists them.",
    "key": 'Key, as in "A minor" (default: inferred).',
    "chords": 'Chords, bars separated by | (default: inferred): "Am | F C/E | % | G7".',
    "sections": 'Sections and their first bars (default: from markers): "intro:1 A:5 B:13".',
    "instruments": 'One a track (default: the file\'s): "flute, fingered bass, drums".',
    "roles": 'One word a track (default: inferred): "main_melody bass drums".',
    "consent": 'What it may be used for: "general_model evaluation@2030-12-31" or "nothing".',
    "contract": "The house's reference of the contract.",
}
"""Of the option for each fact (`gen.contribution.Facts`), in their order."""


def fact_options(command: Any) -> Any:
    """Give a command an option for each fact."""
    for name, words in reversed(HELP.items()):
        command = click.option(f"--{name}", default="", help=words)(command)
    return command

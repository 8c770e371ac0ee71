"""Measure what this project claims: python scripts/benchmark.py COMMAND [options].

Each command prints its figures as tables, or with --json as JSON, together with the machine,
the command and the seeds; the JSON is also left in out/benchmark/<command>.json.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from bench.machine import command_line, describe
from gen.errors import HouseError
from gen.terminal import failures_said

COMMANDS = {
    "provenance": "time of the gate per work, beside the steps it cannot do without",
    "growth": "processor seconds of each command in houses of growing size",
    "start": "what a run costs before its first step: gate, tokenising, splitting",
    "train": "bits per note and notes a second in training, against transformers with REMI",
    "ablate": "bits per note with one choice changed at a time, and with MidiTok's tokens instead",
    "scale": "bits per note of models of four sizes after three numbers of steps",
    "nearness": "how far honest replays are apart, beside replays with one foreign window",
    "memory": "memory that training takes, against transformers with REMI",
    "pieces": "memory of one command after so many new pieces",
    "sample": "notes a second in sampling, against transformers with REMI",
    "studio": "what people wait for in the studio, in a browser: sound, signing, pages",
    "pictures": "no figures: the readme's pictures of the studio, taken anew",
    "chorales": "nats per voice and sixteenth of four-voice chorales, from the field's JSON",
    "marks": "how surely the watermark is found after what people do to pieces",
    "music": "harmony, home and form of new pieces, beside those of works",
}


def main(arguments: list[str] | None = None) -> int:
    with failures_said():
        return _measured(sys.argv[1:] if arguments is None else arguments)


def _measured(given: list[str]) -> int:
    command = next((name for name in given if not name.startswith("-")), "")
    parser, module = _parser(command)
    args = parser.parse_args(given)
    header = {"command": command_line(given), "machine": describe()}
    try:
        result = {**header, **module.run(args)}
    except HouseError as error:
        print(error, file=sys.stderr)
        return 2
    _keep(result, Path("out/benchmark") / f"{command}.json")
    print(json.dumps(result, indent=2)) if args.json else show(result)
    return 0


def _parser(command: str) -> tuple[argparse.ArgumentParser, Any]:
    """All commands by name, and the options of the one that is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    module = None
    for name, summary in COMMANDS.items():
        options = commands.add_parser(name, help=summary, description=summary)
        options.add_argument("--json", action="store_true", help="print JSON instead of tables")
        if name == command:
            module = importlib.import_module(f"bench.{name}")
            if hasattr(module, "arguments"):
                module.arguments(options)
            else:
                options.add_argument("--works", type=int, help="how many synthetic works")
    return parser, module


def _keep(result: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def show(result: dict[str, Any]) -> None:
    """Print lists of rows as tables, everything else as `name: value`."""
    for name, value in result.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            _table(name, value)
        elif isinstance(value, dict):
            _table(name, [value])
        elif value not in ([], {}):
            print(f"{name}: {_text(value)}")


def _table(title: str, rows: list[dict[str, Any]]) -> None:
    """Columns are as wide as their widest cell; a table of one row stands upright."""
    if len(rows) == 1:
        cells = [[name, _text(value)] for name, value in rows[0].items()]
    else:
        names = list(dict.fromkeys(name for row in rows for name in row))
        cells = [names, *([_text(row.get(name, "")) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    print(f"\n{title.replace('_', ' ')}")
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(f"  {line.rstrip()}")


def _text(value: Any) -> str:
    """Short enough for a table; the JSON has the rest."""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, (list, tuple)):
        return f"{len(value)} items" if len(str(value)) > 60 else " ".join(map(_text, value))
    return str(value)


if __name__ == "__main__":
    sys.exit(main())

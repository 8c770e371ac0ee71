"""A model as a folder that leaves the house: weights, shape, tokenizer, manifest, and a card.

The names are those of model hubs: `model.safetensors`, `config.json`, `tokenizer.json`,
`README.md`. The weights are the very file that the run left, so that the house's log still knows
it. With `torch.export` a program of the model lies beside them, which needs none of this software.

Source: PyTorch's torch.export; huggingface.co/docs/hub/model-cards.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import torch

from gen.checkpoint import Checkpoint, config_of, load_checkpoint
from gen.disk import write_atomically
from gen.disk.weights import read_weights
from gen.errors import HouseError
from gen.model import Transformer
from gen.provenance.history.runs import Run
from gen.tokens.tokenization import HouseEvents
from gen.tokens.tokenizer import HouseTokenizer
from gen.training.optimising.graphs import PaddedLosses

WEIGHTS: Final = "model.safetensors"
PROGRAM: Final = "model.pt2"
CARD: Final = """---
library_name: gen
tags: [music, symbolic-music, midi]
pipeline_tag: other
---

# {name}

A generator of symbolic music (MIDI) with {parameters:.2f} million parameters. By its record it was
trained on {works} works of the music house {house}, for `{purpose}`, and on nothing else{base}.
{vouched}

| file | holds |
|---|---|
| `model.safetensors` | the weights, with all below in their header |
| `config.json` | the network's shape |
| `tokenizer.json` | how music is written for it: MidiTok's file, tokenizer `{tokenizer}` |
| `manifest.json` | every work that its run was given, by digest and place in the house's log |
{program}
Checked by `house.py verify --checkpoint model.safetensors --pin PIN`, or without that software
by `verify_alone.py RECORDS --pin PIN --model model.safetensors`, where PIN says whom you trust of
the house. What that shows: composers signed these works, others accepted them, and a run was
recorded that learned from them. What it cannot show: who composed them; and that the run used
nothing else is its trainer's word, unless it is trained anew (`house.py rebuild`).

- SHA-256 of the file: `{file_sha256}`
- SHA-256 of its tensors: `{tensors_sha256}`
- SHA-256 of its manifest: `{manifest_sha256}`
- composers: {composers}
{figures}
What it writes is machine-generated and has to be marked so. Its composers consented to what is
named above; ask the house before you use it for anything else.
"""


def pack(path: Path, folder: Path, run: Run, *, program: bool = False) -> list[Path]:
    """Write a model's folder.

    Args:
        path: of the model's file.
        folder: new, or empty.
        run: that left it.
        program: write what `torch.export` makes of it, too.

    Returns:
        The files.

    Raises:
        HouseError: the model cannot be read, or something lies in the folder.
    """
    if folder.exists() and any(folder.iterdir()):
        raise HouseError("is not empty", where=str(folder), mend="name a new folder")
    checkpoint = load_checkpoint(path)
    files = {
        WEIGHTS: read_weights(path),
        "config.json": _json(config_of(checkpoint.file.about)),
        "tokenizer.json": tokenizer_file(checkpoint),
        "manifest.json": f"{checkpoint.manifest.to_json()}\n".encode(),
        "README.md": card(checkpoint, path.stem, run, program=program).encode(),
    }
    for name, data in files.items():
        write_atomically(folder / name, data)
    if program:
        torch.export.save(exported(checkpoint.model), folder / PROGRAM)
    return sorted(folder.iterdir())


def exported(model: Transformer) -> torch.export.ExportedProgram:
    """The model as a program of PyTorch's, for one window as long as its context."""
    config, length = model.config, model.config.context
    fields, columns = len(config.field_sizes), len(config.field_sizes) + len(config.context_sizes)
    given = (
        torch.zeros(1, length, columns, dtype=torch.int64),
        torch.ones(1, length, fields, dtype=torch.int64),
    )
    return torch.export.export(PaddedLosses(model.eval()), given)


def tokenizer_file(checkpoint: Checkpoint) -> bytes:
    """MidiTok's `tokenizer.json` of a model."""
    tokens = checkpoint.tokenization
    if isinstance(tokens, HouseEvents):
        return _json(HouseTokenizer(timing=tokens.timing).to_dict())
    kept = tokens.to_dict() or {}
    return _json(kept["miditok"])


def card(checkpoint: Checkpoint, name: str, run: Run, *, program: bool) -> str:
    """The model's card, in Markdown; every figure is from its file or the log."""
    file, manifest = checkpoint.file, checkpoint.manifest
    behind = ", which began with a model of " if manifest.base else ""
    base = behind + " and ".join(
        f"{len(each.manifest.works)} works of {each.manifest.house} (`{each.file_sha256}`)"
        for each in manifest.bases
    )
    base += "".join(f", trained with {words}" for words in manifest.foreign_code)
    bits = checkpoint.run.get("bits_per_note")
    people = sorted({who for work in manifest.works for who, _ in work.composers})
    return CARD.format(
        name=f"{manifest.house} {name}",
        parameters=sum(p.numel() for p in checkpoint.model.parameters()) / 1e6,
        works=len(manifest.works), house=manifest.house, purpose=manifest.purpose, base=base,
        vouched=f"The log of {manifest.house} has it as {run}, entered by {run.by}.",
        tokenizer=checkpoint.tokenization.name,
        program=f"| `{PROGRAM}` | the same as a program: nats of a window, by `torch.export` |\n"
        if program else "",
        file_sha256=file.file_sha256, tensors_sha256=file.tensors_sha256,
        manifest_sha256=manifest.digest, composers=", ".join(people),
        figures=f"- bits per note of its held-out validation works: {bits:.3f}\n"
        if isinstance(bits, float) else "",
    )  # fmt: skip


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()

"""What a model is made of, for machines: a CycloneDX 1.6 bill of materials with a model card.

Source: ECMA-424 (CycloneDX 1.6), component type `machine-learning-model`, and its capability
ML-BOM. It is plain JSON; the tests hold it against the library's own schema.
"""

from __future__ import annotations

import json
import uuid
from typing import Any, Final

import gen
from gen.disclosure.account import Account
from gen.disclosure.card import limits_of, shape_of
from gen.disclosure.figures import ReadWork
from gen.provenance.manifests.manifest import Base
from gen.provenance.signing.canonical import utc_now

SCHEMA: Final = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_MODEL, _WORKS = "model", "works"
_NAMES: Final = uuid.UUID("4b7c9ad2-6f0e-5f0b-9d55-0c0a3f5f7f10")
"""Of serial numbers: the same model and the same log give the same one."""


def bom_of(account: Account) -> dict[str, Any]:
    """The bill of materials, as JSON values."""
    bases = [_base(number, base) for number, base in enumerate(account.model.manifest.bases, 1)]
    components = [_works(account), *bases]
    parts = [component["bom-ref"] for component in components]
    name = f"{account.model.file_sha256} {account.root}"
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMES, name)}",
        "version": 1,
        "metadata": {
            "timestamp": utc_now(),
            "tools": {
                "components": [{"type": "application", "name": "gen", "version": gen.__version__}]
            },
            "component": _model(account, bases),
        },
        "components": components,
        "dependencies": [{"ref": _MODEL, "dependsOn": parts}, *({"ref": part} for part in parts)],
        "compositions": [{"aggregate": _aggregate(account), "assemblies": [_WORKS]}],
    }


def _aggregate(account: Account) -> str:
    """Whether the works listed are all that it learned from, as far as the records show."""
    if account.run.is_asserted:
        return "unknown"
    return "incomplete" if account.other_houses else "complete"


def _model(account: Account, bases: list[dict[str, Any]]) -> dict[str, Any]:
    run, model = account.run, account.model
    found = {
        "type": "machine-learning-model",
        "bom-ref": _MODEL,
        "name": run.name,
        "publisher": account.register.roster.house,
        "hashes": _hashes(model.file_sha256),
        "modelCard": _card(account),
        "properties": _properties(
            tensors_sha256=model.tensors_sha256,
            manifest_sha256=model.manifest.digest,
            transcript_root=run.transcript,
            run=run.index,
            run_is="asserted" if run.is_asserted else "recorded",
            trained=run.time,
            steps=account.digest.steps,
            parameters=model.parameters,
            purpose=model.manifest.purpose,
            log_size=account.register.size,
            log_root=account.root,
            as_of=account.as_of,
            settings=json.dumps(account.settings, sort_keys=True),
            torch=model.about.get("run", {}).get("torch", ""),
        ),
    }
    ancestors = [{**base, "bom-ref": f"ancestor {base['bom-ref']}"} for base in bases]
    return {**found, "pedigree": {"ancestors": ancestors}} if ancestors else found


def _card(account: Account) -> dict[str, Any]:
    shape = ", ".join(f"{name} {value}" for name, value in sorted(shape_of(account).items()))
    found: dict[str, Any] = {
        "modelParameters": {
            "approach": {"type": "self-supervised"},
            "task": "writing symbolic music",
            "architectureFamily": "transformer",
            "modelArchitecture": shape,
            "datasets": [{"ref": _WORKS}],
            "inputs": [{"format": "audio/midi"}],
            "outputs": [{"format": "audio/midi"}],
        },
        "considerations": {"technicalLimitations": limits_of(account)},
    }
    if account.evaluation is not None:
        found["quantitativeAnalysis"] = {"performanceMetrics": _metrics(account)}
        found["properties"] = _properties(report_sha256=account.evaluation.sha256)
    return found


def _metrics(account: Account) -> list[dict[str, Any]]:
    evaluation = account.evaluation
    figures = evaluation.figures if evaluation else {}
    side = str(evaluation.report.get("split")) if evaluation else ""
    return [
        {
            "type": name,
            "value": str(figure["value"]),
            "slice": side,
            **_interval(figure),
        }
        for name, figure in figures.items()
        if figure["value"] is not None
    ]


def _interval(figure: dict[str, Any]) -> dict[str, Any]:
    low, high = figure.get("low"), figure.get("high")
    if low is None or high is None:
        return {}
    return {"confidenceInterval": {"lowerBound": str(low), "upperBound": str(high)}}


def _works(account: Account) -> dict[str, Any]:
    house, figures = account.register.roster, account.figures
    side = {work: side for side, works in account.sides.items() for work in works}
    return {
        "type": "data",
        "bom-ref": _WORKS,
        "name": f"works of {house.house}",
        "description": f"{figures.works} works, {figures.notes} notes, {figures.seconds} seconds",
        "data": [
            {
                "type": "dataset",
                "name": f"works of {house.house}",
                "contents": {
                    "properties": _properties(works_sha256=account.model.manifest.works_digest)
                },
                "governance": {"owners": [{"organization": {"name": house.house}}]},
            }
        ],
        "components": [_work(work, side) for work in account.works],
        "properties": _properties(house=house.identity),
    }


def _work(work: ReadWork, sides: dict[str, str]) -> dict[str, Any]:
    record, entry = work.record, work.record.entry
    return {
        "type": "data",
        "bom-ref": f"work {entry.work}",
        "name": entry.title or entry.work,
        "authors": [{"name": person} for person, _ in entry.composers],
        "hashes": _hashes(entry.file_sha256),
        "properties": _properties(
            act=record.index,
            music_sha256=entry.music_sha256,
            composers=" ".join(f"{person}:{share}" for person, share in entry.composers),
            method=work.statement.method,
            side=sides.get(entry.work, ""),
            withdrawn="" if record.withdrawn_at is None else record.withdrawn_at,
        ),
    }


def _base(number: int, base: Base) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "bom-ref": f"base {number}",
        "name": f"a model of {base.manifest.house}",
        "hashes": _hashes(base.file_sha256),
        "properties": _properties(
            tensors_sha256=base.tensors_sha256,
            manifest_sha256=base.manifest.digest,
            works=len(base.manifest.works),
            recorded=base.recorded,
        ),
    }


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]


def _properties(**values: object) -> list[dict[str, str]]:
    """Name and value as text; what is empty is left out."""
    return [
        {"name": f"gen:{name}", "value": str(value)}
        for name, value in values.items()
        if value != ""
    ]

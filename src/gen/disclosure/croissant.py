"""Croissant 1.0 metadata: a data set for machines that look for such, with its RAI fields.

Source: MLCommons Croissant Format Specification 1.0 and Croissant RAI Specification 1.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from gen.disclosure.account import Account
from gen.disclosure.card import counts_in_words
from gen.disclosure.figures import ReadWork
from gen.provenance.history.register import Register
from gen.provenance.houses.house import House
from gen.provenance.houses.settle import work_place
from gen.provenance.houses.store import WITHDRAWN
from gen.provenance.signing.canonical import sha256_hex, today_utc

REGISTER: Final = "register.jsonl"
_PREFIXES: Final = {
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}
_TERMS: Final = (
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject",
    "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField",
    "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator",
    "source", "subField", "transform",
)  # fmt: skip
CONTEXT: Final = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **_PREFIXES,
    **{term: f"cr:{term}" for term in _TERMS},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}
_OF_ACTS: Final = {
    "index": "sc:Integer", "act": "sc:Text", "by": "sc:Text", "time": "sc:DateTime",
    "data": "sc:Text",
}  # fmt: skip
_OF_WORKS: Final = {
    "work": "sc:Text", "title": "sc:Text", "composers": "sc:Text", "method": "sc:Text",
    "genre": "sc:Text", "notes": "sc:Integer", "seconds": "sc:Float", "side": "sc:Text",
    "entered": "sc:Date", "withdrawn": "sc:Boolean", "music_sha256": "sc:Text",
}  # fmt: skip


def dataset(
    name: str, files: Sequence[dict[str, Any]], records: Sequence[dict[str, Any]], **more: Any
) -> dict[str, Any]:
    """A data set of these files and records; `more` are its other properties."""
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        **more,
        "distribution": list(files),
        "recordSet": list(records),
    }


def file_object(place: str, kind: str, sha256: str, *, url: str = "") -> dict[str, Any]:
    """A file by its place in the house; `url` where it is found elsewhere."""
    return {
        "@type": "cr:FileObject",
        "@id": place,
        "name": place,
        "contentUrl": url or place,
        "encodingFormat": kind,
        "sha256": sha256,
    }


def acts_of_register() -> dict[str, Any]:
    """One record a register line: who did what when, and the work entered (in `data`)."""
    fields = [
        {
            **_field("acts", name, kind),
            "source": {
                "fileObject": {"@id": REGISTER},
                "extract": {"jsonPath": f"$.{name}"},
            },
        }
        for name, kind in _OF_ACTS.items()
    ]
    return {"@type": "cr:RecordSet", "@id": "acts", "name": "acts", "field": fields}


def _field(record: str, name: str, kind: str) -> dict[str, Any]:
    return {"@type": "cr:Field", "@id": f"{record}/{name}", "name": name, "dataType": kind}


def text_of(found: Mapping[str, Any]) -> str:
    """As a file holds it."""
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


# -- the works behind a model ----------------------------------------------------------------


def dataset_of(house: House, account: Account, license_: str) -> dict[str, Any]:
    """The works behind a model as a data set.

    Args:
        house: whose.
        account: of the model.
        license_: under which the works are given to others; a URL, or words.
    """
    register, figures = account.register, account.figures
    name = register.roster.house
    return dataset(
        f"works-behind-{account.model.file_sha256[:12]}",
        [_register_file(house, register), *map(_file, account.works)],
        [acts_of_register(), _works(account)],
        description=f"{figures.works} works of {name}: what the model "
        f"{account.model.file_sha256} learned from. {account.read_from}.",
        license=license_,
        creator={"@type": "sc:Organization", "name": name},
        datePublished=account.as_of or today_utc().isoformat(),
        version=f"{register.size}.0.0",
        citeAs=f"works of {register.roster.identity}, {register.size} acts",
        keywords=[genre for genre in figures.genres if genre],
        **_responsible(account),
    )


def _register_file(house: House, register: Register) -> dict[str, Any]:
    """The log, as far as the register goes."""
    with house.register_log.open() as file:
        lines = b"".join(file.readline() for _ in range(register.size))
    return file_object(REGISTER, "application/jsonlines", sha256_hex(lines))


def _file(work: ReadWork) -> dict[str, Any]:
    record = work.record
    place = work_place(record)
    if record.withdrawn_at is not None:
        place = f"{WITHDRAWN}/{record.entry.work}.mid"
    return file_object(place, "audio/midi", record.entry.file_sha256)


def _works(account: Account) -> dict[str, Any]:
    """One record a work."""
    side = {work: side for side, works in account.sides.items() for work in works}
    return {
        "@type": "cr:RecordSet",
        "@id": "works",
        "name": "works",
        "key": {"@id": "works/work"},
        "field": [_field("works", name, kind) for name, kind in _OF_WORKS.items()],
        "data": list(_rows(account.works, side)),
    }


def _rows(works: Iterable[ReadWork], side: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    for work in works:
        record, entry = work.record, work.record.entry
        values = (
            entry.work, entry.title, " ".join(f"{who}:{share}" for who, share in entry.composers),
            work.statement.method, work.statement.description.genre, work.notes,
            round(work.seconds, 3), side.get(entry.work, ""), record.time[:10],
            record.withdrawn_at is not None, entry.music_sha256,
        )  # fmt: skip
        yield {f"works/{name}": value for name, value in zip(_OF_WORKS, values, strict=True)}


def _responsible(account: Account) -> dict[str, Any]:
    """The RAI fields, each from the records."""
    figures, manifest = account.figures, account.model.manifest
    sides = ", ".join(f"{len(works)} {side}" for side, works in account.sides.items())
    return {
        "rai:dataCollection": "Contributed by composers of the house. A composer signs each work "
        "with how it was made and what it may be used for; a curator accepts it; the log of the "
        f"house holds both. How they were made: {counts_in_words(figures.methods)}; "
        f"{figures.adopted} taken over from another house.",
        "rai:dataCollectionTimeFrame": [figures.first, figures.last],
        "rai:dataAnnotationProtocol": "Title, genre, mood, key, chords, sections and roles are "
        "what composers say in the tag of each work; where they say nothing, nothing is added.",
        "rai:dataPreprocessingProtocol": [
            f"tokenizer {manifest.tokenizer_fingerprint}",
            f"sides of the split, relatives together: {sides or 'not said in the settings'}",
        ],
        "rai:dataUseCases": f"admitted for {manifest.purpose}, judged on {manifest.judged_on}",
        "rai:dataBiases": f"Works by genre: {counts_in_words(figures.genres)}. By "
        f"{figures.composers} composers.",
        "rai:dataLimitations": f"{figures.works} works, {figures.seconds / 3600:.1f} hours: no "
        "sample of any repertoire but the house's own.",
        "rai:personalSensitiveInformation": "Ids of composers and their shares; nothing else on "
        "persons.",
        "rai:dataReleaseMaintenancePlan": "Composers can withdraw works and change what these may "
        f"be used for, by acts in the log; {figures.withdrawn} of these were withdrawn.",
    }

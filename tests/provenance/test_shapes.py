"""Typed records: what was written is read to the same bytes, and nothing else is read."""

from __future__ import annotations

import copy
import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alone.formats import OBJECTS
from gen.errors import HouseError
from gen.provenance.history.log import Head
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.records.acts import (
    ADD,
    ADOPT,
    ANSWER,
    APPROVE,
    BEGIN,
    COMPLAIN,
    CONSENT,
    END,
    KEY,
    KINDS,
    MODEL,
    OUTPUT,
    PAPER,
    RETIRE,
    SELL,
    TERMS,
    WITHDRAW,
    Act,
    Adoption,
    ConsentChange,
    Entry,
    KeyChange,
    Withdrawal,
)
from gen.provenance.records.complaints import Answer, Complaint
from gen.provenance.records.papers import Paper
from gen.provenance.records.roster import SignedRoster
from gen.provenance.records.run_acts import (
    AssertedModel,
    Begin,
    End,
    ModelDigest,
    Output,
    Retirement,
)
from gen.provenance.records.sales import Sale
from gen.provenance.records.statement import Statement
from gen.provenance.records.tag import read_tag
from gen.provenance.records.terms import Approval, Terms
from gen.provenance.records.transcript import Mark
from gen.provenance.signing.canonical import StrictJsonError, canonical, canonical_json
from gen.provenance.signing.dsse import Envelope
from gen.provenance.signing.shapes import Shape
from houses import key_of, start_house
from mutations import full_house, places_in

REPOSITORY = Path(__file__).parents[2]
LOGS = {
    "the starter house": REPOSITORY / "data" / "house_midi" / "register.jsonl",
    "version 1": REPOSITORY / "tests" / "fixtures" / "v1_house" / "register.jsonl",
}
ZEROS = "00" * 32


def written_again(act: Act) -> object:
    """What an act says, read into its own type and written once more."""
    data = act.data
    if act.kind == ADOPT:
        found = Adoption.from_dict(data)
        works = tuple(Entry.from_dict(work).to_dict() for work in found.works)
        return Adoption(found.origin, works).to_dict()
    if act.kind == KEY:
        signed = SignedRoster.from_dict(KeyChange.from_dict(data).signed)
        return KeyChange(signed.to_dict()).to_dict()
    if act.kind == CONSENT:
        change = ConsentChange.from_dict(data)
        return ConsentChange(change.scopes.grants, change.work).to_dict()
    kinds = {
        ADD: Entry, ANSWER: Answer, APPROVE: Approval, BEGIN: Begin, COMPLAIN: Complaint, END: End,
        MODEL: AssertedModel, OUTPUT: Output, PAPER: Paper, RETIRE: Retirement, SELL: Sale,
        TERMS: Terms, WITHDRAW: Withdrawal,
    }  # fmt: skip
    return kinds[act.kind].from_dict(data).to_dict()


def check_lines(lines: list[bytes]) -> set[str]:
    acts = [Act.decode(line) for line in lines]
    for act, line in zip(acts, lines, strict=True):
        assert act.encode() == line
        assert canonical(written_again(act)) == canonical(json.loads(line)["data"])
    return {act.kind for act in acts}


@pytest.mark.parametrize("name", LOGS)
def test_every_line_of_a_published_log_is_written_again_byte_for_byte(name):
    assert KEY in check_lines(LOGS[name].read_bytes().splitlines())


def test_every_line_of_a_house_with_everything_in_it_is_written_again(tmp_path):
    export = full_house(tmp_path)
    found = check_lines((export.folder / "register.jsonl").read_bytes().splitlines())
    assert found == set(KINDS) - {ADOPT, MODEL}


BEGUN = Begin(
    "first", "general_model", ZEROS, ("a",), ZEROS, 1, ZEROS, ZEROS, "a test", None
).to_dict()
MODEL_LEFT = ModelDigest("best", 3, ZEROS, ZEROS).to_dict()
WRONG = [
    (Begin, {**BEGUN, "seed": "1"}, "begin: expected `int`, got `str` - at `$.seed`"),
    (Begin, {**BEGUN, "seed": True}, "begin: expected `int`, got `bool` - at `$.seed`"),
    (Begin, {**BEGUN, "seed": 1.0}, "begin: expected `int`, got `float` - at `$.seed`"),
    (Begin, {**BEGUN, "works": ["a", 3]}, "expected `str`, got `int` - at `$.works[1]`"),
    (Begin, {**BEGUN, "works": "a"}, "expected `array`, got `str` - at `$.works`"),
    (Begin, {**BEGUN, "works": []}, "works are not sorted, one appears twice, or none"),
    (Begin, {**BEGUN, "extra": 1}, "begin: object contains unknown field `extra`"),
    (Begin, {**BEGUN, "settings": ""}, "begin: `settings` is spelled otherwise"),
    (Begin, {**BEGUN, "settings": "{}"}, "its settings are not those of their digest"),
    (Begin, {**BEGUN, "lock_sha256": ZEROS[:-1]}, "expected 64 hex digits - at `$.lock_sha256`"),
    (Begin, {**BEGUN, "lock_sha256": ZEROS + "\n"}, "expected 64 hex digits"),
    (Begin, {**BEGUN, "lock_sha256": "AA" * 32}, "expected 64 hex digits"),
    (Begin, {k: v for k, v in BEGUN.items() if k != "seed"}, "missing required field `seed`"),
    (
        Begin,
        {k: v for k, v in BEGUN.items() if k != "continues"},
        "missing required field `continues`",
    ),
    (Begin, [], "begin: expected `object`, got `array`"),
    (End, {"begin": 1, "models": [{**MODEL_LEFT, "x": 0}], "steps": 1}, "at `$.models[0]`"),
    (End, {"begin": None, "models": [], "steps": 1}, "got `null` - at `$.begin`"),
    (Output, {"run": 1}, "output: object missing required field"),
    (Mark, {"step": 1}, "mark: object missing required field"),
    (Withdrawal, {"work": "a"}, "withdrawal: object missing required field"),
]


@pytest.mark.parametrize(("kind", "value", "words"), WRONG)
def test_what_is_written_otherwise_is_refused_with_the_place(kind, value, words):
    with pytest.raises(StrictJsonError) as caught:
        kind.from_dict(value)
    assert words in caught.value.what


class _Said:
    """A statement, read and written as the other records are."""

    def __init__(self, statement: Statement, music_sha256: str) -> None:
        self._written = statement.payload(music_sha256)

    def to_dict(self) -> Any:
        return canonical_json(self._written)

    @staticmethod
    def from_dict(value: object) -> _Said:
        return _Said(*Statement.from_payload(value))


KINDS_OF_RECORDS = ("roster", "head", "envelope", "entry", "statement", "manifest")


@pytest.fixture(scope="module")
def records():
    """One record of each kind that people read by itself."""
    with tempfile.TemporaryDirectory() as place:
        house = start_house(Path(place) / "house", log_key=key_of("log"))
        entry, _ = house.enter(1, 2, composers=(("ana", 60), ("ben", 40)))
        register = house.load()
        manifest = Manifest.of(house.admit())
        tagged = read_tag(house.path(entry).read_bytes())
        return {
            "roster": (SignedRoster, register.rosters[-1].to_dict()),
            "head": (Head, register.head.to_dict()),
            "envelope": (Envelope, tagged.envelope.to_dict()),
            "entry": (Entry, entry.to_dict()),
            "statement": (_Said, tagged.envelope.content()),
            "manifest": (Manifest, manifest.to_dict()),
        }


def put(value: Any, path: tuple[str | int, ...], new: object) -> Any:
    """A copy with something else in a place; nothing in it where that is `...`."""
    found = copy.deepcopy(value)
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    if new is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return found


@pytest.mark.parametrize("name", KINDS_OF_RECORDS)
def test_nothing_else_is_read_as_a_record(records, name):
    """Whatever stands in a place: a record is read to what is written again, or refused."""
    kind, whole = records[name]
    assert kind.from_dict(whole).to_dict() == whole
    others = (..., None, True, 1, -1, 1.0, "", "x", "2030-1-1", [], [1], {}, {"x": 1})
    for path in places_in(whole):
        for new in others:
            changed = put(whole, path, new)
            try:
                read = kind.from_dict(canonical_json(canonical(changed)))
            except HouseError:
                continue
            assert canonical(read.to_dict()) == canonical(changed), (path, new)


@pytest.mark.parametrize("name", KINDS_OF_RECORDS)
def test_a_field_nobody_knows_is_refused_wherever_it_stands(records, name):
    kind, whole = records[name]
    for path in [(), *places_in(whole)]:
        inner = functools.reduce(lambda value, step: value[step], path, whole)
        # A statement is another kind's to read.
        if isinstance(inner, dict) and "statement" not in path:
            with pytest.raises(StrictJsonError):
                kind.from_dict(put(whole, (*path, "colour"), "blue"))


def test_what_is_nested_too_deep_is_refused():
    deep: dict[str, Any] = {}
    for _ in range(3_000):
        deep = {"base": {"manifest": deep}}
    with pytest.raises(StrictJsonError):
        Manifest.from_dict(deep)


# -- the table that the independent reader reads records by ----------------------------------------

TABLED = {
    "about": "Description", "act": "_ActLine", "digest": "_Digest", "do_add": "_Entered",
    "do_adopt": "Adoption", "do_answer": "Answer", "do_approve": "Approval", "do_begin": "Begin",
    "do_complain": "Complaint", "do_consent": "ConsentChange", "do_end": "End",
    "do_key": "KeyChange", "do_model": "AssertedModel", "do_output": "Output", "do_paper": "Paper",
    "do_retire": "Retirement", "do_sell": "Sale", "do_terms": "Terms", "do_withdraw": "Withdrawal",
    "envelope": "_Signed", "grant": "Grant", "head": "_HeadFile", "key": "_Key",
    "log": "_RosterLog", "model": "ModelDigest", "models": "_Models", "origin": "_Origin",
    "person": "_Person", "policy": "_Policy", "predicate": "_Predicate", "receipt": "Envelope",
    "root": "_Root", "roster": "_RecordedRoster", "share": "Share", "signature": "Signature",
    "signed": "_SignedRoster", "statement": "", "subject": "_Subject", "tag": "Envelope",
    "tree": "_SignedHead", "use": "Use",
}  # fmt: skip


def structs(kind: type[Shape]) -> dict[str, type[Shape]]:
    found = {each.__name__: each for each in kind.__subclasses__()}
    return {name: each for each in found.values() for name, each in structs(each).items()} | found


def test_the_independent_readers_table_has_the_fields_of_each_record():
    """By name, and which may be left out: the table is written by hand, and read by strangers."""
    known = structs(Shape)
    assert TABLED.keys() == OBJECTS.keys()
    for kind, name in TABLED.items():
        if not name:
            continue  # in-toto's, which no struct of the house's has
        fields = msgspec.structs.fields(known[name])
        omits = known[name].__struct_config__.omit_defaults
        written = {
            f"~{each.encode_name}" if omits and not each.required else each.encode_name
            for each in fields
        }
        constant = {"statement"} if kind == "do_model" else set()  # the same words in each
        assert written | constant == OBJECTS[kind].keys(), kind

"""Typed records: what was written is read to the same bytes, and nothing else is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gen.provenance.acts import (
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
    Entry,
    Withdrawal,
)
from gen.provenance.canonical import StrictJsonError, canonical
from gen.provenance.complaints import Answer, Complaint
from gen.provenance.consent import Consent
from gen.provenance.papers import Paper
from gen.provenance.roster import SignedRoster
from gen.provenance.runs import AssertedModel, Begin, End, ModelDigest, Output, Retirement
from gen.provenance.sales import Sale
from gen.provenance.terms import Approval, Terms
from gen.provenance.transcript import Mark
from mutations import full_house

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
        return {**data, "works": [Entry.from_dict(work).to_dict() for work in data["works"]]}
    if act.kind == KEY:
        return {"signed": SignedRoster.from_dict(data["signed"]).to_dict()}
    if act.kind == CONSENT:
        return {**data, "consent": Consent.from_list(data["consent"]).to_list()}
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


BEGUN = Begin("first", "general_model", ZEROS, ("a",), ZEROS, 1, ZEROS, ZEROS, "a test").to_dict()
MODEL_LEFT = ModelDigest("best", 3, ZEROS, ZEROS).to_dict()
WRONG = [
    (Begin, {**BEGUN, "seed": "1"}, "begin: expected `int`, got `str` - at `$.seed`"),
    (Begin, {**BEGUN, "seed": True}, "begin: expected `int`, got `bool` - at `$.seed`"),
    (Begin, {**BEGUN, "seed": 1.0}, "begin: expected `int`, got `float` - at `$.seed`"),
    (Begin, {**BEGUN, "works": ["a", 3]}, "expected `str`, got `int` - at `$.works[1]`"),
    (Begin, {**BEGUN, "works": "a"}, "expected `array`, got `str` - at `$.works`"),
    (Begin, {**BEGUN, "works": []}, "works are not sorted, one appears twice, or none"),
    (Begin, {**BEGUN, "extra": 1}, "begin: object contains unknown field `extra`"),
    (Begin, {**BEGUN, "settings": ""}, "begin: a field is empty that is left out when empty"),
    (Begin, {**BEGUN, "settings": "{}"}, "its settings are not those of their digest"),
    (Begin, {**BEGUN, "lock_sha256": ZEROS[:-1]}, "expected 64 hex digits - at `$.lock_sha256`"),
    (Begin, {**BEGUN, "lock_sha256": ZEROS + "\n"}, "expected 64 hex digits"),
    (Begin, {**BEGUN, "lock_sha256": "AA" * 32}, "expected 64 hex digits"),
    (Begin, {k: v for k, v in BEGUN.items() if k != "seed"}, "missing required field `seed`"),
    (Begin, {k: v for k, v in BEGUN.items() if k != "continues"}, "begin: a field is"),
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

"""The worked example in docs/format.md, made by the code that it describes.

`python tests/format_examples.py` writes it anew; `test_format_page.py` holds the page against it.
"""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from gen.piece import Note, Piece, Track
from gen.provenance.admission.mark import mark_generated
from gen.provenance.history.log import HEAD_TYPE, Head
from gen.provenance.records.acts import (
    ACT_TYPE,
    ADD,
    ANSWER,
    APPROVE,
    BEGIN,
    COMPLAIN,
    CONSENT,
    END,
    KEY,
    OUTPUT,
    PAPER,
    RETIRE,
    ROOT,
    SELL,
    TERMS,
    Act,
    ConsentChange,
    Entry,
)
from gen.provenance.records.complaints import Answer, Complaint
from gen.provenance.records.consent import Consent
from gen.provenance.records.papers import Paper
from gen.provenance.records.pin import Pin
from gen.provenance.records.roster import (
    ROSTER_TYPE,
    Person,
    PersonKey,
    Roster,
    SignedRoster,
    identity_of,
    origin_of,
)
from gen.provenance.records.run_acts import Begin, End, ModelDigest, Output, Retirement
from gen.provenance.records.sales import Sale
from gen.provenance.records.statement import Description, Statement
from gen.provenance.records.tag import read_tag, sign_contribution
from gen.provenance.records.terms import Approval, Terms, Use
from gen.provenance.records.transcript import Mark, Transcript
from gen.provenance.signing.canonical import canonical, sha256_hex
from gen.provenance.signing.dsse import pre_authentication, sign
from gen.provenance.signing.keys import PrivateKey
from gen.provenance.signing.merkle import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
)
from gen.provenance.signing.notes import LOG_KEY, NoteKey, SignedNote
from gen.smf import musical_hash, parse, write

PAGE = Path(__file__).parents[1] / "docs" / "format.md"
RECORDS = Path(__file__).parents[1] / "scripts" / "alone" / "records.txt"
TIME = "2026-01-02T03:04:05Z"
PEOPLE = {"ana": "composer", "cleo": "curator", "machine": "producer trainer"}
BLOCK = re.compile(r"(<!-- example: ([a-z ]+) -->\n```[a-z]*\n)(.*?)(\n```)", re.DOTALL)

NAMED_BY_DIGEST = """
at         root:text size:number
left_out   path:text rule:text
learned    composers:share* musical_hash:hex register_index:number sha256:hex work:text
base       file_sha256:hex manifest:manifest recorded:flag sides:object tensors_sha256:hex
manifest   ~base:base code_version:text format=1 house:text judged_on:text lock_sha256:text not_consented:text* purpose:text refused:left_out* register:at roster_version:number tokenizer_fingerprint:text works:learned*
mark       format=1 generated=true receipt_sha256:hex
transcript begin_sha256:text every:number format="gen transcript 1"
step       batches:number previous:hex state_sha256:hex step:number weights_sha256:hex windows_sha256:hex
"""  # noqa: E501
"""Shapes of what an act names by its digest, so that a reader need not judge how it is written."""


def key_of(name: str) -> PrivateKey:
    """The key whose seed is SHA-256 of `format.md: NAME`; guard nothing with it."""
    return PrivateKey.from_seed(bytes.fromhex(sha256_hex(f"format.md: {name}".encode())))


def identity() -> str:
    return identity_of("lantern", [key_of("root").keyid])


def first_roster() -> SignedRoster:
    people = tuple(
        Person(name, name.title(), tuple(roles.split()), (PersonKey(key_of(name).public, 0),))
        for name, roles in PEOPLE.items()
    )
    root, log = key_of("root"), key_of("log")
    note_key = NoteKey(origin_of("lantern", [root.keyid]), log.public, LOG_KEY)
    roster = Roster(
        "lantern", 1, 0, date(2027, 1, 2), False, (root.public,), 1, people,
        change="the house lantern begins", statements_in_log=True, log=note_key,
        identity=identity(),
    )  # fmt: skip
    return SignedRoster(roster, (sign(ROSTER_TYPE, roster.payload(), root),))


def contributed() -> bytes:
    """A file of one note, with its composer's and its curator's signature."""
    midi = write(Piece(480, [Track("", 0, notes=[Note(0, 480, 60, 80)])]))
    statement = Statement(
        "one-note", (("ana", 100),), "score", Consent.parse("evaluation general_model@2030-12-31"),
        musical_hash(parse(midi)), Description(title="One Note"), software="gen", time=TIME,
        house=identity(),
    )  # fmt: skip
    return read_tag(sign_contribution(midi, statement, key_of("ana"))).countersigned(key_of("cleo"))


def entry_of(data: bytes) -> Entry:
    tagged = read_tag(data)
    statement = tagged.statement
    first, second = tagged.envelope.signatures
    return Entry(
        statement.work, statement.description.title, "ana/one-note.mid", tagged.music_sha256,
        sha256_hex(data), statement.musical_hash, statement.composers,
        (first.keyid, second.keyid), statement.consent, tagged.envelope,
    )  # fmt: skip


def acts_of(data: bytes) -> tuple[list[bytes], Transcript, bytes]:
    """The lines of a log with one act of each common kind, a run's transcript, a marked piece."""
    zeros = "00" * 32
    begin = Begin("first", "general_model", "11" * 32, ("one-note",), sha256_hex(b"{}"), 1,
                  "22" * 32, "33" * 32, "portable", None, recipe="{}")  # fmt: skip
    marks = (Mark(0, 0, zeros, "44" * 32, "55" * 32), Mark(10, 10, "66" * 32, "77" * 32, "88" * 32))
    transcript = Transcript(begin.digest, 10, marks)
    model = ModelDigest("best.safetensors", 10, "99" * 32, "77" * 32)
    midi = write(Piece(480, [Track("", 0, notes=[Note(0, 480, 64, 80)])]))
    piece = mark_generated(midi, "aa" * 32)
    output = Output(3, "99" * 32, sha256_hex(piece), musical_hash(parse(midi)), "aa" * 32)
    consent = ConsentChange(Consent.parse("general_model").grants, "one-note").to_dict()
    terms = Terms(
        "one-note", Consent.parse("general_model").grants,
        (Use("sale", date(2030, 12, 31), True), Use("sampling")), False, 60, 2500,
    )  # fmt: skip
    approval = Approval("sale", 3, "aa" * 32, ("one-note",))
    retirement = Retirement(3, ("99" * 32,), "a newer one")
    said = [
        (KEY, ROOT, {"signed": first_roster().to_dict()}, None),
        (ADD, "cleo", entry_of(data).to_dict(), "cleo"),
        (CONSENT, "ana", consent, "ana"),
        (BEGIN, "machine", begin.to_dict(), "machine"),
        (END, "machine", End(3, 10, (model,), transcript.root).to_dict(), "machine"),
        (OUTPUT, "machine", output.to_dict(), "machine"),
        (TERMS, "ana", terms.to_dict(), "ana"),
        (APPROVE, "ana", approval.to_dict(), "ana"),
        (RETIRE, "cleo", retirement.to_dict(), "cleo"),
        (COMPLAIN, "cleo", Complaint("c0" * 32).to_dict(), "cleo"),
        (ANSWER, "cleo", Answer(9, "c1" * 32).to_dict(), "cleo"),
        (PAPER, "cleo", Paper("summary", "d0" * 32, "99" * 32).to_dict(), "cleo"),
        (SELL, "machine", Sale("aa" * 32, 5000, date(2026, 1, 2)).to_dict(), "machine"),
    ]
    acts = [
        Act(index, kind, by, TIME, found, house="" if kind == KEY else identity())
        for index, (kind, by, found, _) in enumerate(said)
    ]
    keys = [[] if who is None else [key_of(who)] for *_, who in said]
    lines = [act.signed_by(key).encode() for act, key in zip(acts, keys, strict=True)]
    return lines, transcript, piece


def head_of(lines: list[bytes]) -> Head:
    frontier = Frontier()
    for line in lines:
        frontier.append(leaf_hash(line))
    size = sum(len(line) + 1 for line in lines)
    edge = tuple(frontier.hashes)
    head = Head("lantern", "register", len(lines), size, frontier.root().hex(), TIME, edge)
    return replace(head, signatures=(sign(HEAD_TYPE, head.payload(), key_of("machine")),))


def hexdump(data: bytes) -> str:
    """Sixteen bytes a line, with what is readable of them."""
    rows = []
    for at in range(0, len(data), 16):
        part = data[at : at + 16]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
        rows.append(f"{at:04x}  {part.hex(' '):<47}  {shown}")
    return "\n".join(rows)


def examples() -> dict[str, str]:
    """Every block of the page, by its name."""
    data = contributed()
    lines, transcript, piece = acts_of(data)
    head, leaves, tagged = head_of(lines), list(map(leaf_hash, lines)), read_tag(data)
    consent = Act.decode(lines[2])
    payload, log = consent.payload(), first_roster().roster.log
    assert log
    note = SignedNote(log.name, head.size, bytes.fromhex(head.root)).signed_by(key_of("log"))
    proof = [node.hex() for node in inclusion_proof(leaves, 2)]
    grown = [node.hex() for node in consistency_proof(leaves, 4)]
    return {
        "shapes": RECORDS.read_text("utf-8").strip(),
        "shapes named by digest": NAMED_BY_DIGEST.strip(),
        "keys": "\n".join(
            f"{name:8} {key_of(name).public.hex()}  {key_of(name).keyid}"
            for name in ("root", "log", *PEOPLE)
        ),
        "file": hexdump(data[: len(tagged.music) + 24]),
        "statement": tagged.envelope.payload.decode(),
        "tag": tagged.envelope.encode().decode(),
        "lines": "\n".join(line.decode() for line in lines),
        "signed bytes": pre_authentication(ACT_TYPE, payload).decode(),
        "leaves": "\n".join(f"{index} {leaf.hex()}" for index, leaf in enumerate(leaves)),
        "head": canonical(head.to_dict()).decode(),
        "inclusion": "\n".join(proof),
        "consistency": "\n".join([f"root of 4 {root_of(leaves[:4]).hex()}", *grown]),
        "note": note.encode().decode().rstrip("\n"),
        "log key": str(log),
        "pin": pin_of(lines),
        "mark": hexdump(piece),
        "transcript": transcript.encode().decode().rstrip("\n"),
    }


def pin_of(lines: list[bytes]) -> str:
    roster = first_roster().roster
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        pin = Pin("lantern", place, (key_of("root").keyid,), 1, 1, leaf_hash(lines[0]).hex(),
                  place / "pin.yaml", 1, roster.log)  # fmt: skip
        pin.save()
        return (place / "pin.yaml").read_text("utf-8").rstrip("\n")


def page_with(found: dict[str, str]) -> str:
    """The page, its blocks as the code makes them."""
    text = PAGE.read_text("utf-8")
    return BLOCK.sub(lambda block: f"{block[1]}{found[block[2]]}{block[4]}", text)


if __name__ == "__main__":
    with patch("gen.provenance.signing.canonical.utc_now", lambda: TIME):
        PAGE.write_text(page_with(examples()), "utf-8")

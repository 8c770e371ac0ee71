"""A house with everything in it, and ways to change its records as strangers and members could.

Members re-sign what they change: with every key of the house at hand a mutation gets past the
hashes and signatures, and meets the rules behind them.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from gen.provenance.admission.mark import mark_generated
from gen.provenance.desk import people
from gen.provenance.desk.recording import begin_run, end_run
from gen.provenance.desk.works import renew, set_consent, withdraw
from gen.provenance.history.log import HEAD_TYPE, Head
from gen.provenance.houses.store import CHECKPOINT, WITNESSES
from gen.provenance.manifests.manifest import Manifest
from gen.provenance.manifests.model_file import ABOUT, read_model_file
from gen.provenance.records.acts import (
    ACT_TYPE,
    ANSWER,
    APPROVE,
    COMPLAIN,
    PAPER,
    RETIRE,
    SELL,
    TERMS,
)
from gen.provenance.records.complaints import Answer, Complaint
from gen.provenance.records.consent import Consent
from gen.provenance.records.papers import Paper
from gen.provenance.records.pin import Pin
from gen.provenance.records.roster import ROSTER_TYPE
from gen.provenance.records.run_acts import Begin, End, ModelDigest, Retirement
from gen.provenance.records.sales import Sale
from gen.provenance.records.terms import Approval, Terms, Use
from gen.provenance.records.transcript import Mark, Transcript
from gen.provenance.records.witness_policy import Policy, Witness
from gen.provenance.signing.canonical import canonical, sha256_hex
from gen.provenance.signing.dsse import STATEMENT_TYPE, sign
from gen.provenance.signing.keys import PrivateKey
from gen.provenance.signing.merkle import Frontier, leaf_hash
from gen.provenance.signing.model_signing import models_key, public_text
from gen.provenance.signing.notes import WITNESS_KEY, NoteKey, NoteSignature, SignedNote
from gen.provenance.signing.shapes import Shape
from gen.smf import musical_hash, parse
from houses import TestHouse, key_of, make_midi, start_house

NAMES = ("ana", "ben", "cleo", "dana", "machine", "root", "eve", "log", "mallory")
KEYS = {key_of(name).keyid: key_of(name) for name in NAMES}
UNSIGNABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What signing anew meets in an act that is no act any more."""
WITNESS = NoteKey("society.example/w1", key_of("witness").public, WITNESS_KEY)
REGISTER, HEAD, ROSTER = "register.jsonl", "register.head.json", "roster.json"


@dataclass
class Export:
    """A house's folder and what lies beside it, with the pins that may be trusted."""

    folder: Path
    model: Path
    transcript: Path
    piece: Path
    pins: list[Pin]


def change(house: TestHouse, make: Callable[[Any], Any]) -> None:
    with house.house.writing() as session:
        house.house = people.change_roster(session, make(session.register), [house.root]).house


def model_file(path: Path, manifest: Manifest) -> None:
    """A safetensors file of two small tensors that carries a manifest."""
    header = {
        "__metadata__": {ABOUT: json.dumps({"manifest": manifest.to_json()})},
        "b": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]},
        "a": {"dtype": "F32", "shape": [2], "data_offsets": [3, 11]},
    }
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(range(11)))


def record_run(house: TestHouse, folder: Path, name: str) -> tuple[Path, Path, int]:
    """A run with a transcript and one checkpoint."""
    manifest = Manifest.of(house.admit())
    model, transcript = folder / f"{name}.safetensors", folder / f"{name}.jsonl"
    model_file(model, manifest)
    file = read_model_file(model)
    works = tuple(work.work for work in manifest.works)
    zeros = "00" * 32
    begin = Begin(name, manifest.purpose, manifest.digest, works, sha256_hex(b"{}"), 1, zeros,
                  zeros, "a test", None, recipe="{}")  # fmt: skip
    index = begin_run(house.house, key_of("machine"), begin)
    marks = [Mark(step, step, zeros, file.tensors_sha256, zeros) for step in (0, 5, 10)]
    chain = Transcript(begin.digest, 5, tuple(marks))
    transcript.write_bytes(chain.encode())
    digest = ModelDigest(model.name, 10, file.file_sha256, file.tensors_sha256)
    end_run(house.house, key_of("machine"), End(index, 10, (digest,), chain.root))
    house._follow_pin()
    return model, transcript, index


def full_house(folder: Path, name: str = "lantern") -> Export:
    """Works of one and of two composers, a withdrawal, a renewal, runs, a piece, rosters."""
    folder.mkdir(parents=True, exist_ok=True)
    house = start_house(folder / "house", name, log_key=key_of("log"))
    pins = [house.pin]
    both = (("ana", 60), ("ben", 40))
    house.enter(1, 2)
    (shared,) = house.enter(3, composers=both, consent="general_model artist_model:ben")
    (gone,) = house.enter(4, composer="ben", consent="evaluation general_model@2090-01-01")
    house.house = set_consent(
        house.house, [shared.work], Consent.parse("general_model@2090-12-31"), key_of("ben")
    )
    house.house = withdraw(house.house, [gone.work], key_of("ben"), "a wish")
    change(house, lambda r: people.enrolled(r, "eve", "Eve", ["curator"], key_of("eve").public))
    change(house, lambda r: people.with_models_key(r, public_text(models_key(key_of("models")))))
    pins.append(house.pin)
    (stolen,) = house.enter(5, composer="ben")
    at = house.load().works[stolen.work].index
    change(house, lambda r: people.compromised(r, "cleo", at))
    renew(house.house, [stolen.work], key_of("dana"))
    house.accept([stolen.work], curator="dana")
    model, transcript, run = record_run(house, folder, f"model-{name}")
    piece = folder / f"piece-{name}.mid"
    receipt = json.dumps({"format": "gen receipt 3"}).encode()
    piece.with_suffix(".json").write_bytes(receipt)
    midi = make_midi(70)
    earlier = mark_generated(midi, sha256_hex(b"of the piece that this one goes on from"))
    piece.write_bytes(mark_generated(earlier, sha256_hex(receipt)))
    house.log_output(
        musical_hash(parse(midi)), run=run, checkpoint=sha256_hex(model.read_bytes()),
        sha256=sha256_hex(piece.read_bytes()), receipt=sha256_hex(receipt),
    )  # fmt: skip
    say_terms(house, shared.work, run, receipt=sha256_hex(receipt))
    change(house, people.renewed)
    write_notes(house)
    policy = Policy((Witness(WITNESS),), 1)
    pins = [replace(pin, witnesses=policy) for pin in (*pins, house.pin)]
    return Export(house.folder, model, transcript, piece, pins)


def say_terms(house: TestHouse, work: str, run: int, receipt: str) -> None:
    """Terms of both composers of a work, their approvals, a retirement, a complaint, an answer."""
    uses = (Use("sale", None, True), Use("sampling", date(2090, 12, 31)))
    scopes = Consent.parse("general_model").grants
    first = Terms(work, scopes, uses, True, 60, 2500)
    second = Terms(work, scopes, (Use("sale"), Use("sampling", None, True)), False, 100, 0)
    of_all = Approval("sampling", run, "", (work,))
    of_one = Approval("sale", run, receipt, (work,))
    spare = ModelDigest("spare.safetensors", 1, "b0" * 32, "b1" * 32)
    of_spare = house.log_run([work], [spare])
    enter(house, "ana", TERMS, first)
    enter(house, "ben", TERMS, second)
    enter(house, "ben", APPROVE, of_all)
    enter(house, "ana", APPROVE, of_one)
    enter(house, "eve", RETIRE, Retirement(of_spare, (spare.file_sha256,), "a test"))
    at = enter(house, "ana", COMPLAIN, Complaint("c0" * 32))
    enter(house, "dana", ANSWER, Answer(at, "c1" * 32))
    enter(house, "dana", PAPER, Paper("summary", "c2" * 32, ""))
    enter(house, "machine", SELL, Sale(receipt, 5000, date(2026, 1, 2)))


def enter(house: TestHouse, who: str, kind: str, said: Shape) -> int:
    """Enter an act with this data, signed by one person; its index."""
    with house.house.writing() as session:
        act = session.register.act(kind, who, said.to_dict(), "2026-01-02T03:04:05Z")
        house.house = session.commit([act.signed_by([key_of(who)])], key_of(who), ())
        return act.index


def write_notes(house: TestHouse) -> None:
    """The head as a note of the log, and once more with a witness's signature."""
    head, log = house.house.register_log.head(), house.load().roster.log
    assert log
    note = SignedNote(log.name, head.size, bytes.fromhex(head.root)).signed_by(key_of("log"))
    seen = cosignature(note, 1_800_000_000)
    (house.folder / CHECKPOINT).write_bytes(note.encode())
    (house.folder / WITNESSES).mkdir(exist_ok=True)
    cosigned = replace(note, signatures=(*note.signatures, seen))
    (house.folder / WITNESSES / f"{head.size}.note").write_bytes(cosigned.encode())


def cosignature(note: SignedNote, time: int) -> NoteSignature:
    """The witness's under a note, at this time."""
    said = b"cosignature/v1\ntime %d\n" % time + note.text
    value = time.to_bytes(8, "big") + key_of("witness").sign(said)
    return NoteSignature(WITNESS.name, WITNESS.hash, value)


# -- signing anew what was changed ------------------------------------------------------------


def signature(keyid: str, kind: str, payload: bytes) -> dict[str, str]:
    return sign(kind, payload, KEYS[keyid]).to_dict()


def sign_anew(act: dict[str, Any]) -> None:
    """Put right every signature in an act whose key is at hand."""
    data = act["data"]
    if act["act"] == "key":
        inner = data["signed"]
        payload = canonical(inner["roster"])
        inner["signatures"] = [
            signature(s["keyid"], ROSTER_TYPE, payload) for s in inner["signatures"]
        ]
    for entry in data.get("works", [data]) if act["act"] in ("add", "adopt") else ():
        inner = entry["signed"]
        payload = canonical(inner["statement"])
        inner["signatures"] = [
            signature(s["keyid"], STATEMENT_TYPE, payload) for s in inner["signatures"]
        ]
        entry["keyids"] = [s["keyid"] for s in inner["signatures"]]
    payload = canonical({name: value for name, value in act.items() if name != "signatures"})
    act["signatures"] = [signature(s["keyid"], ACT_TYPE, payload) for s in act["signatures"]]


def head_over(lines: list[bytes], house: str, key: PrivateKey, time: str) -> bytes:
    """A head over these lines, signed."""
    frontier = Frontier()
    for line in lines:
        frontier.append(leaf_hash(line))
    size = sum(len(line) + 1 for line in lines)
    edge = tuple(frontier.hashes)
    head = Head(house, "register", len(lines), size, frontier.root().hex(), time, edge)
    signed = replace(head, signatures=(sign(HEAD_TYPE, head.payload(), key),))
    return canonical(signed.to_dict()) + b"\n"


# -- changing ----------------------------------------------------------------------------------

DATES = ("2001-01-01", "2026-02-30", "20270101", "2090-12-31", "9999-12-31", "", "x")
TIMES = ("2001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "2026-01-01", "", "2026-13-01T00:00:00Z")


def places_in(value: Any, path: tuple = ()) -> list[tuple]:
    """The path of every value inside."""
    found = [path] if path else []
    children = value.items() if isinstance(value, dict) else (
        enumerate(value) if isinstance(value, list) else ()
    )  # fmt: skip
    for key, child in children:
        found += places_in(child, (*path, key))
    return found


def reshape(rng: random.Random, value: Any) -> str:
    """Change one thing somewhere inside; what was done."""
    path = rng.choice(places_in(value))
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    last = path[-1]
    old = inner[last]
    how = rng.choice(["other", "drop", "add", "double", "swap", "person", "digest", "date"])
    if how == "drop":
        del inner[last]
    elif how == "add" and isinstance(inner, dict):
        inner[rng.choice(["more", "log", "models", "settings", "transcript_sha256", "signed"])] = (
            old
        )
    elif how == "double" and isinstance(inner, list):
        inner.insert(last, copy.deepcopy(old))
    elif how == "swap" and isinstance(inner, list) and len(inner) > 1:
        inner[0], inner[-1] = inner[-1], inner[0]
    elif how == "person":
        inner[last] = rng.choice([*NAMES, rng.choice([*KEYS])])
    elif how == "digest":
        inner[last] = rng.choice([sha256_hex(b"x"), "00" * 32, "AB" * 32, rng.choice([*KEYS])])
    elif how == "date":
        inner[last] = rng.choice([*DATES, *TIMES])
    else:
        inner[last] = rng.choice(
            [None, True, False, 0, 1, 2, 3, 7, -1, 2**70, "", "x", "a\n", "machine", [], {}, [old],
             {"x": old}, str(old), "general_model", "artist_model:ana", "evaluation"]
        )  # fmt: skip
    return f"{how} at {'/'.join(map(str, path))}"


class Mutator:
    """Changes one export in its folder; `undo` puts back what was there.

    Args:
        export: what is changed.
        other: whose parts are mixed in.
    """

    def __init__(self, export: Export, other: Export) -> None:
        self.export, self.other = export, other
        self.files = self._all(export)
        self.theirs = self._all(other)
        self.kept = {path: path.read_bytes() for path in self.files}

    @staticmethod
    def _all(export: Export) -> list[Path]:
        records = [export.folder / name for name in (REGISTER, HEAD, ROSTER)]
        works = sorted(p for p in export.folder.glob("*/*.mid") if p.parent.name in NAMES)
        notes = [export.folder / CHECKPOINT, *sorted((export.folder / WITNESSES).iterdir())]
        return [*records, *works, *notes, export.model, export.transcript, export.piece]

    def undo(self) -> None:
        for path, data in self.kept.items():
            if not path.is_file() or path.read_bytes() != data:
                path.write_bytes(data)

    def mutate(self, rng: random.Random) -> str:
        """Change something; what was done, in words."""
        return rng.choice(
            [self.bytes, self.lines, self.act, self.act, self.act, self.act, self.forge, self.head,
             self.roster, self.mixed, self.note]
        )(rng)  # fmt: skip

    # -- each returns what it did ------------------------------------------------------------

    def bytes(self, rng: random.Random) -> str:
        path = rng.choice(self.files)
        data = bytearray(path.read_bytes())
        at = rng.randrange(len(data))
        how = rng.choice(["bit", "cut", "longer", "doubled"])
        if how == "bit":
            data[at] ^= 1 << rng.randrange(8)
        elif how == "cut":
            del data[at:]
        elif how == "longer":
            data += bytes(rng.choice([b"\n", b" ", b"\0", b"{}\n", b"HPRV\0\0\0\0"]))
        else:
            data[at:at] = data[at : at + rng.randrange(1, 40)]
        path.write_bytes(data)
        return f"{how} of {path.name} at {at}"

    def _lines(self) -> list[bytes]:
        return self.kept[self.export.folder / REGISTER].splitlines()

    def _write(self, rng: random.Random, lines: list[bytes], *, is_signed: bool) -> None:
        folder = self.export.folder
        (folder / REGISTER).write_bytes(b"".join(line + b"\n" for line in lines))
        if is_signed:
            head = json.loads(self.kept[folder / HEAD])["head"]
            key = KEYS[rng.choice([*KEYS])] if rng.random() < 0.2 else key_of("root")
            (folder / HEAD).write_bytes(head_over(lines, head["house"], key, head["time"]))

    def lines(self, rng: random.Random) -> str:
        lines = self._lines()
        at, to = rng.randrange(len(lines)), rng.randrange(len(lines))
        how = rng.choice(["dropped", "doubled", "swapped", "moved", "cut to"])
        if how == "dropped":
            del lines[at]
        elif how == "doubled":
            lines.insert(to, lines[at])
        elif how == "swapped":
            lines[at], lines[to] = lines[to], lines[at]
        elif how == "moved":
            lines.insert(to, lines.pop(at))
        else:
            del lines[at + 1 :]
        if is_renumbered := rng.random() < 0.5:
            lines = [self._at(index, line) for index, line in enumerate(lines)]
        self._write(rng, lines, is_signed=rng.random() < 0.8)
        self._copy_roster(rng, lines)
        return f"line {at} {how} {to}{', renumbered' if is_renumbered else ''}"

    @staticmethod
    def _at(index: int, line: bytes) -> bytes:
        """The act with another index, and signed for it."""
        act = json.loads(line)
        if act["index"] == index:
            return line
        act["index"] = index
        if act["act"] == "key":
            act["data"]["signed"]["roster"]["register_index"] = index
        sign_anew(act)
        return canonical(act)

    def _copy_roster(self, rng: random.Random, lines: list[bytes]) -> None:
        """`roster.json` as the log now ends, most of the time."""
        rosters = [line for line in lines if line.startswith(b'{"act":"key"')]
        if rosters and rng.random() < 0.9:
            data = json.loads(rosters[-1]).get("data")
            signed = data.get("signed") if isinstance(data, dict) else data
            (self.export.folder / ROSTER).write_bytes(json.dumps(signed, indent=1).encode())

    def act(self, rng: random.Random) -> str:
        lines = self._lines()
        at = rng.randrange(len(lines))
        act = json.loads(lines[at])
        done = reshape(rng, act)
        if is_signed := rng.random() < 0.85:
            try:
                sign_anew(act)
            except UNSIGNABLE:
                done += ", not signable"
        lines[at] = canonical(act)
        self._write(rng, lines, is_signed=rng.random() < 0.95)
        self._copy_roster(rng, lines)
        return f"act {at}: {done}{', signed' if is_signed else ''}"

    def move(self, path: str) -> str:
        """Let the log say that a work lies elsewhere; where it lies."""
        lines = self._lines()
        at = next(n for n, line in enumerate(lines) if line.startswith(b'{"act":"add"'))
        act = json.loads(lines[at])
        place, act["data"]["path"] = act["data"]["path"], path
        sign_anew(act)
        lines[at] = canonical(act)
        self._write(random.Random(0), lines, is_signed=True)  # noqa: S311 - the house's own key
        return place

    def forge(self, rng: random.Random) -> str:
        """One more act, like an earlier one, by somebody."""
        lines = self._lines()
        act = json.loads(rng.choice(lines))
        act["index"], act["by"] = len(lines), rng.choice([act["by"], *NAMES])
        signer = rng.choice([*KEYS]) if rng.random() < 0.3 else key_of(act["by"]).keyid
        act["signatures"] = [{"keyid": signer}] * rng.choice([1, 1, 1, 2, 0])
        done = f"{act['act']} by {act['by']}"
        if act["act"] == "key":
            roster = act["data"]["signed"]["roster"]
            present = json.loads(self.kept[self.export.folder / ROSTER])["roster"]
            roster.update({"version": present["version"] + 1, "register_index": len(lines)})
            if rng.random() < 0.7:
                act["data"]["signed"]["roster"] = {
                    **present, **{n: roster[n] for n in ("version", "register_index")},
                }  # fmt: skip
        if rng.random() < 0.5:
            done += f", {reshape(rng, act['data'])}"
        try:
            sign_anew(act)
        except UNSIGNABLE:
            done += ", not signable"
        lines.append(canonical(act))
        self._write(rng, lines, is_signed=True)
        self._copy_roster(rng, lines)
        return f"one more act: {done}"

    def head(self, rng: random.Random) -> str:
        path = self.export.folder / HEAD
        head = json.loads(path.read_bytes())
        done = reshape(rng, head)
        if rng.random() < 0.7:
            key = KEYS[rng.choice([*KEYS])]
            try:
                if rng.random() < 0.4:
                    head["head"]["time"] = rng.choice(TIMES)
                head["signatures"] = [
                    sign(HEAD_TYPE, canonical(head["head"]), key).to_dict()
                ] * rng.choice([1, 1, 1, 2])
            except UNSIGNABLE:
                done += ", not signable"
        path.write_bytes(canonical(head) + rng.choice([b"\n", b"", b"\n\n", b" \n"]))
        return f"head: {done}"

    def roster(self, rng: random.Random) -> str:
        path = self.export.folder / ROSTER
        signed = json.loads(path.read_bytes())
        done = reshape(rng, signed) if rng.random() < 0.8 else "laid out otherwise"
        path.write_text(json.dumps(signed, indent=rng.choice([None, 1, 2])))
        return f"roster.json: {done}"

    def note(self, rng: random.Random) -> str:
        """A note that the log's key, or another, signed anew, and a witness at some time."""
        path = rng.choice([file for file in self.files if file.suffix in (".note", ".checkpoint")])
        old = SignedNote.parse(path.read_bytes())
        size = rng.choice([old.size, old.size, 0, 1, old.size - 1, old.size + 1, 10**18])
        root = rng.choice([old.root, old.root, bytes(32)])
        origin = rng.choice([old.origin, old.origin, "other/log", "naïve\u2028log"])
        below = rng.choice(["", "", "a line of another log's\n"])
        note = SignedNote(origin, size, root, extension=below).signed_by(
            key_of(rng.choice(["log", "log", "ana"]))
        )
        time = rng.choice([0, 1_800_000_000, 253_402_300_800, 2**62, 2**63, 2**64 - 1])
        said = cosignature(note, time)
        short = replace(said, value=said.value[: rng.choice([72, 72, 71, 8, 1])])
        note = replace(note, signatures=(*note.signatures, *rng.choice([[said], [short, said]])))
        path.write_bytes(note.encode())
        return f"{path.name}: {size} acts of {origin}, seen at {time}"

    def mixed(self, rng: random.Random) -> str:
        """A file, a line or a tag of another house, or of another work."""
        how = rng.choice(["file", "line", "work", "tag"])
        if how == "line":
            lines = self._lines()
            theirs = self.theirs[0].read_bytes().splitlines()
            at = rng.randrange(len(lines))
            lines[at] = theirs[min(at, len(theirs) - 1)]
            self._write(rng, lines, is_signed=True)
            return f"line {at} of the other house"
        at = rng.randrange(len(self.files))
        path, source = self.files[at], rng.choice([*self.files, *self.theirs])
        if how == "file":
            source = self.theirs[min(at, len(self.theirs) - 1)]
        data = source.read_bytes()
        if how == "tag" and path.suffix == source.suffix == ".mid":
            mine = path.read_bytes()
            data = mine[: mine.rfind(b"HPRV")] + data[data.rfind(b"HPRV") :]
        path.write_bytes(data)
        return f"{path.name} is {source.name} ({how})"

"""A house that is served, and people who sign as their browsers do, without a browser."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import pytest

from gen.provenance.history.log import HEAD_TYPE, Head
from gen.provenance.records.acts import (
    ADD,
    ANSWER,
    APPROVE,
    COMPLAIN,
    CONSENT,
    PAPER,
    RETIRE,
    SELL,
    TERMS,
    WITHDRAW,
    Act,
    ConsentChange,
    Entry,
)
from gen.provenance.records.consent import Consent
from gen.provenance.records.tag import read_tag
from gen.provenance.signing.canonical import canonical, sha256_hex, to_base64, utc_now
from gen.provenance.signing.dsse import STATEMENT_TYPE, pre_authentication, sign
from gen.provenance.signing.keys import PrivateKey
from gen.provenance.signing.merkle import Frontier, leaf_hash
from gen.studio.serving.people import SIGN_IN_TYPE, sign_in_payload
from houses import key_of

ORIGIN = "http://testserver"
PREFIX = "/api/v1"


class RefusedError(Exception):
    """The studio refused a request."""

    def __init__(self, status: int, text: str) -> None:
        self.status, self.text = status, text
        super().__init__(f"{status}: {text}")


def refused(status: int):
    return pytest.raises(RefusedError, match=f"^{status}")


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Hand:
    """Somebody at a browser: a client of the interface, and the key that stays with them.

    Args:
        client: has `request(method, url, json=…, headers=…)`, as TestClient and httpx have.
        person: who.
        origin: what their browser shows as the address.
    """

    client: Any
    person: str
    origin: str = ORIGIN
    key: PrivateKey = field(init=False)
    token: str = ""

    def __post_init__(self) -> None:
        self.key = key_of(self.person)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        answer = self.client.request(method, f"{PREFIX}{path}", json=body, headers=headers)
        if answer.status_code != 200:
            raise RefusedError(answer.status_code, answer.text)
        is_json = answer.headers["content-type"].startswith("application/json")
        return answer.json() if is_json else answer.content

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def post(self, path: str, body: object) -> Any:
        return self.ask("POST", path, body)

    def answer(self, **changes: str) -> dict[str, str]:
        """A signed challenge; `changes` are made to what is sent, not to what is signed."""
        given = self.post("/sign-in/challenge", {})
        payload = sign_in_payload(given["house"], self.origin, self.person, given["challenge"])
        said = {
            "person": self.person, "challenge": given["challenge"], "origin": self.origin,
            "keyid": self.key.keyid, "signature": sign(SIGN_IN_TYPE, payload, self.key).value.hex(),
        }  # fmt: skip
        return {**said, **changes}

    def sign_in(self) -> Hand:
        self.token = self.post("/sign-in", self.answer())["token"]
        return self

    # -- what their page makes of what it shows --------------------------------------------

    def contribute(self, given: dict[str, Any]) -> dict[str, Any]:
        (found,) = self.draft(given)
        if not found["draft"]:
            return found["checked"]
        (done,) = self.post("/contribute/sign", [self.signed(found)])
        return done

    def signed(self, found: dict[str, Any]) -> dict[str, str]:
        """A draft's name and the signature to it."""
        assert (
            sha256_hex(base64.b64decode(found["music"]))
            == (found["statement"]["subject"][0]["digest"]["sha256"])
        )
        message = pre_authentication(STATEMENT_TYPE, canonical(found["statement"]))
        return {"draft": found["draft"], "signature": self.key.sign(message).hex()}

    def draft(self, *files: dict[str, Any], composer: str = "") -> list[dict[str, Any]]:
        """What is to be signed of files."""
        body = {"files": files, "composer": composer or self.person}
        return self.post("/contribute/draft", body)

    def acceptance(self, work: str) -> dict[str, Any]:
        """What is sent to accept a work."""
        given = self.get(f"/inbox/{work}/file")
        tagged = read_tag(base64.b64decode(given["file"]))
        data = tagged.countersigned(self.key)
        envelope = read_tag(data).envelope
        statement = tagged.statement
        keyids = tuple(signature.keyid for signature in envelope.signatures)
        entry = Entry(
            work, statement.description.title, given["path"], tagged.music_sha256,
            sha256_hex(data), statement.musical_hash, statement.composers, keyids,
            statement.consent, envelope,
        )  # fmt: skip
        signed = self._signed(ADD, entry.to_dict())
        signed["signatures"].insert(0, envelope.signatures[1].value.hex())
        return {"curator": self.person, "signed": signed}

    def accept(self, work: str) -> dict[str, Any]:
        return self.again(lambda: self.post(f"/inbox/{work}/accept", self.acceptance(work)))

    def allowance(self, work: str, allow: str) -> dict[str, Any]:
        said = ConsentChange(Consent.parse(allow).grants, work).to_dict()
        return {"composer": self.person, "allow": allow, "signed": self._signed(CONSENT, said)}

    def allow(self, work: str, allow: str) -> dict[str, Any]:
        path = f"/works/{work}/consent"
        return self.again(lambda: self.post(path, self.allowance(work, allow)))

    def withdraw(self, work: str, reason: str) -> dict[str, Any]:
        facts = self.get(f"/works/{work}")
        said = {
            "music_sha256": facts["music_sha256"], "musical_hash": facts["musical_hash"],
            "reason": reason, "work": work,
        }  # fmt: skip
        body = {"person": self.person, "reason": reason, "signed": self._signed(WITHDRAW, said)}
        return self.post(f"/works/{work}/withdraw", body)

    def terms(self, work: str, data: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        """What is sent to say terms: `data` is signed, `body` says the same in words."""
        return {"composer": self.person, **body, "signed": self._signed(TERMS, data)}

    def approve(self, use: str, run: int, works: list[str]) -> dict[str, Any]:
        said = {"use": use, "run": run, "receipt": "", "works": sorted(works)}
        signed = self._signed(APPROVE, said)
        return self.post("/approvals", {"composer": self.person, **said, "signed": signed})

    def retire(self, run: int, models: list[str], reason: str) -> dict[str, Any]:
        said = {"run": run, "models": sorted(models), "reason": reason}
        body = {"curator": self.person, "models": models, "reason": reason}
        return self.post(f"/models/{run}/retire", {**body, "signed": self._signed(RETIRE, said)})

    def sale(self, piece: str, receipt: str, amount: str, cents: int, day: str) -> dict[str, Any]:
        """What is sent to enter a sale: `amount` says in words what is signed as `cents`."""
        signed = self._signed(SELL, {"cents": cents, "day": day, "receipt_sha256": receipt})
        body = {"person": self.person, "piece": piece, "amount": amount, "day": day}
        return {**body, "signed": signed}

    def paper(self, data: bytes, kind: str, model: str = "") -> dict[str, Any]:
        """What is sent to enter a paper."""
        signed = self._signed(PAPER, {"kind": kind, "model": model, "sha256": sha256_hex(data)})
        body = {"curator": self.person, "file": to_base64(data), "kind": kind, "model": model}
        return {**body, "signed": signed}

    def complain(self, who: str, text: str, about: list[str]) -> list[dict[str, Any]]:
        salt, time = "5a" * 32, utc_now()
        record = {"about": about, "from": who, "salt": salt, "text": text, "time": time}
        signed = self._signed(COMPLAIN, {"record_sha256": sha256_hex(canonical(record))}, time)
        said = {"person": self.person, "who": who, "text": text, "about": about, "salt": salt}
        return self.post("/complaints", {**said, "signed": signed})

    def answer_complaint(self, complaint: int, text: str) -> list[dict[str, Any]]:
        salt, time = "5b" * 32, utc_now()
        record = {"complaint": complaint, "salt": salt, "text": text, "time": time}
        said = {"complaint": complaint, "record_sha256": sha256_hex(canonical(record))}
        body = {"curator": self.person, "text": text, "salt": salt}
        path = f"/complaints/{complaint}/answer"
        return self.post(path, {**body, "signed": self._signed(ANSWER, said, time)})

    def again(self, act: Any, tries: int = 20) -> Any:
        """Sign anew while others were quicker: the act has to follow the newest one."""
        for _ in range(tries):
            try:
                return act()
            except RefusedError as error:
                if error.status != 409:
                    raise
        return act()

    def _signed(self, kind: str, data: dict[str, Any], time: str = "") -> dict[str, Any]:
        ground, time = self.get("/log"), time or utc_now()
        act = Act(ground["size"], kind, self.person, time, data, house=ground["identity"])
        act = act.signed_by([self.key])
        line = act.encode()
        frontier = Frontier(ground["size"], tuple(map(bytes.fromhex, ground["frontier"])))
        frontier.append(leaf_hash(line))
        head = Head(
            ground["house"], "register", ground["size"] + 1, ground["bytes"] + len(line) + 1,
            frontier.root().hex(), max(time, ground["time"]),
        )  # fmt: skip
        head_signature = sign(HEAD_TYPE, head.payload(), self.key)
        return {"time": time, "signatures": [act.signatures[0].value.hex(),
                                             head_signature.value.hex()]}  # fmt: skip


def as_file(data: bytes, name: str = "small rain.mid") -> dict[str, Any]:
    """A file as the interface takes it, with what is stated of it."""
    stated = {"method": "score", "consent": "general_model evaluation", "genre": "waltz"}
    return {"name": name, "midi": to_base64(data), "stated": stated}

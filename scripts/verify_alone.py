"""Checks what a music house says of itself, with nothing of the house's own software.

    python verify_alone.py FOLDER --pin PIN [--model FILE] [--transcript FILE] [--piece FILE]

FOLDER is a house, or a copy of its records (`house.py export`). PIN says whom you trust: take it
from the house's people, not from FOLDER. Each line of the answer is a verdict with its reason;
exit 0 means that all hold, 2 that one does not. docs/format.md explains every byte. It does not
judge music (whether a file is well-formed MIDI, sounds as its tag says, or is like another), and
trains no model anew. Needs Python 3.11 and `cryptography`.
"""

import argparse
import base64
import json
import re
import stat
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# What each JSON object holds: ~ is left out where empty, ? may be null, * is a list, = a constant.
SHAPES = """
signature  keyid:text sig:base64
grant      scope:scope until:day?
share      id:text share:number
key        compromised_from:number? public:hex valid_from:number valid_to:number?
person     id:id keys:key* name:text note:text roles:role*
log        origin:text public:hex
models     public:p256
policy     purposes:text* signatures_per_work=2 ~statements_in_log=true ~takes_machine_written=true
root       keys:hex* threshold:number
roster     change:text expires:day? format=1 house:id ~identity:text ~log:log ~models:models people:person* policy:policy register_index:number root:root sealed:flag version:number
signed     roster:roster signatures:signature*
about      ~title:words ~genre:words ~mood:words ~key:words ~chords:words ~sections:words ~roles:text*
origin     no_generative_model:flag no_third_party_material=true
predicate  composers:share* consent:consent contract:words description:about ~house:words method:words musical_hash:hex screening_sha256:hex_or_none software:text statements:origin time:text work:work
digest     sha256:hex
subject    digest:digest name:text
statement  _type="https://in-toto.io/Statement/v1" predicate:predicate predicateType="urn:music-house:work:v1" subject:subject*
envelope   signatures:signature* statement:statement
tag        payload:base64 payloadType="application/vnd.in-toto+json" signatures:signature*
receipt    payload:base64 payloadType="application/vnd.music-house.receipt+json" signatures:signature*
model      file_sha256:hex name:text steps:number tensors_sha256:hex
act        act:kind by:text data:object format=1 ~house:text index:number signatures:signature* time:text
use        approval:flag until:day? use:use_name
do_add     composers:share* consent:consent file_sha256:hex keyids:hex* music_sha256:hex musical_hash:hex path:text ~signed:envelope title:text work:text
do_adopt   origin:object works:do_add*
do_answer  complaint:number record_sha256:hex
do_approve receipt:hex_or_none run:number use:use_name works:works
do_begin   code_sha256:hex continues:number? lock_sha256:hex manifest_sha256:hex name:text numeric_mode:text purpose:scope seed:number ~settings:text settings_sha256:hex works:works
do_complain record_sha256:hex
do_consent consent:consent work:text
do_end     begin:number models:model* steps:number ~transcript_sha256:hex
do_key     signed:signed
do_model   manifest_sha256:hex model:model name:text purpose:scope statement:asserted works:works
do_output  checkpoint_sha256:hex fingerprint:any musical_hash:hex path:text receipt_sha256:hex run:number sha256:hex
do_paper   kind:text model:hex_or_none sha256:hex
do_retire  models:hexes reason:text run:number
do_sell    cents:fee day:day receipt_sha256:hex
do_terms   consent:consent fee:fee share:percent this_version:flag uses:uses work:text
do_withdraw music_sha256:text musical_hash:text reason:text work:text
tree       bytes:number format=1 house:text log:text root:hex size:number time:time
head       frontier:hex* head:tree signatures:signature*
"""
FIELDS = {
    kind: dict(re.fullmatch("(~?[a-zA-Z0-9_]+)[:=](.+)", word).groups() for word in words)
    for kind, *words in map(str.split, SHAPES.strip().splitlines())
}
ID = "[a-z][a-z0-9-]{0,39}"
PATTERNS = {
    "text": "(?s:.*)",
    "hex": "[0-9a-f]{64}",
    "hex_or_none": "|[0-9a-f]{64}",
    "id": ID,
    "work": "[a-z0-9][a-z0-9-]{0,79}",
    "role": "composer|curator|trainer|producer",
    "scope": f"general_model|evaluation|artist_model:{ID}",
    "use_name": "sale|sampling|style",
    "p256": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE[A-Za-z0-9+/]{86}==",
    "kind": "|".join(kind.removeprefix("do_") for kind in FIELDS if kind.startswith("do_")),
    "asserted": "asserted by the root of the house: trained before the log held runs, so that "
    "nothing here shows how, and not rebuildable",
}
KINDS = {
    "any": lambda value: True,
    "number": lambda value: type(value) is int,
    "flag": lambda value: type(value) is bool,
    "object": lambda value: type(value) is dict,
    "words": lambda value: fits(value, "text") and value.isprintable() and len(value) <= 20_000,
    "works": lambda value: fits(value, "text*") and value == sorted(set(value)) != [],
    "hexes": lambda value: fits(value, "hex*") and value == sorted(set(value)) != [],
    "uses": lambda value: fits(value, "use*") and is_sorted([u["use"] for u in value]),
    "percent": lambda value: type(value) is int and 0 <= value <= 100,
    "fee": lambda value: type(value) is int and 0 <= value <= 10**12,
    "consent": lambda value: fits(value, "grant*") and is_sorted([g["scope"] for g in value]),
    "time": lambda value: datetime.strptime(value, TIME).strftime(TIME) == value,
    "day": lambda value: date.fromisoformat(value).isoformat() == value,
    "base64": lambda value: base64.b64encode(base64.b64decode(value)).decode() == value,
}
TIME = "%Y-%m-%dT%H:%M:%SZ"
MIB = 1 << 20
NEVER = float("inf")
LATEST = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()  # more is dated ahead
STATEMENT, OURS = "application/vnd.in-toto+json", "application/vnd.music-house.{}+json"
ACT, HEAD, ROSTER, RECEIPT = map(OURS.format, ("act", "head", "roster", "receipt"))
FIELD, ORDER_8 = 2**255 - 19, 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER = {0, 1, FIELD - 1, ORDER_8, FIELD - ORDER_8}  # y of points for which anybody signs
ROLE_OF = {"begin": "trainer", "end": "trainer", "output": "producer", "consent": "composer"}
ROLE_OF |= {"terms": "composer", "approve": "composer", "answer": "curator", "retire": "curator"}
ALSO = {"complain": {"composer"}, "sell": {"producer"}}  # who may besides curators
NOT_WORKS = {"inbox", "screening", "rejected", "withdrawn", "witnesses", "complaints"}
NOT_WORKS |= {".journal", ".names"}


class Refused(Exception):
    """Something that does not hold, with the reason."""


def need(holds, reason):
    if not holds:
        raise Refused(reason)


# -- JSON, files, signatures, the tree ------------------------------------------------------------
def is_sorted(values):
    return values == sorted(set(values))


def fits(value, kind):
    """Whether a value is of this kind; a number, `true` or a quoted text is a constant."""
    if kind[-1] == "?":
        return value is None or fits(value, kind[:-1])
    if kind[-1] == "*":
        return type(value) is list and all(fits(each, kind[:-1]) for each in value)
    if kind in PATTERNS:
        return type(value) is str and re.fullmatch(PATTERNS[kind], value) is not None
    if kind in KINDS:
        return KINDS[kind](value)
    if kind not in FIELDS:
        return canonical(value) == kind.encode()
    fields = {name.strip("~"): inner for name, inner in FIELDS[kind].items()}
    needed = {name for name in FIELDS[kind] if name[0] != "~"}
    is_object = type(value) is dict and needed <= value.keys() <= fields.keys()
    return is_object and all(
        fits(value[name], fields[name]) and (name in needed or value[name]) for name in value
    )


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def once(pairs):
    need(len(dict(pairs)) == len(pairs), "a key appears twice")
    return dict(pairs)


def parse(data, kind, *, laid_out=False):
    """JSON of a kind in its one spelling, without fractions; `laid_out` lets spaces pass."""
    need(len(data) <= 4 * MIB, f"the {kind} has {len(data)} bytes")
    value = json.loads(data.decode(), object_pairs_hook=once, parse_float=int, parse_constant=int)
    need(laid_out or canonical(value) == data, f"the {kind} is not in canonical form")
    need(fits(value, kind), f"no {kind} as it is written here")
    return value


def read(path, most=4 * MIB):
    found = path.lstat()
    is_plain = stat.S_ISREG(found.st_mode) and found.st_size <= most
    need(is_plain, f"{path.name} is no plain file, or too large")
    return path.read_bytes()


def digest(data):
    return sha256(data).hexdigest()


def is_sound(public):
    y = int.from_bytes(public, "little") & (2**255 - 1)
    return y < FIELD and y not in SMALL_ORDER


def verifies(public, signature, message):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        return is_sound(public)
    except (InvalidSignature, ValueError):
        return False


def is_signed(signature, public, kind, payload):
    """Whether it is this key's over a DSSE envelope of this kind."""
    message = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    return verifies(public, base64.b64decode(signature["sig"]), message)


def node(left, right):
    return sha256(b"\1" + left + right).digest()


def tree(leaves):
    """The roots of the whole subtrees over leaf hashes, largest first, and of all (RFC 6962)."""
    edge = []
    for count, top in enumerate(leaves):
        while count & 1:
            top, count = node(edge.pop(), top), count >> 1
        edge.append(top)
    whole = reduce(lambda right, left: node(left, right), edge[::-1] or [sha256().digest()])
    return [top.hex() for top in edge], whole.hex()


# -- who belongs to the house ---------------------------------------------------------------------
class Roster:
    def __init__(self, signed):
        self.signed, self.value = signed, signed["roster"]
        self.house, self.log = self.value["house"], self.value.get("log")
        self.identity = self.value.get("identity")  # what is signed for this house names it so
        self.roles = {person["id"]: person["roles"] for person in self.value["people"]}
        publics = [*map(bytes.fromhex, self.value["root"]["keys"])]
        self.keys, self.root = {}, {digest(key): key for key in publics}
        publics += [bytes.fromhex(self.log["public"])] if self.log else []
        for who, key in ((p["id"], key) for p in self.value["people"] for key in p["keys"]):
            public, first = bytes.fromhex(key["public"]), key["valid_from"]
            ends = [NEVER if key[n] is None else key[n] for n in ("valid_to", "compromised_from")]
            self.keys[digest(public)] = (who, public, first, *ends)
            publics.append(public)
        ids, threshold = [p["id"] for p in self.value["people"]], self.value["root"]["threshold"]
        is_named = is_sorted(ids) and "root" not in ids and all(self.roles.values())
        need(is_named and 1 <= threshold <= len(self.root), "the roster's people, or its threshold")
        need(len(set(publics)) == len(publics), "a key is doubled")
        need(all(map(is_sound, publics)), "a key for which anybody can sign")
        need((self.value["expires"] is None) == self.value["sealed"], "only sealed never expires")

    def refusal(self, keyid, index):
        """Why a key may not sign at this index; "" where it may."""
        if keyid in self.root or keyid not in self.keys:
            return "" if keyid in self.root else "unknown"
        _, _, first, end, stolen = self.keys[keyid]
        return "revoked" if index >= stolen else "" if first <= index < end else "not valid then"

    def check_root(self, signatures, kind, payload):
        ours = [each for each in signatures if each["keyid"] in self.root]
        good = [is_signed(each, self.root[each["keyid"]], kind, payload) for each in ours]
        made = {each["keyid"] for each, is_good in zip(ours, good, strict=True) if is_good}
        need(len(made) >= self.value["root"]["threshold"], f"{len(made)} root signatures")

    def signer(self, signature, index, kind, payload):
        """Who made a signature, with a key that may sign at this index."""
        who, public = self.keys.get(signature["keyid"], ("?", b""))[:2]
        why = self.refusal(signature["keyid"], index)
        need(not why, f"the key {signature['keyid'][:12]} of {who} is {why}")
        need(is_signed(signature, public, kind, payload), f"no signature of {who} over this")
        return who

    def check_after(self, old, index):
        """Whether this version may follow `old`, or be the first, at this index."""
        payload, signatures = canonical(self.value), self.signed["signatures"]
        for roster in (self, old or self):
            roster.check_root(signatures, ROSTER, payload)
        before = (old.house, old.value["version"]) if old else (self.house, 0)
        place = (self.house, self.value["version"] - 1, self.value["register_index"])
        need(place == (*before, index), "a roster that is no successor here")
        identity = f"{self.house}/{digest(''.join(sorted(self.root)).encode())}"
        first = (old and old.log) or {"origin": identity[: len(self.house) + 17]}
        need(not self.log or self.log["origin"] == first["origin"], "the log is called otherwise")
        is_ours = self.identity in ((old and old.identity) or identity, old and old.identity)
        need(is_ours, "the roster of another house")
        known = old.keys if old else {}
        is_new = all(self.keys[key][2] >= index for key in self.keys.keys() - known.keys())
        need(is_new, "a new key is dated back")
        for keyid, (who, public, first, end, stolen) in known.items():
            now = self.keys.get(keyid, ("", b"", 0, 0, 0))
            need(now[:3] == (who, public, first), f"a key of {who} was removed or moved")
            for after, was, earliest in ((now[3], end, index), (now[4], stolen, 0)):
                is_fine = after <= was and (was < NEVER or after >= earliest)
                need(is_fine, f"when a key of {who} ended was changed")
        if old:
            need(old.roles.keys() <= self.roles.keys(), "a person was removed")
            need(self.log or not old.log, "the log's key was dropped")
            gone = old.value["policy"].keys() - self.value["policy"].keys()
            need("statements_in_log" not in gone, "statements would cease")


# -- the log: every act, in order -----------------------------------------------------------------
class Log:
    def __init__(self, folder, pin):
        self.works, self.taken, self.rosters, self.leaves = {}, set(), [], []
        self.runs, self.outputs, self.roster = {}, {}, None
        self.approved, self.retired, self.complaints = [], {}, set()
        signed = parse(read(folder / "register.head.json").rstrip(b"\n"), "head")
        head = self.head = signed["head"]
        is_ours = (head["house"], head["log"]) == (pin["name"], "register")
        need(is_ours and head["size"] >= pin["min_size"], "of another log, or older than the pin")
        data = read(folder / "register.jsonl", 4 << 30)
        *lines, rest = data[: head["bytes"]].split(b"\n")
        is_whole = (len(lines), rest) == (head["size"], b"") and len(data) >= head["bytes"] >= 0
        need(is_whole, "lines and head differ")
        for index, line in enumerate(lines):
            try:
                self.take(index, line)
            except Refused as error:
                raise Refused(f"act {index}: {error}") from error
            if index + 1 == pin["min_size"]:
                self.check_pin(pin)
        need((signed["frontier"], head["root"]) == tree(self.leaves), "lines and head differ")
        need(len(signed["signatures"]) == 1 and head["time"][:10] <= LATEST, "the head's time")
        signature, payload, last = signed["signatures"][0], canonical(head), head["size"] - 1
        for roster in self.rosters[-1 - (self.roster.value["register_index"] == last) :]:
            public = roster.root.get(signature["keyid"])
            if public and is_signed(signature, public, HEAD, payload):
                break
        else:
            self.roster.signer(signature, last, HEAD, payload)
        file = parse(read(folder / "roster.json"), "signed", laid_out=True)
        need(file == self.roster.signed, "roster.json is not the roster that the log ends with")
        self.day = max(datetime.now(UTC).date().isoformat(), head["time"][:10])

    def check_pin(self, pin):
        found = (self.roster.house, self.roster.value["root"]["threshold"], set(self.roster.root))
        need(tree(self.leaves)[1] == pin["root_hash"], "another history than the pinned one")
        need(found == (pin["name"], pin["threshold"], set(pin["root_keys"])), "other root keys")
        is_log = pin["log"] in ("", self.roster.log and note_key(self.roster.log))
        need(is_log, "another log's key than the pinned one")

    def take(self, index, line):
        act = parse(line, "act")
        need(act["index"] == index and act["time"][:10] <= LATEST, "another index, or dated ahead")
        need(self.roster or act["act"] == "key", "a log begins with a roster")
        need(not self.roster or not self.roster.value["sealed"], "the house was sealed before")
        need(fits(act["data"], f"do_{act['act']}"), f"{act['act']} is not written so")
        self.check_right(act)
        keyid = act["signatures"][0]["keyid"] if act["signatures"] else ""
        getattr(self, f"take_{act['act']}")(act, act["data"], (keyid, index))
        self.leaves.append(sha256(b"\0" + line).digest())

    def check_right(self, act):
        """Whether its author may do such an act, and signed it; a roster is signed within."""
        kind, by, signatures = act["act"], act["by"], act["signatures"]
        payload = canonical({name: act[name] for name in act if name != "signatures"})
        is_ours = act.get("house") == (self.roster.identity if kind != "key" else None)
        need(is_ours, "signed for another house, or for none")
        if kind in ("adopt", "model") or (kind in ("withdraw", "retire") and by == "root"):
            need(by == "root", "the root alone may do this")
            self.roster.check_root(signatures, ACT, payload)
        elif kind != "key":
            is_own = kind == "withdraw" and by in composers(self.live(act["data"]["work"])["entry"])
            roles = {ROLE_OF.get(kind, "composer" if is_own else "curator")}
            roles |= ALSO.get(kind, set())
            need(roles & {*self.roster.roles.get(by, ())}, f"{by!r:.60} is no {min(roles)}")
            signers = [self.roster.signer(s, act["index"], ACT, payload) for s in signatures]
            need(signers == [by], "not signed by its author alone")

    def live(self, work):
        is_live = work in self.works and not self.works[work]["out"]
        need(is_live, f"{work!r:.90} is not in the house")
        return self.works[work]

    def own(self, work, by):
        record = self.live(work)
        need(by in composers(record["entry"]), f"{by} is no composer of it")
        return record

    def left_by(self, run):
        """SHA-256 of the models that a run left."""
        models = self.runs[run]["models"] if run in self.runs else []
        return {model["file_sha256"] for model in models}

    def learned_for(self, purpose):
        """The works that a model of this purpose learned from."""
        runs = [run for run in self.runs.values() if run["models"]]
        return {
            w for run in runs if run["said"]["purpose"] == purpose for w in run["said"]["works"]
        }

    def take_key(self, act, data, signed):
        roster = Roster(data["signed"])
        roster.check_after(self.roster, act["index"])
        self.roster = roster
        self.rosters.append(roster)

    def take_add(self, act, data, signed):
        self.enter(act, data, data["work"])

    def take_adopt(self, act, data, signed):
        for entry in data["works"]:
            self.enter(act, entry, entry["work"])

    def take_consent(self, act, data, signed):
        self.own(data["work"], act["by"])["said"].append((act["by"], *signed, data["consent"]))

    def take_terms(self, act, data, signed):
        self.take_consent(act, data, signed)
        self.works[data["work"]]["terms"].append((act["by"], *signed, data))

    def take_approve(self, act, data, signed):
        need(all(self.own(work, act["by"]) for work in data["works"]), "not their works")
        need(data["run"] in self.runs, "no such run")
        piece = self.outputs.get(data["receipt"], (0, 0, {"run": None}))[2]
        is_its = data["receipt"] == "" or piece["run"] == data["run"]
        need(is_its, "the run wrote no such piece")
        self.approved.append((act["by"], *signed, data))

    def take_retire(self, act, data, signed):
        need({*data["models"]} <= self.left_by(data["run"]), "its run left no such models")
        keys = [each["keyid"] for each in act["signatures"]]
        for model in data["models"]:
            self.retired.setdefault(model, []).append((act["index"], keys))

    def take_complain(self, act, data, signed):
        self.complaints.add(act["index"])

    def take_answer(self, act, data, signed):
        need(data["complaint"] in self.complaints, "it answers no complaint")

    def take_paper(self, act, data, signed):
        """It names a paper, of which the log says nothing else."""

    def take_sell(self, act, data, signed):
        is_ours = data["receipt_sha256"] in self.outputs
        need(is_ours, "no piece in the log has its receipt")

    def take_withdraw(self, act, data, signed):
        record = self.live(data["work"])
        is_it = same(data, record["entry"], "music_sha256", "musical_hash")
        need(is_it, "it withdraws other music")
        record["out"] = signed

    def take_begin(self, act, data, signed):
        once = [w for w in data["works"] if is_of_one_version(self.live(w))]
        need(not {*once} & self.learned_for(data["purpose"]), "terms for one version alone")
        need(data["continues"] in (None, *self.runs), "it continues no run")
        settings = data.get("settings")
        is_it = settings is None or digest(settings.encode()) == data["settings_sha256"]
        need(is_it, "its settings")
        run = {"by": act["by"], "said": data, "models": [], "signed": [signed]}
        self.runs[act["index"]] = run

    def take_end(self, act, data, signed):
        run = self.runs.get(data["begin"], {"by": None})
        need(run["by"] == act["by"] and "end" not in run, "no run that this trainer could end")
        run["signed"].append(signed)
        run |= {"ended": act["index"], "end": data, "models": data["models"]}

    def take_model(self, act, data, signed):
        need(self.works.keys() >= set(data["works"]), "it names unknown works")
        run = {"by": act["by"], "said": data, "models": [data["model"]], "signed": [], "end": {}}
        self.runs[act["index"]] = run

    def take_output(self, act, data, signed):
        is_left = data["checkpoint_sha256"] in self.left_by(data["run"])
        need(is_left, "its run left no such checkpoint")
        self.outputs.setdefault(data["receipt_sha256"], (*signed, data))

    def enter(self, act, entry, work):
        need(len(entry["keyids"]) == 2, "two people sign a work")
        signed, policy = entry.get("signed"), self.roster.value["policy"]
        need(signed or "statements_in_log" not in policy, "entered without its statement")
        if signed:
            predicate, curator = check_statement(signed, self.roster, act["index"], entry)
            title = predicate["description"].get("title", "")
            need(entry["title"] == title, "entered under another title")
            need(act["act"] == "adopt" or curator == act["by"], "another curator accepted it")
            is_ours = predicate.get("house") == self.roster.identity
            need(act["act"] == "adopt" or is_ours, "a work signed for another house, or for none")
        names = {(name, entry[name]) for name in ("music_sha256", "musical_hash", "path")}
        record = self.works.get(work)
        if record:  # only where a key that signed before turned out to be stolen
            signs = [
                record["out"] or (keyid, record["index"]) for keyid in record["entry"]["keyids"]
            ]
            is_stale = any(self.roster.refusal(*each) == "revoked" for each in signs)
            is_same = same(record["entry"], entry, "music_sha256", "path")
            need(is_same and is_stale, f"{work} was entered before")
        need(record or not names & self.taken, f"{work} has the music or the place of another")
        self.taken |= names
        record = record or {"said": [], "terms": [], "entries": {}}
        record["entries"][act["index"]] = entry
        self.works[work] = {**record, "entry": entry, "index": act["index"], "out": None}


def same(first, second, *names):
    return all(first[name] == second[name] for name in names)


# -- works ----------------------------------------------------------------------------------------
def composers(entry):
    return [each["id"] for each in entry["composers"]]


def check_statement(signed, roster, index, entry):
    """Whether composer and curator signed what an entry says; what they did, and the curator."""
    statement, predicate = signed["statement"], signed["statement"]["predicate"]
    names, shares = composers(predicate), [each["share"] for each in predicate["composers"]]
    is_whole = sum(shares) == 100 and min(shares) >= 1 and len(set(names)) == len(names)
    need(is_whole, "its composers' shares")
    is_human = predicate["statements"]["no_generative_model"]
    need(is_human != (predicate["method"] == "machine"), "method and statement of origin differ")
    takes = "takes_machine_written" in roster.value["policy"]
    need(is_human or takes, "a machine wrote it")
    payload, roles = canonical(statement), roster.roles
    signers = [roster.signer(each, index, STATEMENT, payload) for each in signed["signatures"]]
    need(len(signers) == 2 and signers[0] in names, "no composer and curator signed it")
    are_ours = all("composer" in roles.get(who, ()) for who in names)
    need(are_ours, "its composers are none of the house")
    curates = "curator" in roles[signers[1]] and signers[1] not in names
    need(curates, f"{signers[1]} may not accept it")
    (subject,) = statement["subject"]
    need(subject["name"] == f"{predicate['work']}.mid", "its subject")
    need(same(entry, predicate, "work", "musical_hash", "composers"), "entered otherwise")
    need(entry["music_sha256"] == subject["digest"]["sha256"], "entered with other music")
    keyids = [each["keyid"] for each in signed["signatures"]]
    need(entry["keyids"] == keyids, "entered as signed by others")
    until = {grant["scope"]: grant["until"] or "9999-12-31" for grant in predicate["consent"]}
    for grant in entry["consent"]:
        is_signed_for = (grant["until"] or "9999-12-31") <= until.get(grant["scope"], "")
        need(is_signed_for, "the log allows more than was signed")
    return predicate, signers[1]


def is_allowed(log, record, purpose):
    """Whether all composers allow a purpose by now: docs/format.md, "consent"."""
    entry, said, artist = record["entry"], record["said"], purpose.partition(":")[2]

    def stands(keyid, index):
        return keyid in log.roster.keys and not log.roster.refusal(keyid, index)

    def grants(consent):
        days = [g["until"] or log.day for g in consent if g["scope"] == purpose]
        return max(days, default="") >= log.day

    signs = [(entry["keyids"][0], record["index"]), *(each[1:3] for each in said)]
    speakers = {log.roster.keys[keyid][0] for keyid, at in signs if stands(keyid, at)}
    allowed = not artist or artist in speakers & set(composers(entry))
    for who in composers(entry):
        answer = grants(entry["consent"])
        for _, keyid, at, consent in (each for each in said if each[0] == who):
            answer = grants(consent) and (answer or stands(keyid, at))  # a stolen key only narrows
        allowed = allowed and answer
    return allowed


def is_of_one_version(record):
    last = {who: said["this_version"] for who, _, _, said in record["terms"]}
    return any(last.values())


def lacks(log, record, use, run, receipt=""):
    """Whether a composer who said terms does not grant a use: docs/format.md, "terms"."""

    def is_approved(who):
        work = record["entry"]["work"]
        for by, keyid, at, said in log.approved:
            is_it = (by, said["use"], said["run"]) == (who, use, run) and work in said["works"]
            if is_it and said["receipt"] in ("", receipt) and not log.roster.refusal(keyid, at):
                return True
        return False

    for who in composers(record["entry"]):
        granted = True
        for _, keyid, at, said in (each for each in record["terms"] if each[0] == who):
            live = [
                u for u in said["uses"] if u["use"] == use and (u["until"] or log.day) >= log.day
            ]
            grants = live and (not live[0]["approval"] or is_approved(who))
            granted = bool(grants) and (granted or not log.roster.refusal(keyid, at))
        if not granted:
            return True
    return False


def split(data):
    """The music of a MIDI file, and the chunks after its last track."""
    tracks, at, found, ends = int.from_bytes(data[10:12], "big"), 14, [], []
    need(data[:8] == b"MThd\0\0\0\6" and tracks, "no MIDI file")
    while at < len(data):
        kind, end = data[at : at + 4], at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        is_in_place = (kind == b"MTrk") == (len(found) < tracks)
        need(at + 8 <= end <= len(data) and is_in_place, "no whole chunks in their places")
        found.append((kind, data[at + 8 : end]))
        ends.append(end)
        at = end
    return data[: ends[tracks - 1]], found[tracks:]


def check_work(log, place, path, purpose):
    """Whether a file is the work that the log has in this place; and whether it may be used."""
    data = read(path)
    music, after = split(data)
    need([kind for kind, _ in after] == [b"HPRV"], "not exactly one tag after the last track")
    tag = parse(after[0][1], "tag")
    statement = parse(base64.b64decode(tag["payload"]), "statement")
    record = log.live(statement["predicate"]["work"])
    entry, first = record["entry"], min(record["entries"])
    found = {"path": place, "file_sha256": digest(data), "music_sha256": digest(music)}
    need(found.items() <= entry.items(), "not the file that was entered here")
    signed = {"signatures": tag["signatures"], "statement": statement}
    check_statement(signed, log.roster, record["index"], entry)
    for keyid, at, piece in log.outputs.values():
        is_it = at < first and same(piece, entry, "musical_hash")
        need(not is_it or log.roster.refusal(keyid, at), "a model of this house wrote it before")
    return is_allowed(log, record, purpose)


# -- models, runs, pieces -------------------------------------------------------------------------
def tensors_of(data):
    """The text in a safetensors file, and the digest over its tensors."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start], object_pairs_hook=once)
    about, hashed, body = header.pop("__metadata__")["about"], sha256(), memoryview(data)[start:]
    for name, each in sorted(header.items()):
        begin, end = each["data_offsets"]
        words = json.dumps([name, each["dtype"], each["shape"]], separators=(",", ":"))
        hashed.update(f"{words}\n{end - begin}\n".encode() + body[begin:end])
    spans = sorted(each["data_offsets"] for each in header.values())
    edges = [0, *(end for _, end in spans)]
    is_covered = edges == sorted(edges) == [*(begin for begin, _ in spans), len(body)]
    need(spans and is_covered, "it has no tensors, or they overlap or leave a gap")
    return json.loads(about, object_pairs_hook=once)["manifest"].encode(), hashed.hexdigest()


def check_model(log, path):
    """The run behind a model's file, when the log has it as the file says; what it began with."""
    data = read(path, 64 << 30)
    text, tensors = tensors_of(data)
    manifest = json.loads(text, object_pairs_hook=once)
    need(canonical(manifest) == text, "its manifest is not canonical")
    at, began = check_manifest(log, digest(data), tensors, manifest)
    works, behind = [], manifest
    while behind:  # terms of works behind what it began with hold for it, too
        if behind["house"] == log.roster.house:
            works += [work["work"] for work in behind["works"]]
        began += foreign_code(behind)
        behind = behind.get("base", {}).get("manifest")
    return at, tensors, f"; {writes(log, at, digest(data), works)}{began}"


def foreign_code(manifest):
    """What else than the project's own code was called in training, in words."""
    said = [
        "{kind} {name} of {distribution} {version} ({sha256})".format(**each)
        for each in manifest.get("plugins", [])
    ]
    said += [
        f"callback {name}, which no record holds" for name in manifest.get("callbacks_given", [])
    ]
    return "".join(f"; trained with {words}" for words in said)


def check_manifest(log, file, tensors, manifest):
    """The run that left a file with this manifest, and in words what is for other logs to say."""
    mine = {"file_sha256": file, "tensors_sha256": tensors}.items()
    runs = []
    for at, run in log.runs.items():
        is_stolen = any(log.roster.refusal(*each) == "revoked" for each in run["signed"])
        if not is_stolen and any(mine <= model.items() for model in run["models"]):
            runs.append(at)
    need(runs, "no run in the log left this file, or its key was stolen by then")
    said = log.runs[runs[0]]["said"]
    need(digest(canonical(manifest)) == said["manifest_sha256"], "the log names another manifest")
    works, size, root = manifest["works"], *map(manifest["register"].get, ("size", "root"))
    found = (manifest["house"], manifest["purpose"], [work["work"] for work in works])
    need(found == (log.roster.house, said["purpose"], said["works"]), "of another house or purpose")
    need(0 < size <= runs[0], "it was trained before its works were entered")
    need(tree(log.leaves[:size])[1] == root, "the log was another then")
    for work in works:
        name, record = work["work"], log.live(work["work"])
        entry = record["entries"].get(work["register_index"])
        is_it = entry and same(entry, work, "musical_hash", "composers")
        is_it = is_it and entry["music_sha256"] == work["sha256"] == record["entry"]["music_sha256"]
        need(is_it, f"{name}: not as it was entered")
        need(is_allowed(log, record, said["purpose"]), f"{name}: may no longer be used so")
    return runs[0], check_base(log, runs[0], said, manifest.get("base"))


def check_base(log, at, said, base):
    """What a run began with, in words: a model of this log, or one for another house's to vouch."""
    start = json.loads(said.get("settings", "{}")).get("init")
    named = base and "sha256:" + base["tensors_sha256"]
    need("settings" not in said or start == named, "it began with other weights than it says")
    if not base:
        return ""
    need(base["recorded"] is True, "it began with weights that no log vouched for")
    file, manifest = base["file_sha256"], base["manifest"]
    words = f"; it began with a model of {manifest['house']}, SHA-256 {file}"
    if manifest["house"] != log.roster.house:
        return f"{words}, which the records of that house alone can vouch for"
    earlier, further = check_manifest(log, file, base["tensors_sha256"], manifest)
    need(
        log.runs[earlier].get("ended", earlier) < at,
        "it began with a model that the log did not name yet",
    )
    return f"{words}, left by run {earlier}{further}"


def writes(log, run, model, works):
    """Whether a model may still write, and what it writes be sold, in words."""
    for at, keys in log.retired.get(model, []):
        if not any(log.roster.refusal(keyid, at) == "revoked" for keyid in keys):
            return f"retired by act {at}"
    for use in ("sampling", "sale"):
        lacking = [work for work in works if lacks(log, log.works[work], use, run)]
        if lacking:
            return f"terms of {lacking[0]} grant no {use}"
    return "no terms stand against writing and selling"


def check_transcript(log, path, tensors):
    """Whether the log names this chain of marks; with a model, whether it ends in its weights."""
    *lines, rest = read(path, 64 * MIB).split(b"\n")
    first, *marks = map(json.loads, lines)
    steps = [mark["step"] for mark in marks]
    is_chain = [mark["previous"] for mark in marks] == [digest(line) for line in lines[:-1]]
    need(is_chain and rest == b"" and is_sorted(steps) and steps[0] == 0, "its marks are no chain")
    end = digest(lines[-1])
    ended = {at: run.get("end", {}).get("transcript_sha256") == end for at, run in log.runs.items()}
    at = next((at for at in ended if ended[at]), None)
    need(at is not None, "no run in the log ended with it")
    said = {k: v for k, v in log.runs[at]["said"].items() if k not in ("name", "continues")}
    need(digest(canonical(said)) == first["begin_sha256"], "it began with another run")
    need(tensors in (None, marks[-1]["weights_sha256"]), "the model is not what it ends with")
    return f"run {at}: {len(steps) - 1} segments, chained from its begin to its end"


def check_piece(log, path):
    """Whether the log has a marked piece, and the receipt beside it."""
    data, beside = read(path), path.with_suffix(".json")
    pieces = [each for each in log.outputs.values() if each[2]["sha256"] == digest(data)]
    need(pieces, "the log has no such piece, or it was changed since")
    keyid, at, piece = pieces[0]
    named = piece["receipt_sha256"]
    mark = canonical({"format": 1, "generated": True, "receipt_sha256": named})
    text = f"Machine-generated music. Receipt SHA-256: {named}".encode()
    is_marked = split(data)[1][-1:] == [(b"HGEN", mark)] and text in data
    need(is_marked, "it does not carry the marks of its receipt")
    need(not log.roster.refusal(keyid, at), "it was entered with a key that was stolen by then")
    words, signed = (
        f"act {at}: written by a model of run {piece['run']}",
        beside.with_suffix(".signature.json"),
    )
    if beside.exists():
        receipt, words = read(beside), f"{words}, its receipt beside it"
        need(digest(receipt) == named, "the receipt beside it is another")
    if beside.exists() and signed.exists():
        envelope = parse(read(signed).removesuffix(b"\n"), "receipt")
        need(base64.b64decode(envelope["payload"]) == receipt, "another receipt was signed")
        (signature,) = envelope["signatures"][:1]
        words += f", signed by {log.roster.signer(signature, len(log.leaves), RECEIPT, receipt)}"
    return words


# -- notes and their witnesses --------------------------------------------------------------------
def note_key(log):
    name, public = log["origin"], b"\1" + bytes.fromhex(log["public"])
    hashed = digest(f"{name}\n".encode() + public)[:8]
    return f"{name}+{hashed}+{base64.b64encode(public).decode()}"


HEADING = r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/=]+)\n(?:[^\n]+\n)*"
NOTE = re.compile(rf"({HEADING})\n((?:\u2014 [^\s+]{{1,200}} [A-Za-z0-9+/=]{{6,}}\n){{1,64}})")


def check_note(log, path, witnesses):
    """Whose signatures under a note verify; what the log's key signed has to be true of it."""
    whole = read(path, 65_536).decode()
    found = NOTE.fullmatch(whole)
    need(found and not re.search("[\0-\t\v-\x1f]", whole), "no note of a log")
    text, origin, size, root, below = found.groups()
    lines = [line.split(" ")[1:] for line in below.splitlines()]
    need(all(fits(value, "base64") for value in (root, *(v for _, v in lines))), "no base64")
    signed = [(name, base64.b64decode(value)) for name, value in lines]
    root, text, seen = base64.b64decode(root).hex(), text.encode(), []
    need(fits(root, "hex"), "no note of a log")
    for key in dict.fromkeys([*(note_key(r.log) for r in log.rosters if r.log), *witnesses]):
        name, hashed, written = key.split("+", 2)
        kind, *public = base64.b64decode(written)
        for value in (v[4:] for n, v in signed if (n, v[:4].hex()) == (name, hashed)):
            time = int.from_bytes(value[:8], "big")
            cosigned = f"cosignature/v1\ntime {time}\n".encode() + text
            if kind == 1 and origin == name and verifies(bytes(public), value, text):
                seen.append("the log's key")
            if kind == 4 and verifies(bytes(public), value[8:], cosigned):
                seen.append(f"{name} at {datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M}")
    if "the log's key" not in seen:
        return "not signed by the log's key: it counts for nothing"
    is_true = int(size) <= len(log.leaves) and root == tree(log.leaves[: int(size)])[1]
    need(is_true, f"the log's key signed another history of {size} acts: keep this note")
    return f"{size} acts, signed by {', '.join(seen)}"


# -- the command ----------------------------------------------------------------------------------
def read_pin(path):
    """A pin as the house writes it: names and values, a list of root keys, perhaps witnesses."""
    text = read(path).decode()
    names = re.findall(r"^(\w+):", text, re.M)
    need(len(names) == len(set(names)), "the pin says something twice")
    pin = {"log": ""} | dict(re.findall(r'^(\w+): "?([^"\n]+?)"?$', text, re.M))
    pin |= {name: int(pin[name]) for name in ("min_size", "threshold")}
    pin["root_keys"] = re.search(r"^root_keys:((\n *- \w{64})+)$", text, re.M)[1].split()[1::2]
    pin["witnesses"] = re.findall(r'^ *- "([^\s"+]+\+[0-9a-f]{8}\+[^\s"]+)', text, re.M)
    return pin


def judge(what, check, *about):
    """What was looked at, whether it holds, and what the check answers or why not."""
    try:
        return what, True, check(*about)
    except Refused as error:
        return what, False, str(error)
    except Exception as error:  # whatever a stranger's bytes bring about is a refusal
        return what, False, f"cannot be read ({type(error).__name__}: {error})"


def verdicts(folder, pin, purpose="general_model", model=None, transcript=None, piece=None):
    """Each verdict: what was looked at, whether it holds, and why (not)."""
    trusted = judge("pin", read_pin, pin)
    found = judge("records", Log, folder, trusted[2]) if trusted[1] else trusted
    if not found[1]:
        yield found
        return
    log, roster, root = found[2], found[2].roster.value, found[2].head["root"]
    words = f"{len(log.leaves)} acts of {log.roster.house}, {len(log.works)} works, root {root}"
    yield "records", True, words
    expires = roster["expires"] or "never"
    yield "roster", log.day < expires, f"version {roster['version']}, expires {expires}"
    if "models" in roster:  # for the PEM file that model_signing takes
        yield "key of models", True, roster["models"]["public"]
    kind, _, artist = purpose.partition(":")
    is_known = kind in roster["policy"]["purposes"] and artist in ("", "root", *log.roster.roles)
    yield "purpose", is_known, purpose
    for path in (folder / "register.checkpoint", *sorted(folder.glob("witnesses/*.note"))):
        if path.exists():
            yield judge(path.name, check_note, log, path, trusted[2]["witnesses"])
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.glob("*/*.mid"))}
    files = {place: files[place] for place in files if place.split("/")[0] not in NOT_WORKS}
    works = [judge(place, check_work, log, place, path, purpose) for place, path in files.items()]
    yield from (verdict for verdict in works if not verdict[1])
    usable = sum(is_good and may_be_used for _, is_good, may_be_used in works)
    yield "works", True, f"{len(files)} files seen, {usable} may be used for {purpose}"
    tensors = None
    if model:
        what, is_good, found = judge(str(model), check_model, log, model)
        if is_good:
            at, tensors, words = found
            found = f"left by run {at}, whose trainer's word it is what it learned from{words}"
        yield what, is_good, found
    if transcript:
        yield judge(str(transcript), check_transcript, log, transcript, tensors)
    if piece:
        yield judge(str(piece), check_piece, log, piece)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pin", type=Path, required=True)
    parser.add_argument("--purpose", default="general_model")
    for name in ("--model", "--transcript", "--piece"):
        parser.add_argument(name, type=Path)
    found = list(verdicts(**vars(parser.parse_args())))
    for what, is_good, why in found:
        words = f"{'holds  ' if is_good else 'REFUSED'} {what}: {why}"
        print(words.encode("unicode_escape").decode())  # one line, whatever a file is called
    raise SystemExit(0 if all(is_good for _, is_good, _ in found) else 2)


if __name__ == "__main__":
    main()

"""Checks what a music house says of itself, with nothing of the house's own software.

    python verify_alone.py FOLDER --pin PIN [--model FILE] [--transcript FILE] [--piece FILE]

FOLDER is a house, or a copy of its records (`house.py export`). PIN says whom you trust: take it
from the house's people, not from FOLDER. Each line of the answer is a verdict with its reason;
exit 0 means that all hold, 2 that one does not. docs/format.md explains every byte. It does not
judge music (whether a file is well-formed MIDI, sounds as its tag says, or is like another), and
trains no model anew. Needs Python 3.11 and `cryptography`.
"""
# Laid out by hand, so that it can be read in one sitting.
# fmt: off

import argparse
import base64
import json
import re
import stat
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# What each kind of JSON object holds: ~ may be left out, ? may be null, * is a list, = a constant.
SHAPES = """
signature  keyid:text sig:base64
grant      scope:scope until:day?
share      id:text share:number
key        compromised_from:number? public:hex valid_from:number valid_to:number?
person     id:id keys:key* name:text note:text roles:role*
log        origin:text public:hex
policy     purposes:text* signatures_per_work=2 ~statements_in_log=true ~takes_machine_written=true
root       keys:hex* threshold:number
roster     change:text expires:day? format=1 house:id ~log:log people:person* policy:policy register_index:number root:root sealed:flag version:number
signed     roster:roster signatures:signature*
about      ~title:words ~genre:words ~mood:words ~key:words ~chords:words ~sections:words ~roles:text*
origin     no_generative_model:flag no_third_party_material=true
predicate  composers:share* consent:consent contract:words description:about method:words musical_hash:hex screening_sha256:hex_or_none software:text statements:origin time:text work:work
digest     sha256:hex
subject    digest:digest name:text
statement  _type="https://in-toto.io/Statement/v1" predicate:predicate predicateType="urn:music-house:work:v1" subject:subject*
envelope   signatures:signature* statement:statement
tag        payload:base64 payloadType="application/vnd.in-toto+json" signatures:signature*
receipt    payload:base64 payloadType="application/vnd.music-house.receipt+json" signatures:signature*
model      file_sha256:hex name:text steps:number tensors_sha256:hex
act        act:kind by:text data:object format=1 index:number signatures:signature* time:text
do_add     composers:share* consent:consent file_sha256:hex keyids:hex* music_sha256:hex musical_hash:hex path:text ~signed:envelope title:text work:text
do_adopt   origin:object works:do_add*
do_begin   code_sha256:hex continues:number? lock_sha256:hex manifest_sha256:hex name:text numeric_mode:text purpose:scope seed:number ~settings:text settings_sha256:hex works:works
do_consent consent:consent work:text
do_end     begin:number models:model* steps:number ~transcript_sha256:hex
do_key     signed:signed
do_model   manifest_sha256:hex model:model name:text purpose:scope statement:asserted works:works
do_output  checkpoint_sha256:hex fingerprint:any musical_hash:hex path:text receipt_sha256:hex run:number sha256:hex
do_withdraw music_sha256:text musical_hash:text reason:text work:text
tree       bytes:number format=1 house:text log:text root:hex size:number time:time
head       frontier:hex* head:tree signatures:signature*
at         root:text size:number
left_out   path:text rule:text
learned    composers:share* musical_hash:hex register_index:number sha256:hex work:text
manifest   code_version:text format=1 house:text judged_on:text lock_sha256:text not_consented:text* purpose:text refused:left_out* register:at roster_version:number tokenizer_fingerprint:text works:learned*
mark       format=1 generated=true receipt_sha256:hex
transcript begin_sha256:text every:number format:first_format
step       batches:number previous:hex state_sha256:hex step:number weights_sha256:hex windows_sha256:hex
"""
ASSERTED = ("asserted by the root of the house: trained before the log held runs, so that nothing "
            "here shows how, and not rebuildable")
ACT, HEAD, ROSTER, RECEIPT = map("application/vnd.music-house.{}+json".format, ("act", "head", "roster", "receipt"))
STATEMENT = "application/vnd.in-toto+json"
FIELD, OF_ORDER_8 = 2**255 - 19, 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER = {0, 1, FIELD - 1, OF_ORDER_8, FIELD - OF_ORDER_8}  # y of the points of small order
MIB = 1 << 20
NOT_WORKS = {"inbox", "screening", "rejected", "withdrawn", "witnesses", ".journal"}

class Refused(Exception):
    """Something that does not hold, with the reason."""

def need(holds, reason):
    if not holds:
        raise Refused(reason)

# -- JSON and its shapes -----------------------------------------------------------------------

def like(pattern):
    return lambda value: type(value) is str and re.fullmatch(pattern, value) is not None

def holds(test):
    def kind(value):
        try:
            return test(value)
        except (ValueError, TypeError):
            return False
    return kind

is_base64 = holds(lambda value: base64.b64encode(base64.b64decode(value, validate=True)).decode() == value)

def is_consent(value):
    scopes = [grant["scope"] for grant in value] if fits(value, "grant*") else [None]
    return scopes == sorted(set(scopes)) and None not in scopes

ID = "[a-z][a-z0-9-]{0,39}"
KINDS = {
    "any": lambda value: True, "text": lambda value: type(value) is str,
    "number": lambda value: type(value) is int, "flag": lambda value: type(value) is bool,
    "object": lambda value: type(value) is dict, "consent": is_consent,
    "words": lambda value: type(value) is str and value.isprintable() and len(value) <= 20_000,
    "works": lambda value: fits(value, "text*") and value == sorted(set(value)) != [],
    "hex": like("[0-9a-f]{64}"), "hex_or_none": like("|[0-9a-f]{64}"), "id": like(ID),
    "work": like("[a-z0-9][a-z0-9-]{0,79}"), "role": like("composer|curator|trainer|producer"),
    "scope": like(f"general_model|evaluation|artist_model:{ID}"), "asserted": like(re.escape(ASSERTED)),
    "first_format": like("gen transcript 1"),
    "kind": lambda value: type(value) is str and f"do_{value}" in FIELDS,
    "time": holds(lambda v: datetime.strptime(v, "%Y-%m-%dT%H:%M:%SZ").strftime("%Y-%m-%dT%H:%M:%SZ") == v),
    "day": holds(lambda value: date.fromisoformat(value).isoformat() == value),
    "base64": lambda value: is_base64(value),
}
FIELDS = {line.split()[0]: dict(re.fullmatch("(~?[a-z_A-Z0-9]+)[:=](.+)", word).groups() for word in line.split()[1:])
          for line in SHAPES.strip().splitlines()}

def fits(value, kind):
    """Whether a value is of this kind; a number, `true` or a quoted text is a constant."""
    if kind[-1] in "?*":
        is_list = kind[-1] == "*"
        return (type(value) is list and all(fits(each, kind[:-1]) for each in value)) if is_list else value is None or fits(value, kind[:-1])
    if kind in KINDS:
        return KINDS[kind](value)
    if kind not in FIELDS:
        return type(value) is type(json.loads(kind)) and value == json.loads(kind)
    fields = {name.strip("~"): inner for name, inner in FIELDS[kind].items()}
    least = {name for name in FIELDS[kind] if name[0] != "~"}
    return type(value) is dict and least <= value.keys() <= fields.keys() and all(fits(value[n], fields[n]) for n in value)

def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

def no_float(text):
    raise ValueError(text)

def once(pairs):
    need(len(dict(pairs)) == len(pairs), "a key appears twice")
    return dict(pairs)

def parse(data, kind, what="it", *, laid_out=False):
    """JSON of a kind in its one spelling; `laid_out` lets spaces pass."""
    need(len(data) <= 4 * MIB, f"{what} has {len(data)} bytes")
    try:
        value = json.loads(data.decode(), object_pairs_hook=once, parse_float=no_float, parse_constant=no_float)
        need(laid_out or canonical(value) == data, f"{what} is not in canonical form")
    except (ValueError, RecursionError) as error:
        raise Refused(f"{what} is no JSON") from error
    need(fits(value, kind), f"{what} is no {kind} as it is written here")
    return value

# -- files, signatures, the tree ----------------------------------------------------------------

def read(path, most):
    try:
        found = path.lstat()
        need(stat.S_ISREG(found.st_mode) and found.st_size <= most, f"{path.name} is no plain file, or too large")
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"{path.name} cannot be read ({error.strerror})") from error

def digest(data):
    return sha256(data).hexdigest()

def is_sound(public):
    y = int.from_bytes(public, "little") & (2**255 - 1)
    return len(public) == 32 and y < FIELD and y not in SMALL_ORDER

def verifies(public, signature, message):
    try:
        need(is_sound(public), "a key for which anybody can sign")
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        return True
    except (InvalidSignature, ValueError, Refused):
        return False

def is_signed(signature, public, kind, payload):
    """Whether it is this key's over a DSSE envelope of this kind."""
    return verifies(public, base64.b64decode(signature["sig"]), f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload)

def node(left, right):
    return sha256(b"\1" + left + right).digest()

def root_of(leaves):
    """The root, hex, of the tree over leaf hashes (RFC 6962)."""
    edge = []
    for count, top in enumerate(leaves):
        while count & 1:
            top, count = node(edge.pop(), top), count >> 1
        edge.append(top)
    top = edge.pop() if edge else sha256(b"").digest()
    while edge:
        top = node(edge.pop(), top)
    return top.hex()

def check_dated(what, time):
    latest = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    need(time[:10] <= latest, f"{what} is dated {time[:10]!r}, ahead of this computer's clock")

# -- who belongs to the house ---------------------------------------------------------------------

class Roster:
    def __init__(self, signed):
        value, self.signed = signed["roster"], signed
        self.house, self.version, self.start, self.sealed = (value[n] for n in ("house", "version", "register_index", "sealed"))
        self.expires, self.policy, self.log, self.threshold = value["expires"], value["policy"], value.get("log"), value["root"]["threshold"]
        self.roles = {person["id"]: person["roles"] for person in value["people"]}
        pairs = [(person["id"], key) for person in value["people"] for key in person["keys"]]
        publics = [*map(bytes.fromhex, value["root"]["keys"]), *(bytes.fromhex(key["public"]) for _, key in pairs)]
        self.root = {digest(public): public for public in publics[: len(value["root"]["keys"])]}
        self.keys = {digest(bytes.fromhex(key["public"])): (who, key) for who, key in pairs}
        publics += [bytes.fromhex(self.log["public"])] if self.log else []
        ids = [person["id"] for person in value["people"]]
        need(ids == sorted(set(ids)) and "root" not in ids and all(self.roles.values()), "the roster's people")
        need(1 <= self.threshold <= len(value["root"]["keys"]), "the roster's threshold")
        need(all(map(is_sound, publics)) and len(set(publics)) == len(publics), "a key is doubled, or anybody's")
        need((self.expires is None) == self.sealed, "only a sealed roster has no expiry")

    def refusal(self, keyid, index):
        """Why a key may not sign at this index; "" where it may."""
        if keyid in self.root or keyid not in self.keys:
            return "" if keyid in self.root else "unknown-key"
        key = self.keys[keyid][1]
        if key["compromised_from"] is not None and index >= key["compromised_from"]:
            return "revoked-key"
        is_over = key["valid_to"] is not None and index >= key["valid_to"]
        return "key-not-yet-valid" if index < key["valid_from"] else "expired-key" if is_over else ""

    def check_root(self, signatures, kind, payload):
        made = {s["keyid"] for s in signatures if s["keyid"] in self.root and is_signed(s, self.root[s["keyid"]], kind, payload)}
        need(len(made) >= self.threshold, f"{len(made)} root signatures, {self.threshold} are needed")

    def signer(self, signature, index, kind, payload):
        """Who made a signature, with a key that may sign at this index."""
        who, key = self.keys.get(signature["keyid"], ("", None))
        need(key, f"signed by the unknown key {signature['keyid'][:12]}")
        why = self.refusal(signature["keyid"], index)
        need(not why, f"the key of {who} may not sign here ({why})")
        need(is_signed(signature, bytes.fromhex(key["public"]), kind, payload), f"the signature of {who} does not verify")
        return who

    def check_after(self, old, index):
        """Whether this version may follow `old` at this index."""
        payload, signatures = canonical(self.signed["roster"]), self.signed["signatures"]
        self.check_root(signatures, ROSTER, payload)
        need(self.start == index, "a roster made for another index")
        origin = f"{self.house}/{digest(''.join(sorted(self.root)).encode())[:16]}"
        if old:
            old.check_root(signatures, ROSTER, payload)
            need((self.house, self.version) == (old.house, old.version + 1), "a roster that is no successor")
            need("statements_in_log" not in old.policy.keys() - self.policy.keys(), "statements would cease")
            need(self.log or not old.log, "the log's key was dropped")
            need(old.roles.keys() <= self.roles.keys(), "a person was removed")
            origin = old.log["origin"] if old.log else origin
        need(old or self.version == 1, "the first roster is version 1")
        need(not self.log or self.log["origin"] == origin, "the log is called otherwise")
        known = old.keys if old else {}
        need(all(key["valid_from"] >= index for keyid, (_, key) in self.keys.items() if keyid not in known), "a new key is dated back")
        for keyid, (who, key) in known.items():
            owner, now = self.keys.get(keyid, ("", None))
            need(owner == who and now["valid_from"] == key["valid_from"], f"a key of {who} was removed or moved")
            for name, earliest in (("valid_to", index), ("compromised_from", 0)):  # an end once set only moves to before
                before, after = key[name], now[name]
                need((before is None and after is None) or (after is not None and (after <= before if before is not None else after >= earliest)), f"{name} of a key of {who}")

# -- the log: every act, in order -----------------------------------------------------------------

ROLE_OF = {"add": "curator", "consent": "composer", "begin": "trainer", "end": "trainer", "output": "producer"}

class Log:
    def __init__(self, folder, pin):
        self.works, self.taken, self.rosters, self.leaves, self.runs, self.outputs = {}, set(), [], [], {}, {}
        head = parse(read(folder / "register.head.json", 16_384).rstrip(b"\n"), "head", "the head")
        said = self.head = head["head"]
        need((said["house"], said["log"]) == (pin["name"], "register"), "the head is that of another log")
        need(said["size"] >= pin["min_size"], f"{said['size']} acts, the pin has seen {pin['min_size']}: an older copy")
        data = read(folder / "register.jsonl", 4 << 30)
        lines = data[: said["bytes"]].split(b"\n")
        need(len(data) >= said["bytes"] >= 0 and lines.pop() == b"" and len(lines) == said["size"], "lines and head differ")
        for index, line in enumerate(lines):
            self.take(index, line)
            if index + 1 == pin["min_size"]:
                self.check_pin(pin)
        need(root_of(self.leaves) == said["root"], "the lines have another root than the head says")
        self.check_head(head["signatures"], head["frontier"])
        file = parse(read(folder / "roster.json", 4 * MIB), "signed", "roster.json", laid_out=True)
        need(file == self.roster.signed, "roster.json is not the roster that the log ends with")

    @property
    def roster(self):
        return self.rosters[-1]

    def check_pin(self, pin):
        roster = self.roster
        need(root_of(self.leaves) == pin["root_hash"], "another history than the pinned one")
        need((roster.house, roster.threshold, set(roster.root)) == (pin["name"], pin["threshold"], set(pin["root_keys"])), "other root keys than the pinned ones")
        need(not pin["log"] or (roster.log and note_key(roster.log) == pin["log"]), "another log's key than the pinned one")

    def check_head(self, signatures, frontier):
        last, payload, sizes = self.head["size"] - 1, canonical(self.head), []
        for bit in reversed(range(self.head["size"].bit_length())):  # the edge: the whole trees inside, largest first
            sizes += [1 << bit] if self.head["size"] >> bit & 1 else []
        edge = [root_of(self.leaves[sum(sizes[:n]) : sum(sizes[: n + 1])]) for n in range(len(sizes))]
        need(frontier == edge and len(signatures) == 1, "the head's edge, or the number of its signatures")
        roots = self.roster.root | (self.rosters[-2].root if len(self.rosters) > 1 and self.roster.start == last else {})
        keyid = signatures[0]["keyid"]
        if keyid in roots:
            need(is_signed(signatures[0], roots[keyid], HEAD, payload), "the head's signature does not verify")
        else:
            self.roster.signer(signatures[0], last, HEAD, payload)
        check_dated("the head", self.head["time"])

    def take(self, index, line):
        try:
            act = parse(line, "act")
            need(act["index"] == index, "it has another index")
            need(self.rosters or act["act"] == "key", "a log begins with a roster")
            need(not self.rosters or not self.roster.sealed, "the house was sealed before")
            need(fits(act["data"], f"do_{act['act']}"), f"{act['act']} is not written so")
            self.check_right(act)
            self.take_in(act, act["data"], (act["signatures"] or [{"keyid": ""}])[0]["keyid"])
            check_dated("it", act["time"])
        except Refused as error:
            raise Refused(f"act {index}: {error}") from error
        self.leaves.append(sha256(b"\0" + line).digest())

    def check_right(self, act):
        """Whether its author may do such an act, and signed it; a roster is signed within."""
        kind, by, signatures = act["act"], act["by"], act["signatures"]
        payload = canonical({name: value for name, value in act.items() if name != "signatures"})
        if kind in ("adopt", "model") or (kind == "withdraw" and by == "root"):
            need(by == "root", "the root alone may do this")
            self.roster.check_root(signatures, ACT, payload)
        elif kind != "key":
            is_own = kind == "withdraw" and by in composers(self.live(act["data"]["work"])["entry"])
            role = ROLE_OF.get(kind, "composer" if is_own else "curator")
            need(role in self.roster.roles.get(by, ()) and len(signatures) == 1, f"{by!r:.60} is no {role}, or signs not once")
            need(self.roster.signer(signatures[0], act["index"], ACT, payload) == by, "somebody else signed it")

    def live(self, work):
        need(work in self.works and not self.works[work]["out"], f"{work!r:.90} is not in the house")
        return self.works[work]

    def take_in(self, act, data, keyid):
        index, by, signed = act["index"], act["by"], (keyid, act["index"])
        if act["act"] == "key":
            new = Roster(data["signed"])
            new.check_after(self.roster if self.rosters else None, index)
            self.rosters.append(new)
        elif act["act"] in ("add", "adopt"):
            for entry in data["works"] if act["act"] == "adopt" else [data]:
                self.enter(act, entry)
        elif act["act"] == "consent":
            need(by in composers(self.live(data["work"])["entry"]), f"{by} is no composer of it")
            self.works[data["work"]]["said"].setdefault(by, []).append((*signed, data["consent"]))
        elif act["act"] == "withdraw":
            entry = self.live(data["work"])["entry"]
            need(all(entry[name] == data[name] for name in ("music_sha256", "musical_hash")), "it withdraws other music")
            self.works[data["work"]]["out"] = signed
        elif act["act"] == "begin":
            need(all(map(self.live, data["works"])) and data["continues"] in (None, *self.runs), "it continues no run")
            need("settings" not in data or (data["settings"] and digest(data["settings"].encode()) == data["settings_sha256"]), "its settings")
            self.runs[index] = {"by": by, "said": data, "models": [], "signed": [signed], "end": None}
        elif act["act"] == "end":
            run = self.runs.get(data["begin"], {"end": {}})
            need(run["end"] is None and run["by"] == by, "no run that this trainer could end")
            run.update(end=data, models=data["models"], signed=[*run["signed"], signed])
        elif act["act"] == "model":
            need(all(work in self.works for work in data["works"]), "it names unknown works")
            self.runs[index] = {"by": by, "said": data, "models": [data["model"]], "signed": [], "end": {}}
        else:
            left = [model["file_sha256"] for model in self.runs.get(data["run"], {"models": []})["models"]]
            need(data["checkpoint_sha256"] in left, "its run left no such checkpoint")
            self.outputs.setdefault(data["receipt_sha256"], (*signed, data))

    def enter(self, act, entry):
        work, roster = entry["work"], self.roster
        need(len(entry["keyids"]) == 2, "two people sign a work")
        if "signed" in entry or "statements_in_log" in roster.policy:
            need("signed" in entry, f"{work} is entered without what its composer signed")
            statement, curator = check_signers(entry["signed"], roster, act["index"])
            check_same(entry, entry["signed"])
            need(entry["title"] == statement["description"].get("title", ""), f"{work} is entered under another title")
            need(act["act"] == "adopt" or curator == act["by"], "another curator accepted it")
        names = {(name, entry[name]) for name in ("music_sha256", "musical_hash", "path")}
        known = self.works.get(work)
        if known:
            signed = [known["out"]] if known["out"] else [(keyid, known["index"]) for keyid in known["entry"]["keyids"]]
            is_stale = any(roster.refusal(*each) == "revoked-key" for each in signed)
            same = all(known["entry"][name] == entry[name] for name in ("music_sha256", "path"))
            need(same and is_stale, f"{work} was entered before")
        need(known or not names & self.taken, f"{work} has the music or the place of another")
        self.taken |= names
        was = known or {"said": {}, "entries": {}}
        was["entries"][act["index"]] = entry
        self.works[work] = {**was, "entry": entry, "index": act["index"], "out": None}

# -- works -----------------------------------------------------------------------------------------

def composers(entry):
    return [each["id"] for each in entry["composers"]]

def check_signers(signed, roster, index):
    """The predicate that composer and curator signed, and who the curator is."""
    statement, signatures = signed["statement"], signed["signatures"]
    predicate, names = statement["predicate"], composers(statement["predicate"])
    shares, is_human = [each["share"] for each in predicate["composers"]], predicate["statements"]["no_generative_model"]
    need(sum(shares) == 100 and min(shares) >= 1 and len(set(names)) == len(names), "its composers' shares")
    need([each["name"] for each in statement["subject"]] == [f"{predicate['work']}.mid"], "its subject")
    need(is_human != (predicate["method"] == "machine"), "method and statement of origin differ")
    need(is_human or "takes_machine_written" in roster.policy, "a machine wrote it")
    need(len(signatures) == 2, "a composer and a curator sign a work")
    first, second = (roster.signer(each, index, STATEMENT, canonical(statement)) for each in signatures)
    need(first in names and all("composer" in roster.roles.get(who, ()) for who in names), "its composers are none of the house")
    need(second not in names and "curator" in roster.roles[second], f"{second} may not accept it")
    return predicate, second

def check_same(entry, signed):
    """Whether an entry says what was signed, and allows no more."""
    statement, predicate = signed["statement"], signed["statement"]["predicate"]
    allowed = {grant["scope"]: grant["until"] or "9999-12-31" for grant in predicate["consent"]}
    need(all((g["until"] or "9999-12-31") <= allowed.get(g["scope"], "") for g in entry["consent"]), "the log allows more than was signed")
    need(all(entry[name] == predicate[name] for name in ("work", "musical_hash", "composers")), "entered otherwise than it was signed")
    need(entry["music_sha256"] == statement["subject"][0]["digest"]["sha256"], "entered with other music than was signed")
    need(entry["keyids"] == [each["keyid"] for each in signed["signatures"]], "entered as signed by others")

def allowed_today(log, record, purpose):
    """Whether all composers allow a purpose by now: docs/format.md, "consent"."""
    day, entry = max(datetime.now(UTC).date().isoformat(), log.head["time"][:10]), record["entry"]
    signers = {log.roster.keys[k][0] for k, at in [(entry["keyids"][0], record["index"]), *(each[:2] for said in record["said"].values() for each in said)]
               if k in log.roster.keys and not log.roster.refusal(k, at)}
    artist = purpose.partition(":")[2]
    if artist and not (artist in signers and artist in composers(entry)):
        return False
    for who in composers(entry):
        is_allowed = ends_later(entry["consent"], purpose, day)
        for keyid, at, consent in record["said"].get(who, ()):  # what a stolen key said only narrows
            is_allowed = ends_later(consent, purpose, day) and (is_allowed or not log.roster.refusal(keyid, at))
        if not is_allowed:
            return False
    return True

def ends_later(consent, purpose, day):
    return any(g["scope"] == purpose and (g["until"] is None or g["until"] >= day) for g in consent)

def split(data):
    """The music of a MIDI file, and the chunks after its last track."""
    tracks, at, found = int.from_bytes(data[10:12], "big"), 14, []
    need(data[:8] == b"MThd\0\0\0\6" and len(data) <= 4 * MIB, "no MIDI file")
    while at < len(data):
        kind, end = data[at : at + 4], at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        need(at + 8 <= len(data) and end <= len(data) and (kind == b"MTrk") == (len(found) < tracks), "no whole chunks")
        found.append((kind, data[at + 8 : end], at))
        at = end
    need(len(found) >= tracks >= 1, "tracks are missing")
    return data[: found[tracks][2] if len(found) > tracks else at], found[tracks:]

def check_work(log, place, data, purpose):
    """Whether a file is the work that the log has in this place; and whether it may be used."""
    music, after = split(data)
    need([kind for kind, _, _ in after] == [b"HPRV"], "not exactly one tag after the last track")
    tag = parse(after[0][1], "tag", "its tag")
    signed = {"signatures": tag["signatures"], "statement": parse(base64.b64decode(tag["payload"]), "statement", "its statement")}
    work = signed["statement"]["predicate"]["work"]
    record = log.live(work)
    need(record["entry"]["path"] == place and record["entry"]["file_sha256"] == digest(data), "not the file that was entered here")
    need(signed["statement"]["subject"][0]["digest"]["sha256"] == digest(music), "the tag speaks of other music")
    check_signers(signed, log.roster, record["index"])
    check_same(record["entry"], signed)
    first = min(record["entries"])
    need(not any(out[2]["musical_hash"] == record["entry"]["musical_hash"] and out[1] < first and not log.roster.refusal(*out[:2])
                 for out in log.outputs.values()), "a model of this house wrote it before")
    return work, allowed_today(log, record, purpose)

# -- models, runs, pieces ----------------------------------------------------------------------------

def check_model(log, path):
    """The run behind a model's file, when the log has it as the file says."""
    data = read(path, 64 << 30)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")], object_pairs_hook=once)
    about = json.loads(header.pop("__metadata__")["about"], object_pairs_hook=once)
    manifest = parse(about["manifest"].encode(), "manifest", "its manifest")
    tensors, body, covered = sha256(), memoryview(data)[8 + int.from_bytes(data[:8], "little") :], 0
    for name, each in sorted(header.items()):
        begin, end = each["data_offsets"]
        tensors.update(f"{json.dumps([name, each['dtype'], each['shape']], separators=(',', ':'))}\n{end - begin}\n".encode())
        tensors.update(body[begin:end])
    for begin, end in sorted(each["data_offsets"] for each in header.values()):
        need(begin == covered <= end, "its tensors overlap or leave a gap")
        covered = end
    need(covered == len(body) and header, "bytes that belong to no tensor")
    mine = {"file_sha256": digest(data), "tensors_sha256": tensors.hexdigest()}
    runs = [(at, run) for at, run in log.runs.items() if any(mine.items() <= model.items() for model in run["models"])]
    runs = [(at, run) for at, run in runs if not any(log.roster.refusal(*each) == "revoked-key" for each in run["signed"])]
    need(runs, "no run in the log left this file, or its key was stolen by then")
    at, run = runs[0]
    size, said = manifest["register"]["size"], run["said"]
    need(digest(canonical(manifest)) == said["manifest_sha256"], "the log names another manifest")
    need((manifest["house"], manifest["purpose"]) == (log.roster.house, said["purpose"]), "another house or purpose")
    need([work["work"] for work in manifest["works"]] == said["works"], "other works than the log says")
    need(0 < size <= at and root_of(log.leaves[:size]) == manifest["register"]["root"], "the log was another then")
    for work in manifest["works"]:
        entry = log.works[work["work"]]["entries"].get(work["register_index"], {})
        told = (entry.get("music_sha256"), entry.get("musical_hash"), entry.get("composers"))
        need(told == (work["sha256"], work["musical_hash"], work["composers"]), f"{work['work']}: not as it was entered")
        record = log.live(work["work"])
        need(record["entry"]["music_sha256"] == work["sha256"] and allowed_today(log, record, said["purpose"]), f"{work['work']}: may no longer be used so")
    return at, mine["tensors_sha256"]

def check_transcript(log, path, tensors):
    """Whether the log names this chain of marks; and, with a model, whether it ends in its weights."""
    lines = read(path, 64 * MIB).split(b"\n")
    need(lines.pop() == b"" and len(lines) > 1, "no lines")
    first, steps = parse(lines[0], "transcript"), [parse(line, "step") for line in lines[1:]]
    need([step["previous"] for step in steps] == [digest(line) for line in lines[:-1]], "a line is not chained to the one before")
    order = [step["step"] for step in steps]
    need(order[0] == 0 and order == sorted(set(order)), "its marks are not in order")
    runs = [(at, run) for at, run in log.runs.items() if (run["end"] or {}).get("transcript_sha256") == digest(lines[-1])]
    need(runs, "no run in the log ended with it")
    at, said = runs[0][0], {name: value for name, value in runs[0][1]["said"].items() if name not in ("name", "continues")}
    need(digest(canonical(said)) == first["begin_sha256"], "it begins with another run than it ends with")
    need(tensors in (None, steps[-1]["weights_sha256"]), "the model is not what it ends with")
    return f"run {at}: {len(steps) - 1} segments, chained from its begin to its end"

def check_piece(log, path):
    """Whether the log has a marked piece and the receipt beside it."""
    data = read(path, 4 * MIB)
    after = split(data)[1]
    need([kind for kind, _, _ in after] == [b"HGEN"], "not exactly one mark after the last track")
    receipt = parse(after[0][1], "mark", "its mark")["receipt_sha256"]
    need(b"Machine-generated music. Receipt SHA-256: " + receipt.encode() in data, "its two marks differ")
    need(receipt in log.outputs, "the log has no piece with this receipt")
    keyid, at, said = log.outputs[receipt]
    need(said["sha256"] == digest(data), "the piece was changed since it was entered")
    need(not log.roster.refusal(keyid, at), "it was entered with a key that was stolen by then")
    beside, signed = path.with_suffix(".json"), path.with_suffix(".signature.json")
    words = f"act {at}: written by a model of run {said['run']}"
    if beside.exists():
        data, words = read(beside, 4 * MIB), f"{words}, its receipt beside it"
        need(digest(data) == receipt, "the receipt beside it is another")
    if beside.exists() and signed.exists():
        envelope = parse(read(signed, 4 * MIB).removesuffix(b"\n"), "receipt", "the receipt's signature")
        need(base64.b64decode(envelope["payload"]) == data and envelope["signatures"], "the signature is about another receipt")
        words = f"{words}, signed by {log.roster.signer(envelope['signatures'][0], len(log.leaves), RECEIPT, data)}"
    return words

# -- notes and their witnesses --------------------------------------------------------------------------

def note_key(log):
    return word(log["origin"], 1, bytes.fromhex(log["public"]))

def word(name, kind, public):
    hashed = sha256(f"{name}\n".encode() + bytes([kind]) + public).hexdigest()[:8]
    return f"{name}+{hashed}+{base64.b64encode(bytes([kind]) + public).decode()}"

def check_note(log, path, witnesses):
    """Whose signatures under a note of the log verify; what the log signed has to be true of it."""
    data = read(path, 65_536).decode()
    base64_line = r"[A-Za-z0-9+/]+=*"
    parts = re.fullmatch(rf"(([^\n]+)\n(0|[1-9][0-9]{{0,18}})\n({base64_line})\n(?:[^\n]+\n)*)\n((?:\u2014 [^\s+]{{1,200}} {base64_line}\n){{1,64}})", data)
    need(parts and not re.search("[\0-\t\v-\x1f]", data), "no note of a log")
    text, origin, size, root, below = parts[1].encode(), parts[2], int(parts[3]), base64.b64decode(parts[4]), parts[5]
    signed = [(name, base64.b64decode(value)) for name, value in (line.split(" ")[1:] for line in below.splitlines())]
    need(len(root) == 32 and all(is_base64(value) for value in re.findall(f"({base64_line})$", below, re.M)) and all(len(value) > 4 for _, value in signed), "no note of a log")
    seen = []
    keys = dict.fromkeys(note_key(roster.log) for roster in log.rosters if roster.log)
    for key in (*keys, *witnesses):
        name, hashed, written = key.split("+", 2)
        kind, public = base64.b64decode(written)[0], base64.b64decode(written)[1:]
        for value in (value for named, value in signed if (named, value[:4].hex()) == (name, hashed)):
            if kind == 1 and origin == name and verifies(public, value[4:], text):
                seen.append("the log's key")
            time = int.from_bytes(value[4:12], "big")
            if kind == 4 and verifies(public, value[12:], f"cosignature/v1\ntime {time}\n".encode() + text):
                seen.append(f"{name} at {datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M}")
    if "the log's key" not in seen:
        return "not signed by the log's key: it counts for nothing"
    is_true = size <= len(log.leaves) and root.hex() == root_of(log.leaves[:size])
    need(is_true, f"the log's key signed another history of {size} acts: keep this note")
    return f"{size} acts, signed by {', '.join(seen)}"

# -- the command -------------------------------------------------------------------------------------------

def read_pin(path):
    """A pin as the house writes it: names and values, a list of root keys, perhaps witnesses."""
    text = read(path, MIB).decode()
    found = dict(re.findall(r'^ *(\w+): "?([^"\n]+?)"?$', text, re.M))
    need(len(re.findall(r"^(\w+):", text, re.M)) == len(set(re.findall(r"^(\w+):", text, re.M))), "the pin says something twice")
    need(fits(found.get("root_hash"), "hex") and found["min_size"].isdecimal() and found["threshold"].isdecimal(), "no pin as a house writes it")
    return {"name": found["name"], "min_size": int(found["min_size"]), "threshold": int(found["threshold"]), "root_hash": found["root_hash"],
            "root_keys": re.findall(r"^ *- ([0-9a-f]{64})$", text, re.M), "log": found.get("log", ""), "witnesses": re.findall(r'^ *- "([^\s"+]+\+[0-9a-f]{8}\+[^\s"]+)', text, re.M)}

def verdicts(folder, pin_path, purpose="general_model", model=None, transcript=None, piece=None):
    """Each verdict: what was looked at, whether it holds, and why (not)."""
    def judge(what, check, *about):
        try:
            return what, True, check(*about)
        except Refused as error:
            return what, False, str(error)
        except Exception as error:  # whatever a stranger's bytes bring about is a refusal
            return what, False, f"cannot be read ({type(error).__name__})"
    pin = judge("pin", read_pin, pin_path)
    records = judge("records", Log, folder, pin[2]) if pin[1] else pin
    if not records[1]:
        yield records
        return
    log = records[2]
    yield "records", True, f"{len(log.leaves)} acts of {log.roster.house}, {len(log.works)} works, root {log.head['root']}"
    day = max(datetime.now(UTC).date().isoformat(), log.head["time"][:10])
    counts = log.roster.sealed or day < log.roster.expires
    yield "roster", counts, f"version {log.roster.version}, {f'until {log.roster.expires}' if log.roster.expires else 'sealed'}"
    is_known = purpose.partition(":")[0] in log.roster.policy["purposes"] and (purpose.partition(":")[2] or "root") in (*log.roster.roles, "root")
    yield "purpose", is_known, purpose if is_known else f"the house does not know {purpose!r}"
    notes = [folder / "register.checkpoint", *sorted((folder / "witnesses").glob("*.note"))]
    for path in notes:
        if path.exists():
            yield judge(path.name, check_note, log, path, pin[2]["witnesses"])
    usable, files = 0, [path for path in sorted(folder.glob("*/*.mid")) if path.parent.name not in NOT_WORKS]
    for path in files:
        place = path.relative_to(folder).as_posix()
        what, is_good, why = judge(place, lambda: check_work(log, place, read(path, 4 * MIB), purpose))  # noqa: B023
        usable += is_good and why[1]
        if not is_good:
            yield what, False, why
    yield "works", True, f"{len(files)} files seen, {usable} may be used for {purpose}"
    found = judge(str(model), check_model, log, model) if model else ("", True, (None, None))
    if model:
        yield found[0], found[1], f"left by run {found[2][0]}, whose trainer's word it is what it learned from" if found[1] else found[2]
    if transcript:
        yield judge(str(transcript), check_transcript, log, transcript, found[2][1] if found[1] else None)
    if piece:
        yield judge(str(piece), check_piece, log, piece)

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pin", type=Path, required=True)
    parser.add_argument("--purpose", default="general_model")
    for name in ("model", "transcript", "piece"):
        parser.add_argument(f"--{name}", type=Path)
    given = parser.parse_args()
    found = list(verdicts(given.folder, given.pin, given.purpose, given.model, given.transcript, given.piece))
    for what, is_good, why in found:
        print(f"{'holds  ' if is_good else 'REFUSED'} {what}: {why}".encode("ascii", "backslashreplace").decode())
    raise SystemExit(0 if all(is_good for _, is_good, _ in found) else 2)

if __name__ == "__main__":
    main()

"""Formats that are nobody's own: strict JSON, DSSE, Merkle trees, signed notes, MIDI, safetensors.

What each record holds is in records.txt, a table.
"""

import base64
import json
import os
import re
import stat
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MIB = 1 << 20
TIME = "%Y-%m-%dT%H:%M:%SZ"
LATEST = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()  # more is dated ahead
FIELD, ORDER_8 = 2**255 - 19, 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER = {0, 1, FIELD - 1, ORDER_8, FIELD - ORDER_8}  # y of points for which anybody signs


class Refused(Exception):
    """Something that does not hold, with the reason."""


def need(holds, reason):
    if not holds:
        raise Refused(reason)


# -- JSON of a kind -------------------------------------------------------------------------------
TEXTS, OBJECTS, SIGNERS = {}, {}, {}  # expressions; fields and their kinds; who may sign an act

for row in Path(__file__).with_name("records.txt").read_text("utf-8").splitlines():
    what, name, *words = row.split() if row and row[0] != "#" else ("", "")
    if what == "text":
        TEXTS[name] = " ".join(words)
    if what == "act":
        SIGNERS[name], name = {*words.pop(0).split(",")}, f"do_{name}"
    if what in ("act", "object"):
        fields = (re.fullmatch("(~?[a-zA-Z0-9_]+)[:=](.+)", word) for word in words)
        OBJECTS[name] = dict(field.groups() for field in fields)

OTHERS = {
    "any": lambda value: True,
    "number": lambda value: type(value) is int,
    "flag": lambda value: type(value) is bool,
    "object": lambda value: type(value) is dict,
    "words": lambda value: fits(value, "text") and value.isprintable() and len(value) <= 20_000,
    "time": lambda value: datetime.strptime(value, TIME).strftime(TIME) == value,
    "day": lambda value: date.fromisoformat(value).isoformat() == value,
    "base64": lambda value: base64.b64encode(base64.b64decode(value)).decode() == value,
}


def fits(value, kind, log=None):
    """Whether a value is of a kind, as records.txt spells them."""
    kind, _, where = kind.partition("@")
    if kind[-1] == "?":
        return value is None or fits(value, f"{kind[:-1]}@{where}", log)
    if where:
        named = value if type(value) is list else [value]
        return fits(value, kind) and all(each in getattr(log, where) for each in named)
    if kind[-1] == "+":
        return fits(value, kind[:-1] + "*") and value == sorted(set(value)) != []
    inner, is_list, key = kind.partition("*")
    if is_list:
        are_all = type(value) is list and all(fits(each, inner, log) for each in value)
        return are_all and (not key or is_sorted([each[key] for each in value]))
    least, is_range, most = kind.partition("..")
    if is_range:
        return type(value) is int and int(least) <= value <= int(most)
    if kind in TEXTS:
        return type(value) is str and re.fullmatch(TEXTS[kind], value) is not None
    if kind in OTHERS:
        return OTHERS[kind](value)
    if kind in OBJECTS:
        return has_fields(value, OBJECTS[kind], log)
    return spelled(value) == kind.encode()  # a constant


def has_fields(value, fields, log):
    known = {name.strip("~"): kind for name, kind in fields.items()}
    needed = {name for name in fields if name[0] != "~"}
    is_object = type(value) is dict and needed <= value.keys() <= known.keys()
    return is_object and all(
        (name in needed or each) and fits(each, known[name], log) for name, each in value.items()
    )


def is_sorted(values):
    return values == sorted(set(values))


def spelled(value):
    """Canonical JSON: the one way to write a value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def once(pairs):
    need(len(dict(pairs)) == len(pairs), "a key appears twice")
    return dict(pairs)


def parse(data, kind, *, laid_out=False):
    """JSON of a kind in its one spelling, without fractions; `laid_out` lets spaces pass."""
    need(len(data) <= 4 * MIB, f"the {kind} has {len(data)} bytes")
    value = json.loads(data.decode(), object_pairs_hook=once, parse_float=int, parse_constant=int)
    need(laid_out or spelled(value) == data, f"the {kind} is not in canonical form")
    need(fits(value, kind), f"no {kind} as it is written here")
    return value


# -- files, signatures, the tree ------------------------------------------------------------------
WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)  # some of /proc calls itself a plain file


def read(path, most=4 * MIB):
    found = path.lstat()
    is_plain = stat.S_ISREG(found.st_mode) and found.st_size <= most
    need(is_plain, f"{path.name} is no plain file, or too large")
    with open(path, "rb", opener=lambda name, how: os.open(name, how | WITHOUT_WAITING)) as file:
        data = file.read(found.st_size + 1) or b""
    need(len(data) <= found.st_size, f"{path.name} is no plain file, or grows")
    return data


def digest(data):
    return sha256(data).hexdigest()


def same(first, second, *names):
    return all(first[name] == second[name] for name in names)


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


# -- what lies in files ---------------------------------------------------------------------------
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


def tensors_of(data):
    """The manifest in a safetensors file, and the digest over its tensors."""
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
    text = json.loads(about, object_pairs_hook=once)["manifest"].encode()
    manifest = json.loads(text, object_pairs_hook=once)
    need(spelled(manifest) == text, "its manifest is not canonical")
    return manifest, hashed.hexdigest()


# -- notes and their witnesses --------------------------------------------------------------------
HEADING = r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/=]+)\n(?:[^\n]+\n)*"
NOTE = re.compile(rf"({HEADING})\n((?:\u2014 [^\s+]{{1,200}} [A-Za-z0-9+/=]{{6,}}\n){{1,64}})")


def note_key(log):
    name, public = log["origin"], b"\1" + bytes.fromhex(log["public"])
    hashed = digest(f"{name}\n".encode() + public)[:8]
    return f"{name}+{hashed}+{base64.b64encode(public).decode()}"


def check_note(log, path, witnesses):
    """Whose signatures under a note verify; what the log's key signed has to be true of it."""
    text, origin, size, root, signatures = read_note(path)
    seen = []
    for key in dict.fromkeys([*(note_key(r.log) for r in log.rosters if r.log), *witnesses]):
        name, hashed, written = key.split("+", 2)
        kind, *public = base64.b64decode(written)
        for value in (v[4:] for n, v in signatures if (n, v[:4].hex()) == (name, hashed)):
            time = int.from_bytes(value[:8], "big")
            cosigned = f"cosignature/v1\ntime {time}\n".encode() + text
            if kind == 1 and origin == name and verifies(bytes(public), value, text):
                seen.append("the log's key")
            if kind == 4 and time < 2**63 and verifies(bytes(public), value[8:], cosigned):
                seen.append(f"{name} at {when(time)}")
    if "the log's key" not in seen:
        return "not signed by the log's key: it counts for nothing"
    is_true = size <= len(log.leaves) and root == tree(log.leaves[:size])[1]
    need(is_true, f"the log's key signed another history of {size} acts: keep this note")
    return f"{size} acts, signed by {', '.join(seen)}"


def read_note(path):
    """The signed text of a note, what it says, and who is said to have signed it how."""
    whole = read(path, 65_536).decode()
    found = NOTE.fullmatch(whole)
    need(found and not re.search("[\0-\t\v-\x1f]", whole), "no note of a log")
    text, origin, size, root, below = found.groups()
    lines = [line.split(" ")[1:] for line in below.splitlines()]
    need(all(fits(value, "base64") for value in (root, *(v for _, v in lines))), "no base64")
    root = base64.b64decode(root).hex()
    need(fits(root, "hex"), "no note of a log")
    return text.encode(), origin, int(size), root, [(n, base64.b64decode(v)) for n, v in lines]


def when(time):
    """A witness's time in words; one of its own making may lie outside the calendar."""
    if time >= 253_402_300_800:  # the year 10000
        return f"{time} seconds after 1970"
    said = f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M}"
    return f"{said}, ahead of this clock" if said[:10] > LATEST else said

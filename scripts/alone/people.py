"""Who belongs to a house, with which keys, from when: rosters, and which may follow which."""

from typing import NamedTuple

from alone.formats import digest, is_signed, is_sound, need, spelled

NEVER = float("inf")
ROSTER = "application/vnd.music-house.roster+json"


class Key(NamedTuple):
    """Whose it is, and at which places of the log it may sign: from `first`, before the others."""

    who: str
    public: bytes
    first: int
    end: float
    stolen: float


class Roster:
    def __init__(self, signed):
        self.signed, self.value = signed, signed["roster"]
        people, root = self.value["people"], self.value["root"]
        self.house, self.log, self.policy = map(self.value.get, ("house", "log", "policy"))
        self.identity = self.value.get("identity")  # what is signed for this house names it so
        self.roles = {person["id"]: {*person["roles"]} for person in people}
        self.root = {digest(public): public for public in map(bytes.fromhex, root["keys"])}
        keys = [member_key(person["id"], key) for person in people for key in person["keys"]]
        self.keys = {digest(key.public): key for key in keys}
        publics = [*root["keys"], *(key.public.hex() for key in keys)]
        publics += [self.log["public"]] if self.log else []
        need("root" not in self.roles and all(self.roles.values()), "the roster's people")
        need(1 <= root["threshold"] <= len(root["keys"]), "the roster's threshold")
        need(len(set(publics)) == len(publics), "a key is doubled")
        need(all(map(is_sound, map(bytes.fromhex, publics))), "a key for which anybody can sign")
        need((self.value["expires"] is None) == self.value["sealed"], "only sealed never expires")

    def refusal(self, keyid, index):
        """Why a key may not sign at this index; "" where it may."""
        if keyid in self.root:
            return ""
        if keyid not in self.keys:
            return "unknown"
        key = self.keys[keyid]
        if index >= key.stolen:
            return "revoked"
        return "" if key.first <= index < key.end else "not valid then"

    def check_root(self, signatures, kind, payload):
        ours = [(each, self.root.get(each["keyid"])) for each in signatures]
        good = {e["keyid"] for e, key in ours if key and is_signed(e, key, kind, payload)}
        need(len(good) >= self.value["root"]["threshold"], f"{len(good)} root signatures")

    def signer(self, signature, index, kind, payload):
        """Who made a signature, with a key that may sign at this index."""
        keyid = signature["keyid"]
        key = self.keys.get(keyid, Key("?", b"", 0, 0, 0))
        why = self.refusal(keyid, index)
        need(not why, f"the key {keyid[:12]} of {key.who} is {why}")
        is_theirs = is_signed(signature, key.public, kind, payload)
        need(is_theirs, f"no signature of {key.who} over this")
        return key.who

    def check_after(self, old, index):
        """Whether this version may follow `old`, or be the first, at this index."""
        payload, signatures = spelled(self.value), self.signed["signatures"]
        for roster in (self, old or self):
            roster.check_root(signatures, ROSTER, payload)
        version = old.value["version"] if old else 0
        place = (self.house, self.value["version"], self.value["register_index"])
        due = (old.house if old else self.house, version + 1, index)
        need(place == due, "a roster that is no successor here")
        self.check_names(old)
        known = old.keys if old else {}
        is_new = all(self.keys[key].first >= index for key in self.keys.keys() - known.keys())
        need(is_new, "a new key is dated back")
        for keyid, was in known.items():
            now = self.keys.get(keyid, Key("", b"", 0, 0, 0))
            need(now[:3] == was[:3], f"a key of {was.who} was removed or moved")
            is_fine = may_end(was.end, now.end, index) and may_end(was.stolen, now.stolen, 0)
            need(is_fine, f"when a key of {was.who} ended was changed")
        need(not old or old.roles.keys() <= self.roles.keys(), "a person was removed")
        may_cease = not old or "statements_in_log" not in old.policy.keys() - self.policy.keys()
        need(may_cease, "statements would cease")

    def check_names(self, old):
        """Whether house and log are called as before, or after the root's keys where they begin."""
        identity = f"{self.house}/{digest(''.join(sorted(self.root)).encode())}"
        before = old and old.identity
        need(self.identity in (before or identity, before), "the roster of another house")
        need(self.log or not (old and old.log), "the log's key was dropped")
        origin = old.log["origin"] if old and old.log else identity[: len(self.house) + 17]
        need(not self.log or self.log["origin"] == origin, "the log is called otherwise")


def member_key(who, key):
    ends = [NEVER if key[name] is None else key[name] for name in ("valid_to", "compromised_from")]
    return Key(who, bytes.fromhex(key["public"]), key["valid_from"], *ends)


def may_end(was, now, earliest):
    """An end, once set, is only moved to before; a new one is not before `earliest`."""
    return now <= was and (was < NEVER or now >= earliest)

"""A house's log: each act in order, whether its author may say it, and what follows from it."""

from datetime import UTC, datetime
from hashlib import sha256

from alone.allowed import composers, is_of_one_version, signed
from alone.formats import (
    LATEST,
    SIGNERS,
    Refused,
    digest,
    fits,
    is_signed,
    need,
    note_key,
    parse,
    read,
    same,
    spelled,
    tree,
)
from alone.people import Roster

ACT, HEAD = "application/vnd.music-house.act+json", "application/vnd.music-house.head+json"
STATEMENT = "application/vnd.in-toto+json"


class Log:
    """What a house's acts amount to.

    works: by id: `entries` by index, the last `entry` at `index`, the act that took it `out`, and
    acts in which composers `said` something of it. live: ids of those in the house. runs: by index:
    what its begin `said`, its `end`, the `models` that it left, its `acts`. outputs: by receipt.
    """

    def __init__(self, folder, pin):
        self.works, self.live, self.taken, self.rosters, self.leaves = {}, set(), set(), [], []
        self.runs, self.outputs, self.complaints, self.roster = {}, {}, set(), None
        self.acts = {"approve": [], "retire": []}
        file = parse(read(folder / "register.head.json").rstrip(b"\n"), "head")
        self.head = file["head"]
        is_ours = (self.head["house"], self.head["log"]) == (pin["name"], "register")
        need(is_ours and self.head["size"] >= pin["min_size"], "another log, or older than the pin")
        for index, line in enumerate(self.lines(folder)):
            try:
                self.take(index, line)
            except Refused as error:
                raise Refused(f"act {index}: {error}") from error
            if index + 1 == pin["min_size"]:
                self.check_pin(pin)
        need((file["frontier"], self.head["root"]) == tree(self.leaves), "lines and head differ")
        self.check_head(file["signatures"])
        roster = parse(read(folder / "roster.json"), "signed", laid_out=True)
        need(roster == self.roster.signed, "roster.json is not the roster that the log ends with")
        self.day = max(datetime.now(UTC).date().isoformat(), self.head["time"][:10])

    def lines(self, folder):
        data, end = read(folder / "register.jsonl", 4 << 30), self.head["bytes"]
        *lines, rest = data[:end].split(b"\n")
        is_whole = (len(lines), rest) == (self.head["size"], b"") and len(data) >= end >= 0
        need(is_whole, "lines and head differ")
        return lines

    def check_pin(self, pin):
        found = (self.roster.house, self.roster.value["root"]["threshold"], set(self.roster.root))
        need(tree(self.leaves)[1] == pin["root_hash"], "another history than the pinned one")
        need(found == (pin["name"], pin["threshold"], set(pin["root_keys"])), "other root keys")
        is_log = pin["log"] in ("", self.roster.log and note_key(self.roster.log))
        need(is_log, "another log's key than the pinned one")

    def check_head(self, signatures):
        """Whether a root key signed it, or who may sign at the last index."""
        need(len(signatures) == 1 and self.head["time"][:10] <= LATEST, "the head's time")
        signature, payload, last = signatures[0], spelled(self.head), self.head["size"] - 1
        is_new = self.roster.value["register_index"] == last  # who replaced the root signs it
        for roster in self.rosters[-2 if is_new else -1 :]:
            public = roster.root.get(signature["keyid"])
            if public and is_signed(signature, public, HEAD, payload):
                return
        self.roster.signer(signature, last, HEAD, payload)

    def take(self, index, line):
        """Take in one more act, once all holds that has to: records.txt, docs/format.md, "Log"."""
        act = parse(line, "act")
        kind = act["act"]
        need(act["index"] == index and act["time"][:10] <= LATEST, "another index, or dated ahead")
        need(self.roster or kind == "key", "a log begins with a roster")
        need(not self.roster or not self.roster.value["sealed"], "the house was sealed before")
        is_so = kind in SIGNERS and fits(act["data"], f"do_{kind}", self)
        need(is_so, f"no {kind} as it has to be")
        self.check_right(act)
        follows = getattr(self, f"take_{kind}", None)
        if follows:
            follows(act, act["data"])
        self.leaves.append(sha256(b"\0" + line).digest())

    def check_right(self, act):
        """Whether its author may do such an act, and signed it for this house."""
        kind, by = act["act"], act["by"]
        is_ours = act.get("house") == (self.roster.identity if kind != "key" else None)
        need(is_ours, "signed for another house, or for none")
        payload = spelled({name: act[name] for name in act if name != "signatures"})
        if by == "root" and "root" in SIGNERS[kind]:
            self.roster.check_root(act["signatures"], ACT, payload)
        elif kind != "key":
            roles = self.roles_for(act)
            need(roles & self.roster.roles.get(by, set()), f"{by!r:.60} may do no {kind}")
            signers = [self.roster.signer(s, act["index"], ACT, payload) for s in act["signatures"]]
            need(signers == [by], "not signed by its author alone")

    def roles_for(self, act):
        """One of which its author has to have."""
        roles, data = SIGNERS[act["act"]], act["data"]
        if "author" in roles:
            entries = [self.works[w]["entry"] for w in data.get("works") or [data["work"]]]
            is_author = all(act["by"] in composers(entry) for entry in entries)
            return {"composer"} if is_author else roles - {"author"}
        return roles

    # -- what follows, kind by kind ---------------------------------------------------------------
    def take_key(self, act, data):
        roster = Roster(data["signed"])
        roster.check_after(self.roster, act["index"])
        self.roster = roster
        self.rosters.append(roster)

    def take_add(self, act, data):
        self.enter(act, data)

    def take_adopt(self, act, data):
        for entry in data["works"]:
            self.enter(act, entry)

    def take_consent(self, act, data):
        self.works[data["work"]]["said"].append(act)

    take_terms = take_consent

    def take_withdraw(self, act, data):
        record = self.works[data["work"]]
        is_it = same(data, record["entry"], "music_sha256", "musical_hash")
        need(is_it, "it withdraws other music")
        record["out"] = act
        self.live.remove(data["work"])

    def take_begin(self, act, data):
        settings = data.get("settings")
        is_it = settings is None or digest(settings.encode()) == data["settings_sha256"]
        need(is_it, "its settings are not those of their digest")
        once = {work for work in data["works"] if is_of_one_version(self.works[work])}
        for run in self.runs.values():
            is_first = not run["models"] or run["said"]["purpose"] != data["purpose"]
            need(is_first or not once & {*run["said"]["works"]}, "terms for one version alone")
        self.runs[act["index"]] = {"said": data, "models": [], "acts": [act]}

    def take_end(self, act, data):
        run = self.runs[data["begin"]]
        is_its = run["acts"][-1]["act"] == "begin" and run["acts"][0]["by"] == act["by"]
        need(is_its, "no run that this trainer could end")
        run["acts"].append(act)
        run["models"] = data["models"]

    def take_model(self, act, data):
        self.runs[act["index"]] = {"said": data, "models": [data["model"]], "acts": [act]}

    def take_output(self, act, data):
        is_left = data["checkpoint_sha256"] in self.left_by(data["run"])
        need(is_left, "its run left no such checkpoint")
        self.outputs.setdefault(data["receipt_sha256"], act)

    def take_approve(self, act, data):
        piece = self.outputs.get(data["receipt"], {"data": {"run": None}})["data"]
        need(not data["receipt"] or piece["run"] == data["run"], "the run wrote no such piece")
        self.acts["approve"].append(act)

    def take_retire(self, act, data):
        need({*data["models"]} <= self.left_by(data["run"]), "its run left no such models")
        self.acts["retire"].append(act)

    def take_complain(self, act, data):
        self.complaints.add(act["index"])

    def left_by(self, run):
        """SHA-256 of the models that a run left."""
        return {model["file_sha256"] for model in self.runs[run]["models"]}

    def enter(self, act, entry):
        """Enter a work, for the first time, or again where a key turned out to be stolen."""
        work, names = (
            entry["work"],
            {(n, entry[n]) for n in ("music_sha256", "musical_hash", "path")},
        )
        self.check_entry(act, entry)
        record = self.works.get(work)
        if record:
            is_same = same(record["entry"], entry, "music_sha256", "path")
            need(is_same and self.is_stale(record), f"{work} was entered before")
        else:
            need(not names & self.taken, f"{work} has the music or the place of another")
            record = self.works[work] = {"said": [], "entries": {}}
        record["entries"][act["index"]] = entry
        record |= {"entry": entry, "index": act["index"], "out": None}
        self.taken |= names
        self.live.add(work)

    def check_entry(self, act, entry):
        """Whether two people signed for a work, as far as the log has what they signed."""
        need(len(entry["keyids"]) == 2, "two people sign a work")
        if "signed" not in entry:
            need("statements_in_log" not in self.roster.policy, "entered without its statement")
            return
        curator = check_statement(entry["signed"], self.roster, act["index"], entry)
        predicate = entry["signed"]["statement"]["predicate"]
        need(entry["title"] == predicate["description"].get("title", ""), "under another title")
        is_its = (curator, predicate.get("house")) == (act["by"], self.roster.identity)
        need(is_its or act["act"] == "adopt", "accepted by another, or signed for another house")

    def is_stale(self, record):
        """Whether a key under a work, or under its withdrawal, turned out to be stolen by then."""
        signs = [(keyid, record["index"]) for keyid in record["entry"]["keyids"]]
        signs = signed(record["out"])[:1] if record["out"] else signs
        return any(self.roster.refusal(*each) == "revoked" for each in signs)


def check_statement(signed, roster, index, entry):
    """The curator, if composer and curator signed what an entry says."""
    statement, predicate = signed["statement"], signed["statement"]["predicate"]
    names, shares = composers(predicate), [each["share"] for each in predicate["composers"]]
    is_whole = sum(shares) == 100 and min(shares) >= 1 and len(set(names)) == len(names)
    need(is_whole, "its composers' shares")
    is_human = predicate["statements"]["no_generative_model"]
    need(is_human != (predicate["method"] == "machine"), "method and statement of origin differ")
    need(is_human or "takes_machine_written" in roster.policy, "a machine wrote it")
    payload = spelled(statement)
    signers = [roster.signer(each, index, STATEMENT, payload) for each in signed["signatures"]]
    need(len(signers) == 2 and signers[0] in names, "no composer and curator signed it")
    are_ours = all("composer" in roster.roles.get(who, ()) for who in names)
    need(are_ours, "its composers are none of the house")
    curates = "curator" in roster.roles[signers[1]] and signers[1] not in names
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
    return signers[1]

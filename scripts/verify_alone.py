"""Checks what a music house says of itself, with nothing of the house's own software.

    python verify_alone.py FOLDER --pin PIN [--model FILE] [--transcript FILE] [--piece FILE]

FOLDER is a house, or a copy of its records (`house.py export`). PIN says whom you trust: take it
from the house's people, not from FOLDER. Each line of the answer is a verdict with its reason;
exit 0 means that all hold, 2 that one does not.

This file says what is looked at, and judges works, models, transcripts and pieces. The folder
`alone` beside it has the rest, to be read in this order: records.txt, what each record holds and
who may sign it; formats.py, what is nobody's own; people.py, rosters; log.py, acts; allowed.py,
consent and terms. docs/format.md explains every byte. Nothing here judges music (whether a file is
well-formed MIDI, sounds as its tag says, or is like another), or trains a model anew. Needs Python
3.11 and `cryptography`.
"""

import argparse
import base64
import json
import os
import re
import sys
from pathlib import Path

from alone.allowed import is_allowed, is_stolen, signed, writes
from alone.formats import (
    MIB,
    Refused,
    check_note,
    digest,
    is_sorted,
    need,
    parse,
    read,
    same,
    spelled,
    split,
    tensors_of,
    tree,
)
from alone.log import Log, check_statement

RECEIPT = "application/vnd.music-house.receipt+json"
NOT_WORKS = {"inbox", "screening", "rejected", "withdrawn", "witnesses", "complaints"}
NOT_WORKS |= {".journal", ".names"}


# -- works ----------------------------------------------------------------------------------------
def check_work(log, place, path, purpose):
    """Whether a file is the work that the log has in this place; and whether it may be used."""
    data = read(path)
    music, after = split(data)
    need([kind for kind, _ in after] == [b"HPRV"], "not exactly one tag after the last track")
    tag = parse(after[0][1], "tag")
    statement = parse(base64.b64decode(tag["payload"]), "statement")
    work = statement["predicate"]["work"]
    need(work in log.live, f"{work!r:.90} is not in the house")
    record, entry = log.works[work], log.works[work]["entry"]
    found = {"path": place, "file_sha256": digest(data), "music_sha256": digest(music)}
    need(found.items() <= entry.items(), "not the file that was entered here")
    tagged = {"signatures": tag["signatures"], "statement": statement}
    check_statement(tagged, log.roster, record["index"], entry)
    for act in log.outputs.values():
        is_before = act["index"] < min(record["entries"])
        is_ours = is_before and same(act["data"], entry, "musical_hash")
        is_ours = is_ours and not log.roster.refusal(*signed(act)[0])
        need(not is_ours, "a model of this house wrote it before")
    return is_allowed(log, record, purpose)


# -- models ---------------------------------------------------------------------------------------
def check_model(log, path):
    """The run behind a model's file, when the log has it as the file says; what it began with."""
    data = read(path, 64 << 30)
    manifest, tensors = tensors_of(data)
    run, began = check_manifest(log, digest(data), tensors, manifest)
    works, behind = [], manifest
    while behind:  # terms of works behind what it began with hold for it, too
        if behind["house"] == log.roster.house:
            works += [work["work"] for work in behind["works"]]
        began += foreign_code(behind)
        behind = behind.get("base", {}).get("manifest")
    return run, tensors, f"; {writes(log, run, digest(data), works)}{began}"


def check_manifest(log, file, tensors, manifest):
    """The run that left a file with this manifest, and in words what is for other logs to say."""
    mine = {"file_sha256": file, "tensors_sha256": tensors}.items()
    runs = [
        index
        for index, run in log.runs.items()
        if any(mine <= model.items() for model in run["models"])
        and not any(is_stolen(log, act) for act in run["acts"] if act["by"] != "root")
    ]
    need(runs, "no run in the log left this file, or its key was stolen by then")
    run, said = runs[0], log.runs[runs[0]]["said"]
    need(digest(spelled(manifest)) == said["manifest_sha256"], "the log names another manifest")
    works, size, root = manifest["works"], *map(manifest["register"].get, ("size", "root"))
    found = (manifest["house"], manifest["purpose"], [work["work"] for work in works])
    need(found == (log.roster.house, said["purpose"], said["works"]), "of another house or purpose")
    need(0 < size <= run, "it was trained before its works were entered")
    need(tree(log.leaves[:size])[1] == root, "the log was another then")
    for work in works:
        check_learned(log, work, said["purpose"])
    return run, check_base(log, run, said, manifest.get("base"))


def check_learned(log, learned, purpose):
    """Whether a work of a manifest is in the log as the manifest says, and may still be used so."""
    work = learned["work"]
    need(work in log.live, f"{work!r:.90} is not in the house")
    record = log.works[work]
    entry = record["entries"].get(learned["register_index"])
    is_it = entry and same(entry, learned, "musical_hash", "composers")
    is_it = is_it and entry["music_sha256"] == learned["sha256"] == record["entry"]["music_sha256"]
    need(is_it, f"{work}: not as it was entered")
    need(is_allowed(log, record, purpose), f"{work}: may no longer be used so")


def check_base(log, run, said, base):
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
    is_known = log.runs[earlier]["acts"][-1]["index"] < run
    need(is_known, "it began with a model that the log did not name yet")
    return f"{words}, left by run {earlier}{further}"


def foreign_code(manifest):
    """What else than the project's own code was called in training, in words."""
    form = "; trained with {kind} {name} of {distribution} {version} ({sha256})"
    words = [form.format(**each) for each in manifest.get("plugins", [])]
    form = "; trained with callback {}, which no record holds"
    return "".join(words + [form.format(name) for name in manifest.get("callbacks_given", [])])


def check_transcript(log, path, tensors):
    """Whether the log names this chain of marks; with a model, whether it ends in its weights."""
    *lines, rest = read(path, 64 * MIB).split(b"\n")
    first, *marks = map(json.loads, lines)
    steps = [mark["step"] for mark in marks]
    is_chain = [mark["previous"] for mark in marks] == [digest(line) for line in lines[:-1]]
    need(is_chain and rest == b"" and is_sorted(steps) and steps[0] == 0, "its marks are no chain")
    runs = [run for run in log.runs if ends_with(log.runs[run], digest(lines[-1]))]
    need(runs, "no run in the log ended with it")
    said = {k: v for k, v in log.runs[runs[0]]["said"].items() if k not in ("name", "continues")}
    need(digest(spelled(said)) == first["begin_sha256"], "it began with another run")
    need(tensors in (None, marks[-1]["weights_sha256"]), "the model is not what it ends with")
    return f"run {runs[0]}: {len(steps) - 1} segments, chained from its begin to its end"


def ends_with(run, root):
    return run["acts"][-1]["data"].get("transcript_sha256") == root


# -- pieces ---------------------------------------------------------------------------------------
def check_piece(log, path):
    """Whether the log has a marked piece, and the receipt beside it."""
    data, beside = read(path), path.with_suffix(".json")
    acts = [act for act in log.outputs.values() if act["data"]["sha256"] == digest(data)]
    need(acts, "the log has no such piece, or it was changed since")
    act, named = acts[0], acts[0]["data"]["receipt_sha256"]
    mark = spelled({"format": 1, "generated": True, "receipt_sha256": named})
    text = f"Machine-generated music. Receipt SHA-256: {named}".encode()
    is_marked = split(data)[1][-1:] == [(b"HGEN", mark)] and text in data
    need(is_marked, "it does not carry the marks of its receipt")
    is_sound = not log.roster.refusal(*signed(act)[0])
    need(is_sound, "it was entered with a key that was stolen by then")
    words = f"act {act['index']}: written by a model of run {act['data']['run']}"
    if not beside.exists():
        return words
    receipt, envelope = read(beside), beside.with_suffix(".signature.json")
    need(digest(receipt) == named, "the receipt beside it is another")
    signer = signer_of(log, envelope, receipt) if envelope.exists() else ""
    return f"{words}, its receipt beside it{signer}"


def signer_of(log, path, receipt):
    envelope = parse(read(path).removesuffix(b"\n"), "receipt")
    need(base64.b64decode(envelope["payload"]) == receipt, "another receipt was signed")
    signature = envelope["signatures"][0]
    return f", signed by {log.roster.signer(signature, len(log.leaves), RECEIPT, receipt)}"


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
    named = [{key.split("+", 2)[part] for key in pin["witnesses"]} for part in (0, 2)]
    is_once = len(named[0]) == len(named[1]) == len(pin["witnesses"])
    need(is_once, "the pin names a witness, or a witness's key, twice")
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
    log = found[2]
    yield from about(log, purpose)
    for path in (folder / "register.checkpoint", *sorted(folder.glob("witnesses/*.note"))):
        if path.exists():
            yield judge(path.name, check_note, log, path, trusted[2]["witnesses"])
    yield from judge_works(log, folder, purpose)
    tensors = None
    if model:
        what, is_good, found = judge(str(model), check_model, log, model)
        if is_good:
            run, tensors, words = found
            is_asserted = log.runs[run]["acts"][0]["act"] == "model"
            who = "the root that asserts it" if is_asserted else "its trainer"
            found = f"left by run {run}, what it learned from is the word of {who}{words}"
        yield what, is_good, found
    if transcript:
        yield judge(str(transcript), check_transcript, log, transcript, tensors)
    if piece:
        yield judge(str(piece), check_piece, log, piece)


def about(log, purpose):
    """Verdicts on the log as a whole, which holds."""
    roster, policy, root = log.roster.value, log.roster.policy, log.head["root"]
    words = f"{len(log.leaves)} acts of {log.roster.house}, {len(log.works)} works, root {root}"
    yield "records", True, words
    expires = roster["expires"] or "never"
    yield "roster", log.day < expires, f"version {roster['version']}, expires {expires}"
    if "models" in roster:  # for the PEM file that model_signing takes
        yield "key of models", True, roster["models"]["public"]
    kind, _, artist = purpose.partition(":")
    is_known = kind in policy["purposes"] and artist in ("", "root", *log.roster.roles)
    yield "purpose", is_known, purpose


def judge_works(log, folder, purpose):
    """A verdict for each file that is refused, and one for all."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.glob("*/*.mid"))}
    files = {place: files[place] for place in files if place.split("/")[0] not in NOT_WORKS}
    works = [judge(place, check_work, log, place, path, purpose) for place, path in files.items()]
    yield from (verdict for verdict in works if not verdict[1])
    usable = sum(is_good and may_be_used for _, is_good, may_be_used in works)
    words = (
        f"{len(files)} files seen, {usable} may be used for {purpose}; {len(log.live)} in the log"
    )
    unsigned = sum("signed" not in log.works[work]["entry"] for work in log.live)
    if unsigned:  # by houses from before statements were in the log
        words += f"; what was signed of {unsigned} is in their files alone"
    yield "works", True, words


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pin", type=Path, required=True)
    parser.add_argument("--purpose", default="general_model")
    for name in ("--model", "--transcript", "--piece"):
        parser.add_argument(name, type=Path)
    found = list(verdicts(**vars(parser.parse_args())))
    try:
        for what, is_good, why in found:
            words = f"{'holds  ' if is_good else 'REFUSED'} {what}: {why}"
            print(words.encode("unicode_escape").decode())  # one line, whatever a file is called
        print(end="", flush=True)
    except OSError as error:  # a full disk: what was not said was not verified
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        print(f"REFUSED output: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    raise SystemExit(0 if all(is_good for _, is_good, _ in found) else 2)


if __name__ == "__main__":
    main()

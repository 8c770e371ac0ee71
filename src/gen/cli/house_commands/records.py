"""Judging the house's records: audit, verify."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.cli.house_commands.common import REFUSED, Console, house_command
from gen.errors import HouseError, counted, found_in

if TYPE_CHECKING:
    from gen.provenance.admission.corpus import Corpus
    from gen.provenance.history.register import Register
    from gen.provenance.history.runs import Run
    from gen.provenance.houses.house import House
    from gen.provenance.manifests.manifest import Manifest
    from gen.provenance.manifests.model_file import ModelFile
    from gen.provenance.records.transcript import Transcript
    from gen.provenance.witnesses.standing import Standing


@house_command
@click.option(
    "--purpose",
    default="general_model",
    show_default=True,
    help="What the works would be used for.",
)
def audit_command(*, output: Console, purpose: str) -> None:
    """Judge every file in the house, exactly as the training loader does.

    Exits 0 when every file is admitted or left out by right, 2 when one is refused or missing.
    """
    from gen.provenance.admission.gate import admit
    from gen.provenance.houses.store import ADMIN_FOLDERS

    house = output.open_house()
    files = house.folder.glob("*/*.mid")
    count = sum(path.parent.name not in ADMIN_FOLDERS for path in files)
    with output.progress("judging", count) as advance:
        corpus = admit(house.folder, purpose, pin=house.pin, receive=lambda *_: advance(1))
    problems = [*corpus.refused, *corpus.missing]
    for refusal in problems:
        for line in str(refusal).split("\n"):
            output.line(line)
    _show_corpus(corpus, output)
    output.result(
        admitted=[work.work_id for work in corpus.admitted],
        not_consented=[work.work_id for work in corpus.not_consented],
        refused=[
            {"found": r.found, "mend": r.mend, "path": r.path, "rule": r.rule} for r in problems
        ],
        seen=len(corpus),
        purpose=purpose,
        house=corpus.house_name,
        register={"root": corpus.register_head.root, "size": corpus.register_head.size},
        roster_version=corpus.roster_version,
    )
    if problems:
        raise SystemExit(REFUSED)


def _show_corpus(corpus: Corpus, output: Console) -> None:
    composers = Counter(who for work in corpus.admitted for who, _ in work.composers)
    by = ", ".join(f"{who} {count}" for who, count in composers.most_common())
    output.line(
        f"{len(corpus)} files seen: {len(corpus.admitted)} admitted for {corpus.purpose}, "
        f"{len(corpus.not_consented)} not consented, {len(corpus.refused)} refused; "
        f"{len(corpus.missing)} missing"
    )
    output.line(f"composers: {by or 'none'}")
    head = corpus.register_head
    output.line(
        f"register of {corpus.house_name}: {head.size} acts, root {head.root}, "
        f"roster version {corpus.roster_version}"
    )


@house_command
@click.option(
    "--proof",
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE",
    help="Check this proof instead, against the pin.",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE",
    help="Check this model instead: its file, its run and the works behind it.",
)
@click.option(
    "--base-pin",
    "pins",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    metavar="FILE",
    help="With --checkpoint: the pin of another house, whose model that one began with.",
)
@click.option("--repair", is_flag=True, help="Write roster.json anew from the verified register.")
def verify_command(
    *, output: Console, proof: Path | None, checkpoint: Path | None, pins: tuple[Path, ...],
    repair: bool,
) -> None:  # fmt: skip
    """Verify the register: every act and its signature, the rosters, the head, the pin.

    It says which witnesses have seen this head, and since when any act was seen outside the house.
    It reads records only; `audit` judges the works themselves. With --checkpoint it says what it
    read, what it worked out and what it only believes of a model, and exits 2 when no run in the
    log left the file, or a work behind it was withdrawn or may no longer be used so.
    """
    from gen.provenance.witnesses.standing import read_notes, standing_of

    house = output.open_house()
    if proof is not None:
        _verify_proof(house, proof, output)
        return
    if checkpoint is not None:
        _verify_checkpoint(house, checkpoint, output, pins)
        return
    if repair:
        house.repair_roster_file()
        output.line("roster.json was written anew from the register")
    notes = read_notes(house)  # before the register, so that none is of a later head
    register = house.load(anew=True)
    standing = standing_of(house, register, notes)
    head, again, warned = house.register_log.head(), written_again(register), warnings(register)
    leftover = house.register_log.byte_count() - head.byte_count
    output.line(
        f"{house.pin.name}: {register.size} acts and {len(register.rosters)} rosters verify, "
        f"root {head.root}"
    )
    output.line(f"the pin holds: {house.pin.min_size} acts, root {house.pin.root_hash}")
    for line in [*_contents(register, again), *_witnessed(register, standing)]:
        output.line(line)
    if leftover:
        output.line(
            f"{leftover} bytes of an interrupted append follow the register; "
            "they count for nothing and the next append overwrites them"
        )
    for warning in warned:
        output.line(warning)
    output.result(
        house=house.pin.name,
        size=register.size,
        root=head.root,
        roster_version=register.roster.version,
        runs=len(register.runs.by_index),
        outputs=len(register.runs.pieces),
        leftover_bytes=leftover,
        written_again=again,
        witnesses=sorted({s.witness for s in standing.found if s.size == register.size}),
        first_seen=standing.first_seen(),
        warnings=warned,
    )


def _witnessed(register: Register, standing: Standing) -> list[str]:
    """Who outside has seen the log, and when."""
    if register.roster.log is None:
        return [
            "the log has no key of its own, so that nobody outside can witness it "
            "(house.py rotate --log-key)"
        ]
    return standing.lines(int(time.time()))


def _contents(register: Register, again: list[str]) -> list[str]:
    """What of it is said in words: runs, pieces, works from before statements were in the log.

    `again` are those of `written_again`.
    """
    runs = list(register.runs.by_index.values())
    open_runs = sum(run.ended_at is None and not run.is_asserted for run in runs)
    asserted = sum(run.is_asserted for run in runs)
    lines = [
        f"{counted(len(runs) - asserted, 'run')} ({open_runs} without an end), "
        f"{counted(asserted, 'asserted model')}, "
        f"{counted(len(register.runs.pieces), 'generated piece')}"
    ]
    older = sum(not record.statement_in_log for record in register.works.values())
    if older:
        lines.append(
            f"{counted(older, 'work')} entered before acts carried what the composer signed: "
            "the composer's signature is in the file alone (house.py audit)"
        )
    if again:
        lines.append(
            f"{counted(len(again), 'work')} that a model wrote note for note after they were "
            f"entered (a copy, or a piece that came home first): {', '.join(again)}"
        )
    if named := sum(map(bool, map(register.only_named, register.live_works()))):
        lines.append(
            f"{counted(named, 'work')} with composers who are named and have not signed: "
            "house.py show WORK"
        )
    return lines


def written_again(register: Register) -> list[str]:
    """Works that a model of the house wrote note for note after they were entered, sorted."""
    return sorted(
        record.entry.work
        for record in register.live_works()
        if register.wrote(record.entry.musical_hash)
        and not register.wrote(record.entry.musical_hash, before=record.first_index)
    )


def _verify_proof(house: House, path: Path, output: Console) -> None:
    from gen.disk.reading import PROOF, read
    from gen.provenance.houses.proofs import check_proof
    from gen.provenance.signing.canonical import strict_json
    from gen.provenance.witnesses.tlog_proof import FIRST_LINE, check_tlog_proof

    data = read(path, PROOF)
    with found_in(path, PROOF.mend):
        if data.startswith(FIRST_LINE):
            index, line, proved = check_tlog_proof(data, house.pin)
            output.line(f"act {index}: {line.decode('utf-8', 'replace')}")
        else:
            proved = check_proof(strict_json(data), house.pin)
    output.line(f"proved: {proved}")
    output.result(proved=proved)


@dataclass(frozen=True, slots=True)
class _BeganWith:
    """What is to be said of the models whose weights a model began with.

    Attributes:
        lines: what was found, and what only another house's log can say.
        problems: what does not hold.
    """

    lines: list[str]
    problems: list[str]


def _began_with(file: ModelFile, register: Register, pins: Sequence[Path]) -> _BeganWith:
    """Hold the models behind a model against the logs of their houses, as far as pins name them."""
    from gen.provenance.houses.house import House
    from gen.provenance.manifests.recorded import file_of, run_behind
    from gen.provenance.records.pin import by_name, load_pin

    found = _BeganWith([], [])
    others = by_name(map(load_pin, pins))
    registers = {name: House(pin).load() for name, pin in others.items()}
    for base in file.manifest.bases:
        manifest = base.manifest
        whose = f"weights {base.tensors_sha256[:12]}…, from {counted(len(manifest.works), 'work')}"
        words = f"it began with {whose} of {manifest.house} for {manifest.purpose}"
        if manifest.house == register.roster.house:
            found.lines.append(f"recomputed: {words}, all of them in this log")
        elif (other := registers.get(manifest.house)) is None:
            found.lines.append(
                f"only believed: {words}, a house that nothing here vouches for: name its pin with "
                "--base-pin FILE"
            )
        else:
            try:
                run = run_behind(file_of(base), other)
            except HouseError as error:
                found.problems.append(f"of the model that it began with: {error.what}")
                continue
            found.lines.append(f"recomputed: {words}; {run} of {manifest.house} left them")
            problems = manifest.problems(other, other.today())
            found.problems.extend(f"{manifest.house}: {problem}" for problem in problems)
    return found


def _verify_checkpoint(house: House, path: Path, output: Console, pins: Sequence[Path]) -> None:
    from gen.provenance.manifests.model_file import read_model_file
    from gen.provenance.manifests.recorded import NotRecorded, run_behind, transcript_of
    from gen.provenance.witnesses.standing import read_notes, standing_of

    file = read_model_file(path)
    notes = read_notes(house)
    manifest, register = file.manifest, house.load(anew=True)
    problems = manifest.problems(register, register.today())
    run = transcript = None
    try:
        run = run_behind(file, register)
        transcript = transcript_of(run, file, path)
    except HouseError as error:
        run = None if isinstance(error, NotRecorded) else run
        problems = [error.what, *problems]
    output.line(f"read: {path}, SHA-256 {file.file_sha256}; its tensors {file.tensors_sha256}")
    standing = standing_of(house, register, notes)
    for line in [*_standing_of(run, register, transcript), *_seen_before(run, manifest, standing)]:
        output.line(line)
    began = _began_with(file, register, pins)
    problems = [*problems, *began.problems]
    for line in began.lines:
        output.line(line)
    for words in _foreign_code(manifest):
        output.line(words)
    for one in manifest.refused:
        output.line(f"trained without a refused file (on_refusal=record): {one.path} ({one.rule})")
    for problem in problems:
        output.line(problem)
    output.line(
        f"{path} says that it learned from {counted(len(manifest.works), 'work')} of "
        f"{manifest.house} for {manifest.purpose}: {len(problems) or 'nothing'} to be looked at"
    )
    output.result(
        file=file.file_sha256,
        tensors=file.tensors_sha256,
        run=run.index if run else None,
        is_asserted=run.is_asserted if run else None,
        manifest=manifest.digest,
        transcript=transcript.root if transcript else None,
        began_with=manifest.bases_named(),
        foreign_code=manifest.foreign_code,
        problems=problems,
        purpose=manifest.purpose,
        refused=[each.to_dict() for each in manifest.refused],
        works=[work.work for work in manifest.works],
    )
    if problems:
        raise SystemExit(REFUSED)


def _foreign_code(manifest: Manifest) -> list[str]:
    """What else than this project's code a model was trained with, and what follows from it."""
    from gen.plugins import state_here

    if not manifest.foreign_code:
        return []
    here = {str(plugin): state_here(plugin) for plugin in manifest.plugins}
    lines = [
        f"trained with {words}" + (f": {here[words]}" if words in here else "")
        for words in manifest.foreign_code
    ]
    return [
        *lines,
        "such code ran inside the run and could have fed it anything: only a rebuild with the same "
        "code, read by somebody, shows that it did not",
    ]


def _seen_before(run: Run | None, manifest: Manifest, standing: Standing) -> list[str]:
    """When witnesses had seen the acts that a model learned from, beside when its run began."""
    from gen.provenance.records.witness_policy import first_seen, spelled

    if run is None or not standing.policy.witnesses:
        return []
    size = manifest.register.size
    seen = spelled(first_seen(standing.times(), size - 1)) or "not yet"
    return [
        f"witnessed: the {size} acts that it learned from were seen outside the house by: {seen}; "
        f"its run says that it began at {run.time}"
    ]


def _standing_of(run: Run | None, register: Register, transcript: Transcript | None) -> list[str]:
    """What was worked out of a model, and what is only believed."""
    acts = f"recomputed: {register.size} acts with every signature, and the head over them"
    if run is None:
        return [acts, "believed: nothing that it says of itself"]
    known = f"recomputed: {run} left this very file; manifest, purpose, composers, log as it says"
    if run.is_asserted:
        from gen.provenance.records.run_acts import ASSERTED

        return [acts, known, f"only believed: that it learned from these works: {ASSERTED}"]
    who = f"the word of {run.by}, whose key signed begin (act {run.index}) and end ({run.ended_at})"
    believed = f"only believed: that its weights came of these works: {who}"
    return [acts, known, *_of_transcript(run, transcript), believed]


def _of_transcript(run: Run, transcript: Transcript | None) -> list[str]:
    """What there is to hold a replay against."""
    if not run.transcript:
        return ["the run kept no transcript: it can be replayed as a whole alone"]
    if transcript is None:
        return [f"no transcript lies beside it; the log names one, {run.transcript[:12]}…"]
    return [
        f"recomputed: the chain of its transcript, {counted(transcript.segments, 'segment')}, from "
        f"the begin act to the root {transcript.root[:12]}… that the end act names; house.py "
        "rebuild replays them, nothing here did"
    ]


def warnings(register: Register) -> list[str]:
    from gen.provenance.desk.people import expires_soon

    roster = register.roster
    if roster.has_expired(register.today()):
        return [f"the roster expired on {roster.expires}: house.py rotate --renew"]
    if expires_soon(roster, register.today()):
        return [f"the roster expires on {roster.expires}: house.py rotate --renew"]
    return []

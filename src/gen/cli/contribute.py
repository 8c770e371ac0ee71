"""Contribute works to the house: check, normalise, compare, describe and sign MIDI files.

    python scripts/contribute.py rain.mid --composer ana
    python scripts/contribute.py back_catalogue/ --composer ana --sidecar works.csv
    python scripts/contribute.py back_catalogue/ --composer ana --metadata works.csv --yes

Each file is read in a process of its own, made strict (every change is shown), compared with
what the house knows, and signed with your key; it then waits for a curator. A folder is taken
whole; a second run goes on where the first one stopped. By signing you state that nothing in
the work is a third party's and (but for --method machine) that no generative model wrote any
of it.

The CSV sidecar has one row a file (--sidecar writes a first one, to be corrected): file,title,
composers,method,genre,mood,key,chords,sections,roles,consent,contract ("ana:60 ben:40",
"main_melody bass drums", "general_model evaluation").
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen.cli.house_commands.common import Output, counted

if TYPE_CHECKING:
    from gen.contribution import Facts, Job, Outcome, Settings
    from gen.provenance.house import House
    from gen.provenance.keys import KeyFile, PrivateKey
    from gen.provenance.register import Register

SUFFIXES = (".mid", ".midi", ".smf", ".rmi", ".kar")
FACTS = ("title", "composers", "method", "genre", "mood", "key", "chords", "sections", "roles",
         "consent", "contract")  # fmt: skip
WITH_ROW = ("checked", "needs review")
"""Outcomes of a check that a sidecar describes: the house has the others, or will not take them."""
STATEMENT = (
    "By signing you state that nothing in the work is a third party's material and, unless its "
    "method is 'machine', that no generative model wrote any of it."
)


def _fact_options(command: Any) -> Any:
    helps = {
        "title": "Title (default: the file's name).",
        "composers": 'Composers and shares, as in "ana:60 ben:40" (default: you, 100).',
        "method": "How it was made: played, programmed, score; or machine.",
        "genre": "Genre; docs/composers.md lists them.",
        "mood": "Mood; docs/composers.md lists them.",
        "key": 'Key, as in "A minor" (default: inferred).',
        "chords": 'Chords, bars separated by | (default: inferred): "Am | F C/E | % | G7".',
        "sections": 'Sections and their first bars (default: from markers): "intro:1 A:5 B:13".',
        "roles": 'One word a track (default: inferred): "main_melody bass drums".',
        "consent": 'What it may be used for: "general_model evaluation@2030-12-31" or "nothing".',
        "contract": "The house's reference of the contract.",
    }
    for name in reversed(FACTS):
        command = click.option(f"--{name}", default="", help=helps[name])(command)
    return command


@click.command(help=__doc__.replace("\n\n    python", "\n\n\b\n    python"))
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--composer", default="", help="Your id in the house's roster.")
@click.option(
    "--house",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The house's folder; by default what HOUSE names, or the project's own.",
)
@click.option("--pin", type=click.Path(exists=True, path_type=Path), help="The house's trust pin.")
@click.option("--metadata", type=click.Path(exists=True, path_type=Path), help="CSV sidecar.")
@click.option(
    "--sidecar",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Only check, and write a first CSV sidecar: one row a file with what was found.",
)
@click.option("--check", is_flag=True, help="Only check and show; sign nothing.")
@click.option("--yes", is_flag=True, help="Ask nothing: take what is stated and inferred.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file on stdout.")
@click.option("--workers", type=click.IntRange(1, 64), help="Files read at once.")
@click.option(
    "--fingerprints",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A rights-holder's list to compare with as well (JSON); may be given several times.",
)
@click.option("--review-run", default=12, show_default=True, help="Shared steps to look at.")
@click.option("--block-run", default=16, show_default=True, help="Shared steps to refuse.")
@click.option(
    "--review-accompaniment-run",
    default=32,
    show_default=True,
    help="Shared steps to look at in accompaniments.",
)
@click.option("--review-similarity", default=0.2, show_default=True, help="Likeness to look at.")
@click.option("--block-similarity", default=0.5, show_default=True, help="Likeness to refuse.")
@_fact_options
def main(paths: tuple[Path, ...], **options: Any) -> None:
    from gen.errors import HouseError

    try:
        refused = _contribute(paths, options)
    except HouseError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        click.echo("\nstopped: what was contributed is whole; run again to go on", err=True)
        sys.exit(130)
    sys.exit(2 if refused else 0)


def _contribute(paths: tuple[Path, ...], options: dict[str, Any]) -> int:
    """Contribute everything and report; the number of refused files."""
    from gen.contribution import Contributor

    options["check"] = options["check"] or options["sidecar"] is not None
    _check_free(options["sidecar"])
    jobs = _jobs(paths, options)
    house = _open_house(options)
    settings = _settings(options)
    register = house.load() if house else None
    key = None if settings.is_check else _open_key(register, settings.composer, options)
    is_asking = not (options["yes"] or options["as_json"] or settings.is_check)
    if is_asking and not _is_interactive():
        raise _usage("there is nobody to ask", "add --yes to take what is stated and inferred")
    confirm = _ask if is_asking else None
    contributor = Contributor(house, settings, key, confirm, register)
    with Output.busy("reading what the house knows"):
        known = contributor.load()
    for place in known.unread if known else ():
        click.echo(f"not compared with {place} (python scripts/house.py audit)", err=True)
    counts: dict[str, int] = {}
    rows: dict[Path, Facts] = {}
    is_many = len(jobs) > 3 and not options["check"]
    is_brief = is_asking or is_many or options["sidecar"] is not None
    doing = "checking" if settings.is_check else "contributing"
    with Output.progress(doing, 0 if is_asking else len(jobs)) as advance:
        for outcome in contributor.run(jobs):
            counts[outcome.status] = counts.get(outcome.status, 0) + 1
            if outcome.facts and outcome.status in WITH_ROW:
                rows[outcome.path] = outcome.facts
            _show(outcome, as_json=options["as_json"], is_brief=is_brief)
            advance(1)
    if options["sidecar"]:
        _write_sidecar(options["sidecar"], rows, as_json=options["as_json"])
    _summarise(counts, len(jobs), as_json=options["as_json"])
    return counts.get("refused", 0)


def _check_free(sidecar: Path | None) -> None:
    """Refuse before the work rather than after it."""
    if sidecar is not None and sidecar.exists():
        mend = "name another file; --metadata takes this one's rows over into it"
        raise _usage(f"{sidecar}: there is a file of this name", mend)


def _write_sidecar(path: Path, rows: dict[Path, Facts], *, as_json: bool) -> None:
    from gen.contribution import MUST_BE_STATED, write_sidecar

    write_sidecar(path, rows)
    empty = [name for name in MUST_BE_STATED if not all(f.to_dict()[name] for f in rows.values())]
    click.echo(
        f"wrote {path}: {counted(len(rows), 'row')}; correct it"
        f"{', fill in ' + ' and '.join(empty) if empty else ''} and give it back with --metadata",
        err=as_json,
    )


def _is_interactive() -> bool:
    return sys.stdin.isatty()


def _usage(what: str, mend: str) -> Exception:
    from gen.errors import SettingError

    return SettingError(what, mend=mend)


def _jobs(paths: tuple[Path, ...], options: dict[str, Any]) -> list[Job]:
    """Every MIDI file named or inside a named folder, with its row of the sidecar."""
    from gen.contribution import Facts, Job, read_sidecar

    rows = read_sidecar(options["metadata"]) if options["metadata"] else {}
    stated = Facts(**{name: options[name] for name in FACTS})
    files = list(dict.fromkeys(_files(paths)))
    if not files:
        raise _usage("no MIDI file found", f"files end in {', '.join(SUFFIXES)}")
    found = {file.resolve() for file in files}
    lost = [path for path in rows if path not in found]
    if lost:
        click.echo(
            f"{counted(len(lost), 'row')} of {options['metadata']} for no file among those "
            f"given, the first: {lost[0]}",
            err=True,
        )
    return [Job(file, rows.get(file.resolve(), Facts()).over(stated)) for file in files]


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = (p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
            yield from sorted(p for p in found if not p.is_dir())
        else:
            yield path


def _open_house(options: dict[str, Any]) -> House | None:
    from gen.provenance.access import open_house
    from gen.provenance.pin import PinError

    try:
        return open_house(options["folder"], options["pin"])
    except PinError:
        if options["check"]:
            click.echo("no house there: nothing to compare with", err=True)
            return None
        raise


def _settings(options: dict[str, Any]) -> Settings:
    from gen.contribution import Settings, default_workers
    from gen.likeness.screening import Thresholds

    if not options["composer"] and not options["check"]:
        raise _usage("who contributes?", "name yourself with --composer ID, or only --check")
    names = Thresholds.__slots__
    return Settings(
        composer=options["composer"],
        is_check=options["check"],
        workers=options["workers"] or default_workers(),
        thresholds=Thresholds(**{name: options[name] for name in names}),
        fingerprints=options["fingerprints"],
    )


def _open_key(register: Register | None, composer: str, options: dict[str, Any]) -> PrivateKey:
    """The composer's private key, by passphrase from the environment or the keyboard."""
    from gen.provenance.keys import find_key, keys_folder
    from gen.provenance.roster import COMPOSER

    roster = register.roster if register else None
    person = roster.person(composer) if roster else None
    if person is None:
        known = ", ".join(p.id for p in roster.people) if roster else "nobody"
        mend = f"enrolled: {known}; a new composer is enrolled with python scripts/house.py enroll"
        raise _usage(f"{composer!r} is not in the roster", mend)

    def passphrase(file: KeyFile) -> str:
        return _passphrase(file.owner, is_silent=options["yes"] or options["as_json"])

    if COMPOSER not in person.roles:
        raise _usage(
            f"{composer} is enrolled as {' and '.join(person.roles)}, not as composer",
            "a composer contributes; a curator accepts: python scripts/house.py accept",
        )
    key = find_key({k.keyid for k in person.open_keys()}, passphrase)
    if key is None:
        raise _usage(
            f"no key of {composer} is on this computer (looked in {keys_folder()})",
            "contribute where your key file is, or set HOUSE_KEYS to its folder",
        )
    return key


def _passphrase(owner: str, *, is_silent: bool) -> str:
    import os

    from gen.provenance.keys import PASSPHRASE_VARIABLE

    named = os.environ.get(PASSPHRASE_VARIABLE)
    if named is not None:
        return named
    if is_silent or not sys.stdin.isatty():
        mend = f"set {PASSPHRASE_VARIABLE} in the environment"
        raise _usage(f"the key of {owner} needs its passphrase", mend)
    return str(click.prompt(f"Passphrase of {owner}'s key", hide_input=True, err=True))


def _show(outcome: Outcome, *, as_json: bool, is_brief: bool) -> None:
    if as_json:
        click.echo(json.dumps(outcome.to_dict(), ensure_ascii=False))
        return
    work = f" as {outcome.work}" if outcome.work and outcome.status != "refused" else ""
    rule = f" ({outcome.rule})" if outcome.rule else ""
    click.echo(f"{outcome.path}: {outcome.status}{work}{rule}")
    if outcome.found:
        click.echo(_indented(outcome.found))
    if outcome.mend:
        click.echo(f"  to mend it: {outcome.mend}")
    if not is_brief:
        _show_details(outcome)
        _show_unstated(outcome)
    elif outcome.screening and outcome.screening.matches:
        click.echo(_indented(outcome.screening.side_by_side()))


def _show_details(outcome: Outcome) -> None:
    """What was changed, what is unheard, what the notes say, what is alike."""
    if outcome.examined and outcome.examined.analysis.notes:
        normalised, analysis = outcome.examined.normalised, outcome.examined.analysis
        for name, lines in (
            ("changed", normalised.changes),
            ("the model does not hear", normalised.unheard),
            ("please look", normalised.advice),
        ):
            for line in lines:
                click.echo(f"  {name}: {line}")
        key = analysis.key if analysis.is_key_clear else f"{analysis.key} (not clear)"
        click.echo(
            f"  {analysis.bars} bars, {', '.join(analysis.meters)}, "
            f"{analysis.tempo_quarters_per_minute:g} quarter notes a minute, {key}, "
            f"{analysis.seconds:.0f} s, {analysis.notes:,} notes"
        )
        for instrument, role in zip(analysis.instruments, analysis.roles, strict=True):
            click.echo(f"    {instrument}: {role}")
        click.echo(f"  chords: {analysis.chords}")
        if analysis.sections:
            click.echo(f"  sections: {analysis.sections}")
    if outcome.screening and outcome.screening.matches:
        click.echo(_indented(outcome.screening.side_by_side()))


def _show_unstated(outcome: Outcome) -> None:
    """After a check: what only a person can say and nobody has said."""
    from gen.contribution import MUST_BE_STATED

    if outcome.status in ("checked", "needs review") and not outcome.work and outcome.facts:
        stated = outcome.facts.to_dict()
        if unstated := [name for name in MUST_BE_STATED if not stated[name]]:
            click.echo(f"  to be stated before it is signed: {', '.join(unstated)}")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _ask(outcome: Outcome) -> Facts | None:
    """Show a file and let its composer confirm or correct each statement."""
    from gen.contribution import Facts
    from gen.harmony import GENRES, MOODS
    from gen.piece import ROLES
    from gen.provenance.statement import METHODS

    click.echo(f"\n{outcome.path}")
    _show_details(outcome)
    if outcome.facts is None or not click.confirm("Contribute this file?", default=True):
        return None
    hints = {
        "genre": " ".join(GENRES),
        "mood": " ".join(MOODS),
        "method": " ".join(METHODS),
        "sections": "name:first bar, as in intro:1 A:5 B:13",
        "roles": " ".join(ROLES),
        "consent": "general_model evaluation artist_model:ID, each with @2030-12-31; or nothing",
    }
    answers = {}
    for name, value in outcome.facts.to_dict().items():
        hint = f" ({hints[name]})" if name in hints else ""
        answers[name] = _answer(outcome, name, f"  {name}{hint}", value)
    click.echo(STATEMENT)
    return Facts(**answers) if click.confirm("Sign?", default=False) else None


def _answer(outcome: Outcome, name: str, question: str, default: str) -> str:
    """One fact, asked again while it cannot be signed as it was typed."""
    from gen.contribution import find_problem

    while True:
        answer = str(click.prompt(question, default=default, show_default=bool(default))).strip()
        problem = find_problem(name, answer, outcome.examined.analysis) if outcome.examined else ""
        if not problem:
            return answer
        click.echo(f"    {problem}")


def _summarise(counts: dict[str, int], total: int, *, as_json: bool) -> None:
    seen = sum(counts.values())
    if as_json:
        click.echo(json.dumps({"summary": {"files": total, "seen": seen, **counts}}))
    text = ", ".join(f"{count} {status}" for status, count in counts.items())
    click.echo(f"{counted(total, 'file')}: {text}", err=as_json)
    if counts.get("already there") and not as_json:
        click.echo(
            "already there: what the house holds stays as it was signed; to state something else "
            "about a work that waits, ask a curator to reject it and contribute it again"
        )

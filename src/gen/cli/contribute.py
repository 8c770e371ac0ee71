"""Contribute works to the house: check, normalise, compare, describe and sign MIDI files.

    python scripts/contribute.py rain.mid --composer ana
    python scripts/contribute.py back_catalogue/ --composer ana --sidecar works.csv
    python scripts/contribute.py back_catalogue/ --composer ana --metadata works.csv --yes
    python scripts/contribute.py --watch exports/ --composer ana

Each file is read in a process of its own, made strict (every change is shown), compared with
what the house knows, and signed with your key; it then waits for a curator. A folder is taken
whole; a second run goes on where the first one stopped. By signing you state that nothing in
the work is a third party's and (but for --method machine) that no generative model wrote any
of it.

The CSV sidecar has one row a file (--sidecar writes a first one, to be corrected): file,title,
composers,method,genre,mood,key,chords,sections,instruments,roles,consent,contract ("ana:60
ben:40", "flute, fingered bass, drums", "main_melody bass drums", "general_model evaluation").
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import click

from gen.cli.careful import CarefulCommand, echo
from gen.cli.found_files import SUFFIXES, arrivals, midi_files
from gen.cli.house_commands.common import HOUSE, Console
from gen.cli.next_command import command_line
from gen.cli.outcomes import as_options, show, summarise, unstated, write_sidecar
from gen.cli.stated import HELP, fact_options
from gen.disk import check_can_write
from gen.errors import HouseError, SettingError, counted, in_line

if TYPE_CHECKING:
    from gen.cli.interview import Interview
    from gen.contribution import Contributor, Job, Outcome, Settings
    from gen.provenance.history.register import Register
    from gen.provenance.houses.house import House
    from gen.provenance.signing.key_files import KeyFile
    from gen.provenance.signing.keys import PrivateKey

WITH_ROW = ("checked", "needs review")
"""Outcomes of a check that a sidecar describes: the house has the others, or will not take them."""


@click.command(cls=CarefulCommand, help=__doc__.replace("\n\n    python", "\n\n\b\n    python"))
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--watch",
    "watched",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Wait for files that a DAW writes there, and take each as it comes; Ctrl-C ends it.",
)
@click.option("--composer", default="", help="Your id in the house; found by your key when alone.")
@HOUSE
@click.option("--pin", type=click.Path(exists=True, path_type=Path), help="The house's trust pin.")
@click.option("--metadata", type=click.Path(exists=True, path_type=Path), help="CSV sidecar.")
@click.option(
    "--sidecar",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Only check, and write a first CSV sidecar: one row a file with what was found.",
)
@click.option(
    "--preview",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a piano roll (PNG) and sound (WAV) of each file there, as the house reads it.",
)
@click.option("--open", "is_opening", is_flag=True, help="Open these previews, too.")
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
@click.option(
    "--review-bits",
    type=float,
    help="What a shared passage says to be looked at (default: calibrated on the house's works).",
)
@click.option("--block-bits", type=float, help="What it says to be refused (default: likewise).")
@click.option("--review-similarity", default=0.35, show_default=True, help="Likeness to look at.")
@click.option("--block-similarity", default=0.5, show_default=True, help="Likeness to refuse.")
@fact_options
def main(paths: tuple[Path, ...], **options: Any) -> None:
    watched = options.pop("watched")
    try:
        refused = _all(paths, watched, options)
    except HouseError as error:
        echo(f"error: {error}", err=True)
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        echo(
            "\nstopped: what was contributed is whole, your answers are kept; run again to go on",
            err=True,
        )
        sys.exit(130)
    sys.exit(2 if refused else 0)


@dataclass(slots=True)
class _Desk:
    """Who contributes to which house, and how: opened once for all files of a command."""

    house: House | None
    register: Register | None
    settings: Settings
    key: PrivateKey | None
    interview: Interview | None

    @staticmethod
    def of(options: dict[str, Any]) -> _Desk:
        house = _open_house(options)
        register = house.load() if house else None
        options["composer"] = _composer(register, options)
        settings = _settings(options)
        key = None if settings.is_check else _open_key(house, register, settings.composer, options)
        return _Desk(house, register, settings, key, _interview(house, register, options))

    def contributor(self) -> Contributor:
        """Compares with what the house knows now."""
        from gen.contribution import Contributor

        made = Contributor(self.house, self.settings, self.key, self.interview, self.register)
        with Console.busy("reading what the house knows"):
            known = made.load()
        self.register = made.register
        if unread := known.unread if known else ():
            more = f" and {len(unread) - 3} more" if len(unread) > 3 else ""
            places = f"{', '.join(map(str, unread[:3]))}{more}"
            audit = command_line("house.py", ["audit"], self.house)
            echo(in_line(f"not compared with {places}; what is wrong: {audit}"), err=True)
        return made


def _contribute(jobs: list[Job], desk: _Desk, options: dict[str, Any]) -> int:
    """Contribute everything and report; the number of refused files."""
    outcomes = _run(desk.contributor(), jobs, options)
    summarise(_counted(outcomes), len(jobs), as_json=options["as_json"])
    if not options["as_json"]:
        _say_next(outcomes, desk.house, options)
    return sum(outcome.status == "refused" for outcome in outcomes)


def _all(paths: tuple[Path, ...], watched: Path | None, options: dict[str, Any]) -> int:
    """Contribute what is there, then what comes; the number of refused files of the former."""
    options["check"] = options["check"] or options["sidecar"] is not None
    _check_named(paths, watched, options)
    _check_free(options["sidecar"])
    jobs = _jobs(paths, options) if paths else []
    desk = _Desk.of(options)
    refused = _contribute(jobs, desk, options) if jobs else 0
    if watched is not None:
        _watch(watched, desk, options)
    return refused


def _check_named(paths: tuple[Path, ...], watched: Path | None, options: dict[str, Any]) -> None:
    if not paths and watched is None:
        raise click.UsageError("Missing argument 'PATHS...': files or folders, or --watch FOLDER.")
    if watched is not None and (options["sidecar"] or options["metadata"]):
        what = "a table is of files that are there already"
        raise SettingError(what, mend="leave out --watch, or --sidecar and --metadata")


def _watch(folder: Path, desk: _Desk, options: dict[str, Any]) -> None:
    """Contribute each file that comes or changes, until Ctrl-C."""
    echo(f"watching {folder} for what a DAW exports into it; Ctrl-C ends", err=True)
    with suppress(KeyboardInterrupt, click.Abort):
        for path in arrivals(folder):
            _contribute(_jobs((path,), options), desk, options)
    echo("\nno longer watching; what was contributed is whole, your answers are kept", err=True)


def _interview(
    house: House | None, register: Register | None, options: dict[str, Any]
) -> Interview | None:
    """Who asks; None where nobody is to be asked."""
    if (
        options["yes"]
        or options["as_json"]
        or options["check"]
        or house is None
        or register is None
    ):
        return None
    if not _is_interactive():
        raise SettingError(
            "there is nobody to ask", mend="add --yes to take what is stated and inferred"
        )
    from gen.cli.interview import Interview
    from gen.contribution import Drafts

    drafts = Drafts(house.pin.name)
    return Interview(drafts, options["preview"], register.roster, options["composer"])


def _run(contributor: Contributor, jobs: list[Job], options: dict[str, Any]) -> list[Outcome]:
    """Every file's outcome, shown as it comes; previews and the sidecar are written."""
    asks, as_json = contributor.confirm, options["as_json"]
    is_many = len(jobs) > 3 and not options["check"]
    is_brief = asks is not None or is_many or options["sidecar"] is not None
    outcomes: list[Outcome] = []
    named: dict[str, int] = {}
    doing = "checking" if options["check"] else "contributing"
    with Console.progress(doing, 0 if asks else len(jobs)) as advance:
        for outcome in contributor.run(jobs):
            outcomes.append(outcome)
            show(outcome, as_json=as_json, is_brief=is_brief)
            if asks is not None:
                asks.done(outcome)  # type: ignore[attr-defined] # an Interview
            if options["preview"] and asks is None:
                _preview(outcome, options, named)
            outcome.examined = outcome.screening = None  # many pieces fill the memory
            advance(1)
    if options["sidecar"]:
        rows = {o.path: o.facts for o in outcomes if o.facts and o.status in WITH_ROW}
        write_sidecar(options["sidecar"], rows, as_json=as_json)
    return outcomes


def _preview(outcome: Outcome, options: dict[str, Any], named: dict[str, int]) -> None:
    """Write a file's preview; `named` counts names, which files of several folders may share."""
    if outcome.examined is None or not outcome.examined.analysis.notes:
        return
    from gen.cli.preview import show_preview

    piece, name = outcome.examined.normalised.piece, outcome.path.stem
    named[name] = named.get(name, 0) + 1
    if named[name] > 1:
        name = f"{name} ({named[name]})"
    show_preview(piece, options["preview"], name, is_opening=options["is_opening"])


def _counted(outcomes: list[Outcome]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.status] = counts.get(outcome.status, 0) + 1
    return counts


def _say_next(outcomes: list[Outcome], house: House | None, options: dict[str, Any]) -> None:
    """The command that comes next: for the curator, or for who checked a single file."""
    waiting = [o.work for o in outcomes if o.status in ("contributed", "needs review")]
    if not options["check"]:
        if waiting and house is not None:
            work = waiting if len(waiting) == 1 else []
            echo("It waits for a curator, another person:" if work else
                       "They wait for a curator, another person:")  # fmt: skip
            echo(f"Next: {command_line('house.py', ['accept', *work], house)}")
    elif house is not None and len(outcomes) == 1 and unstated(outcomes[0]):
        outcome = outcomes[0]
        who = ["--composer", options["composer"]] if options["composer"] else []
        stated = as_options(outcome.stated.to_dict())
        words = [outcome.path, *who, *stated]
        echo(f"Next: {command_line('contribute.py', words, house)}")


def _check_free(sidecar: Path | None) -> None:
    """Refuse before the work rather than after it."""
    if sidecar is None:
        return
    if sidecar.exists():
        mend = "name another file; --metadata takes this one's rows over into it"
        raise SettingError(f"{sidecar}: there is a file of this name", mend=mend)
    check_can_write(sidecar)


def _is_interactive() -> bool:
    return sys.stdin.isatty()


def _jobs(paths: tuple[Path, ...], options: dict[str, Any]) -> list[Job]:
    """Every MIDI file named or inside a named folder, with its row of the sidecar."""
    from gen.contribution import Facts, Job, read_sidecar

    table = read_sidecar(options["metadata"]) if options["metadata"] else {}
    rows = {_spelt(path): facts for path, facts in table.items()}
    stated = Facts(**{name: options[name] for name in HELP})
    files = list(dict.fromkeys(midi_files(paths)))
    if not files:
        raise SettingError("no MIDI file found", mend=f"files end in {', '.join(SUFFIXES)}")
    found = {_spelt(file.resolve()) for file in files}
    lost = [path for path in table if _spelt(path) not in found]
    if lost:
        echo(
            f"{counted(len(lost), 'row')} of {options['metadata']} for no file among those "
            f"given, the first: {lost[0]}",
            err=True,
        )
    return [Job(file, rows.get(_spelt(file.resolve()), Facts()).over(stated)) for file in files]


def _spelt(path: Path) -> str:
    """A path with its accents in one form: macOS and spreadsheets use different ones."""
    return normalize("NFC", str(path))


def _open_house(options: dict[str, Any]) -> House | None:
    from gen.provenance.houses.access import default_folder, open_house
    from gen.provenance.records.pin import PinError

    try:
        return open_house(options["folder"], options["pin"])
    except PinError:
        if options["check"]:
            place = options["folder"] or default_folder()
            echo(f"no house there ({place}): nothing to compare with", err=True)
            return None
        raise


def _composer(register: Register | None, options: dict[str, Any]) -> str:
    """Who contributes: as stated, else the one whose key is here; "" only to check."""
    if options["composer"] or register is None:
        return str(options["composer"])
    from gen.provenance.houses.access import person_at_hand
    from gen.provenance.records.roster import COMPOSER

    try:
        return person_at_hand(register, COMPOSER, "--composer")
    except HouseError as error:
        if options["check"]:
            return ""
        what = f"who contributes to {register.roster.house}? {error.what}"
        known = ", ".join(p.id for p in register.roster.people if COMPOSER in p.roles) or "nobody"
        raise SettingError(
            what, mend=f"say who you are: --composer ID; its composers: {known}"
        ) from error


def _settings(options: dict[str, Any]) -> Settings:
    from gen.contribution import Settings, default_workers
    from gen.likeness.thresholds import Thresholds

    names = ("review_bits", "block_bits", "review_similarity", "block_similarity")
    return Settings(
        composer=options["composer"],
        is_check=options["check"],
        workers=options["workers"] or default_workers(),
        thresholds=Thresholds(**{name: options[name] for name in names}),
        fingerprints=options["fingerprints"],
    )


def _open_key(
    house: House | None, register: Register | None, composer: str, options: dict[str, Any]
) -> PrivateKey:
    """The composer's private key, by passphrase from the environment or the keyboard."""
    from gen.provenance.records.roster import COMPOSER
    from gen.provenance.signing.key_files import find_key, keys_folder

    roster = register.roster if register else None
    where = f"{roster.house} ({house.folder})" if roster and house else "no house"
    person = roster.person(composer) if roster else None
    if person is None:
        known = ", ".join(p.id for p in roster.people) if roster else "nobody"
        mend = f"enrolled: {known}; a new composer is enrolled with python scripts/house.py enroll"
        raise SettingError(f"{composer!r} is not in the roster of {where}", mend=mend)
    if COMPOSER not in person.roles:
        raise SettingError(
            f"{composer} is enrolled as {' and '.join(person.roles)}, not as composer, in {where}",
            mend="a composer contributes; a curator accepts: python scripts/house.py accept",
        )
    keyids = {k.keyid for k in person.open_keys()}
    is_silent = options["yes"] or options["as_json"]
    key = find_key(keyids, lambda file: _passphrase(file, is_silent))
    if key is None:
        raise SettingError(
            f"no key of {composer} for {where} is on this computer (looked in {keys_folder()})",
            mend="contribute where your key file is, or set HOUSE_KEYS to its folder",
        )
    return key


def _passphrase(file: KeyFile, is_silent: bool) -> str:
    import os

    from gen.provenance.signing.key_files import PASSPHRASE_VARIABLE

    named = os.environ.get(PASSPHRASE_VARIABLE)
    if named is not None:
        return named
    if is_silent or not _is_interactive():
        mend = f"set {PASSPHRASE_VARIABLE} in the environment"
        raise SettingError(f"the key of {file.owner} needs its passphrase", mend=mend)
    question = f"Passphrase of {file.owner}'s key for {file.house}"
    return str(click.prompt(question, hide_input=True, err=True))

"""What every house command shares: options, output for people and for programs, exit codes."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen.cli.careful import CarefulCommand, echo
from gen.errors import HouseError, brief, in_line
from gen.terminal import refusal_of

if TYPE_CHECKING:
    from gen.provenance.history.register import Register
    from gen.provenance.houses.house import House

REFUSED = 2
FEW = 4
"""Fewer than this need no progress bar."""
HOUSE = click.option(
    "--house", "folder", type=click.Path(path_type=Path), metavar="DIR",
    help="The house's folder; by default what HOUSE names, or the project's own.",
)  # fmt: skip
WORKS = click.argument("works", nargs=-1, metavar="[WORK]...")
WHICH_COMPOSER = click.option(
    "--composer", metavar="ID", help="Who you are; found by your key when alone."
)
WHICH_CURATOR = click.option(
    "--curator", metavar="ID", help="Who signs; found by your key when alone."
)
RUN = click.option("--run", "index", type=click.IntRange(0), metavar="INDEX", help="A run instead.")


@dataclass(frozen=True)
class Console:
    """What every house command is told, and where its result goes.

    That is one JSON object to stdout, or lines for people. Results go to stdout, talk to stderr.

    Attributes:
        is_json: whether the result is for a program.
        is_sure: whether nothing is to be asked.
        folder, pin: the house that is meant, and its pin, where they are named.
    """

    is_json: bool
    is_sure: bool = False
    folder: Path | None = None
    pin: Path | None = None

    def open_house(self) -> House:
        """The house that is meant."""
        from gen.provenance.houses import access

        return access.open_house(self.folder, self.pin)

    def load_house(self) -> tuple[House, Register]:
        """The house that is meant, and its register, verified."""
        house = self.open_house()
        return house, house.load()

    def confirm(self, question: str) -> None:
        """Ask before doing; --yes and --json mean yes.

        Raises:
            HouseError: the answer is no, or nobody is there to answer.
        """
        if self.is_sure or self.is_json:
            return
        if not sys.stdin.isatty():
            raise HouseError("nobody is there to answer", mend="run with --yes to go ahead")
        if not click.confirm(in_line(question), err=True):
            raise HouseError("left as it was")

    def say(self, text: str) -> None:
        """One line of talk to a person; silent with --json."""
        if not self.is_json:
            echo(in_line(text), err=True)

    def line(self, text: str) -> None:
        """One line of the result for people, whoever named what it is about."""
        if not self.is_json:
            echo(in_line(text))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """A table for people; tab-separated when stdout is no terminal."""
        if self.is_json:
            return
        texts = [[in_line(str(cell)) for cell in row] for row in rows]
        if not sys.stdout.isatty():
            for row in texts:
                click.echo("\t".join(row))
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*columns, box=None, pad_edge=False, header_style="bold")
        for row in texts:
            table.add_row(*map(Text, row))  # Text: a title like "[red]" is no markup
        Console().print(table)

    @staticmethod
    def busy(doing: str) -> AbstractContextManager[object]:
        """A turning sign on stderr where somebody watches, for work of unknown length."""
        if not sys.stderr.isatty():
            return nullcontext()
        from rich.console import Console

        return Console(stderr=True).status(doing)

    @staticmethod
    @contextmanager
    def progress(doing: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar on stderr where somebody watches; call what it gives with how many are done."""
        if total < FEW or not sys.stderr.isatty():
            yield lambda _: None
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=total)
            yield lambda more: bar.advance(task, more)

    def result(self, **values: Any) -> None:
        """The result for programs."""
        if self.is_json:
            echo(json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True))


def house_command(function: Callable[..., Any]) -> click.Command:
    """A command with --house, --pin, --yes, --json, whose errors exit 2."""

    @functools.wraps(function)
    def run(**arguments: Any) -> None:
        names = ("is_json", "is_sure", "folder", "pin")
        output = Console(**{name: arguments.pop(name) for name in names})
        try:
            function(output=output, **arguments)
        except HouseError as error:
            fail(error, output)
        except OSError as error:
            refusal = refusal_of(error)
            if refusal is None or _is_output(error):
                raise
            fail(refusal, output)

    name = function.__name__.removesuffix("_command").replace("_", "-")
    command = click.command(name, cls=CarefulCommand, help=function.__doc__)(run)
    options = (
        HOUSE,
        click.option("--pin", type=click.Path(path_type=Path), metavar="FILE",
                     help="The trust pin; found in conf/house or in the house by default."),
        click.option("--yes", "is_sure", is_flag=True, help="Ask nothing."),
        click.option("--json", "is_json", is_flag=True, help="Print one JSON object."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _is_output(error: OSError) -> bool:
    """Whether it is the output that fails, so that nothing can be said there."""
    return error.filename is None


def fail(error: Exception, output: Console) -> None:
    """Print what is wrong, where, and how to mend it; exit 2."""
    if output.is_json:
        names = ("rule", "what", "where", "mend")
        found = {name: brief(getattr(error, name, "")) for name in names}
        echo(json.dumps({"error": found}, ensure_ascii=False, indent=1, sort_keys=True))
    else:
        echo(str(error), err=True)
    raise SystemExit(REFUSED)


def new_passphrase(what: str, variable: str = "") -> str:
    """A passphrase for new keys: from the environment, else asked for twice.

    Args:
        what: the keys, in words: "the new key of ana".
        variable: the environment's that may hold it, where it is not the usual one.
    """
    import os

    from gen.provenance.signing.key_files import PASSPHRASE_VARIABLE

    variable = variable or PASSPHRASE_VARIABLE
    named = os.environ.get(variable)
    if named is not None:
        return named
    if not sys.stdin.isatty():
        raise HouseError(
            f"{what} needs a passphrase",
            mend=f"set {variable}, or run the command at a terminal",
        )
    question = f"A passphrase for {what} (write it down and keep it safe)"
    answer = click.prompt(
        question, hide_input=True, confirmation_prompt=True, err=True, value_proc=_fit
    )
    return str(answer)


def _fit(passphrase: str) -> str:
    """A passphrase as it is; one that is guessed in a moment is asked for again."""
    from gen.provenance.signing.key_files import check_passphrase

    try:
        check_passphrase(passphrase)
    except HouseError as error:
        raise click.UsageError(f"{error.what}: {error.mend}") from error
    return passphrase

"""Commands that end in one message whatever is typed, and whatever the disk or terminal does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from gen.errors import printable, shortened
from gen.terminal import failures_said, forget_output, refuse_if_cut_short

_MOST_LETTERS = 600


def echo(text: str, *, err: bool = False) -> None:
    """One line; what moves a cursor or turns writing round is spelled out, in JSON too."""
    click.echo(printable(text), err=err)


@contextmanager
def _short_usage_errors() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        message = error.format_message()
        short = printable(shortened(message, _MOST_LETTERS))
        if short == message:
            raise
        raise click.UsageError(short, error.ctx) from error


class CarefulCommand(click.Command):
    """A command whose errors of use are short, and that says what a disk or terminal refuses."""

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        with _short_usage_errors():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EOFError as error:  # which click takes for the end of somebody's input
            refuse_if_cut_short(error)
            raise
        except BrokenPipeError:  # which click takes for a fault
            forget_output()
            raise SystemExit(0) from None

    def main(self, *arguments: Any, **more: Any) -> Any:
        with failures_said():
            return super().main(*arguments, **more)


class CarefulGroup(CarefulCommand, click.Group):
    """A group of such commands."""

"""Write new pieces: python scripts/sample.py genre=waltz bars=32 key="A minor" n=4.

Settings are key=value; --help explains them all, controls=NAME takes a preset of conf/controls/.
Each piece is written as .mid with a piano roll (.png), audio (.wav), a score (.musicxml) and a
receipt (.json), and index.html shows them together. receipt=FILE writes the piece of that receipt
again, to the last byte.

Exit codes: 0 done, 1 a fault of ours, 2 refused or misused, 130 stopped by Ctrl-C or SIGTERM:
pieces that are finished stay, and the page shows them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen.cli.explained import begin
from gen.cli.known import names_of
from gen.cli.quoting import BARE, NUMBER, quoted
from gen.disk import check_can_write
from gen.errors import HouseError, SettingError
from gen.terminal import failures_said

if TYPE_CHECKING:
    from gen.rendering import Renderer
    from gen.sampling.planning.controls import Controls
    from gen.sampling.takes import Sampled

FILES = {"checkpoint", "pin", "out", "soundfont", "receipt",
         "continue", "infill", "accompany", "harmonise", "vary"}  # fmt: skip
BESIDE_A_RECEIPT = FILES | {
    "audio", "sample_rate", "stems", "unrecorded", "retired", "stamp",
}  # fmt: skip
IN_A_HURRY = 1.0
"""Seconds that renderings which were begun are waited for once it is stopped."""


def texts_quoted(argument: str) -> str:
    """Quote a text for Hydra: chords="Am F | C/E" needs no second quotes, nor out=2024."""
    name, equals, value = argument.partition("=")
    is_plain = BARE.fullmatch(value) and not (name in FILES and NUMBER.fullmatch(value))
    if not equals or argument.startswith("-") or is_plain:
        return argument
    return f"{name}={quoted(value)}"


def check_alone(names: frozenset[str]) -> None:
    """A receipt says everything about the music: nothing else can be asked beside it.

    Raises:
        SettingError: something was.
    """
    if "receipt" in names and (others := names - BESIDE_A_RECEIPT):
        raise SettingError(
            f"{', '.join(sorted(others))} cannot be asked beside a receipt, which says it all",
            where="receipt", mend="leave it out, or ask for new pieces without the receipt",
        )  # fmt: skip


def main() -> None:
    """What `gen-sample` and `scripts/sample.py` do."""
    with failures_said():
        begin("sample", __doc__)  # before anything that takes a while is imported
        from gen.cli.door import enter

        enter("sample", judge, sample, [texts_quoted(argument) for argument in sys.argv[1:]])


def judge(settings: dict[str, Any], overrides: Sequence[str]) -> None:
    """Refuse what cannot be asked together.

    Raises:
        SettingError: something was.
    """
    check_alone(names_of(overrides))


def sample(settings: dict[str, Any], overrides: Sequence[str]) -> None:
    """Write the pieces that are asked for, each as it is finished, and the page that shows them."""
    from gen.processes import stoppable
    from gen.rendering import Playing, Renderer
    from gen.sampling.request import PLACES, SampleRequest
    from gen.sampling.run import PiecesWithheld
    from gen.sampling.run import sample as write

    request = SampleRequest.of(settings, names_of(overrides))
    check_can_write(Path(request.places.out), is_folder=True)
    places, pieces = request.places, 1 if request.places.receipt else request.run.n
    playing = Playing(places.soundfont, places.sample_rate) if places.audio else None
    if playing:
        playing.check()
    say_reduced(request.controls)
    asked = [o for o in overrides if o.split("=")[0] not in PLACES]
    withheld: HouseError | None = None
    with (
        stoppable(),
        Renderer(
            pieces, playing=playing, with_stems=places.stems, authority=places.stamp
        ) as renderer,
    ):
        page = _Page(Path(places.out), renderer, ", ".join(asked))
        try:
            try:
                write(request, report=page.take, on_checked=renderer.start)
            except PiecesWithheld as error:
                withheld = error
                page.facts.append(("withheld", f"{pieces - len(page.finished)} of {pieces}"))
            page.show()
        except KeyboardInterrupt:
            page.facts.append(("stopped", f"{len(page.finished)} of {pieces} were finished"))
            renderer.hurry(IN_A_HURRY)
            page.show()
            raise
    if withheld:
        raise withheld


class _Page:
    """The pieces of a run as they are finished, and the page that shows them."""

    def __init__(self, out: Path, renderer: Renderer, asked: str) -> None:
        self.out, self.renderer = out, renderer
        self.facts = [("asked for", asked or "nothing in particular")]
        self.finished: list[Sampled] = []

    def take(self, done: Sampled) -> None:
        """Say that a piece is finished, and begin to render it."""
        self.finished.append(done)
        announce(done)
        self.renderer.begin(done.piece, done.midi, done.score)

    def show(self) -> None:
        """Write the page and print where it is; nothing where no piece is finished."""
        from gen.studio.page import present

        if self.finished:
            self.finished.sort(key=lambda done: done.record["index"])
            print(present(self.finished, self.out, self.renderer, facts=self.facts))


def say_reduced(controls: Controls) -> None:
    """Name the chords that the model is given as simpler ones, before anything is written."""
    with suppress(SettingError):  # what cannot be read is refused by the run itself
        if reduced := controls.reductions():
            print(f"the model has no word for some chords: it is given {', '.join(reduced)}",
                  file=sys.stderr)  # fmt: skip


def announce(done: Sampled) -> None:
    """Name each piece as it is on disk, and what else there is to say about it."""
    print(done.midi, flush=True)
    for note in done.notes:
        print(f"  {note}", file=sys.stderr)
    for row in done.record["asked_and_got"]:
        if row["met"] is False:
            print(f"  {row['control']}: asked {row['asked']}, got {row['got']}", file=sys.stderr)

"""The starter house: check its lead sheets, build its works, publish them, report on them.

python scripts/starter_house.py check [FILE.abc …]
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gen.errors import HouseError
from starter import abc
from starter.catalogue import LEADSHEETS
from starter.keys import key_name


@click.group(help=__doc__)
def main() -> None: ...


@main.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Parse lead sheets and say what they hold."""
    for path in files or sorted(LEADSHEETS.rglob("*.abc")):
        for sheet in abc.parse(path.read_text(encoding="utf-8"), where=path.name):
            meter = f"{sheet.meter[0]}/{sheet.meter[1]}"
            click.echo(
                f"{path.stem:16} {sheet.title:34} {key_name(sheet.key):14} {meter:5} "
                f"{sheet.tempo:5.0f} {sheet.form} {sheet.bar_count} bars"
            )


@main.command()
@click.option(
    "--out", default=Path("out/starter"), show_default=True, type=click.Path(path_type=Path)
)
def build(out: Path) -> None:
    """Realise every lead sheet in every arrangement: MIDI files and one sidecar a composer."""
    from starter.catalogue import build as build_works

    count = notes = 0
    seconds = 0.0
    for _, work in build_works(out):
        count += 1
        notes += work.piece.note_count
        seconds += work.piece.seconds_at(work.piece.end_ticks)
    click.echo(f"{count} works, {notes} notes, {seconds / 3600:.1f} hours in {out}")


@main.command()
def habits() -> None:
    """Count in both volumes, as they would be built, what their works have in common."""
    from starter import catalogue
    from starter.corpus import written_work
    from starter.habits import table

    volumes = (catalogue.first_volume(), catalogue.second_volume())
    first, second = ([written_work(each) for each in volume] for volume in volumes)
    named = (("first volume", first), ("second volume", second), ("both", [*first, *second]))
    click.echo("\n".join(table(named)))


@main.command()
@click.option(
    "--out", default=Path("out/starter"), show_default=True, type=click.Path(path_type=Path)
)
@click.option(
    "--house", default=Path("data/house_midi"), show_default=True, type=click.Path(path_type=Path)
)
@click.option(
    "--model",
    type=click.Path(path_type=Path, exists=True),
    help="The trained model that comes with the house: its file is written anew.",
)
@click.option(
    "--rebuildable",
    type=click.Path(path_type=Path),
    help="Train experiment=rebuildable in the house, too, into this new folder.",
)
def publish(out: Path, house: Path, model: Path | None, rebuildable: Path | None) -> None:
    """Enter the built works into a house of their own, seal it, destroy its keys."""
    from starter.publish import publish as publish_house

    publish_house(out, house, click.echo, model, rebuildable)


@main.command()
@click.option(
    "--model", default=Path("data/house_model"), show_default=True, type=click.Path(path_type=Path)
)
@click.option(
    "--pin", default=Path("conf/house/starter.yaml"), type=click.Path(path_type=Path, exists=True)
)
def sign(model: Path, pin: Path) -> None:
    """Sign the folder of the shipped models anew, after a paper in it has changed."""
    from starter.publish import sign_models

    click.echo(f"signed: {sign_models(model, pin)}")


@main.command()
@click.option(
    "--house", default=Path("data/house_midi"), show_default=True, type=click.Path(path_type=Path)
)
@click.option(
    "--docs", default=Path("docs/corpus"), show_default=True, type=click.Path(path_type=Path)
)
@click.option(
    "--audio",
    type=click.Path(path_type=Path),
    help="Render a work of each genre into this folder and check the sound (minutes).",
)
@click.option("--pictures/--no-pictures", default=True, help="Draw the pictures anew (minutes).")
def report(house: Path, docs: Path, audio: Path | None, pictures: bool) -> None:
    """Measure the published corpus: report with pictures, datasheet, Croissant metadata."""
    from starter.report import report as write_report

    write_report(house, docs, click.echo, pictures=pictures, audio=audio)


if __name__ == "__main__":
    try:
        main()
    except HouseError as error:
        print(error, file=sys.stderr)
        sys.exit(2)

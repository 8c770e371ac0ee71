"""The public summary of training content, in the sections of the EU template of July 2025.

Every figure is computed from the house's records and works. What records cannot know (who the
provider is, whether anything else was used) comes from one file that the house writes; an answer
in it that the records contradict stops the summary.

Source: European Commission, template for the public summary of training content of
general-purpose AI models, 24 July 2025 (Regulation (EU) 2024/1689, Article 53(1)(d)).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from gen.disk.reading import FileKind, read_yaml
from gen.errors import HouseError, printable
from gen.provenance.house import House
from gen.provenance.model_file import ModelFile
from gen.provenance.recorded import run_behind
from gen.provenance.register import Register
from gen.provenance.runs import Run
from gen.provenance.statement import MACHINE
from gen.provenance.works import kept_work
from gen.smf import parse

SAYINGS: Final = FileKind("file of what the house says", 1 << 20)
_ADOPTED_BY: Final = "root"


class Provider(msgspec.Struct, forbid_unknown_fields=True):
    """Section 1.1."""

    name: str
    contact: str
    representative: str = ""


class Placed(msgspec.Struct, forbid_unknown_fields=True):
    """Section 1.2: how the model is called, and the day it was placed on the market."""

    name: str
    placed_on_market: str = ""


class Sources(msgspec.Struct, forbid_unknown_fields=True):
    """Section 2, beyond the house's own works: false for none, or which, in words."""

    public: str | bool
    third_party: str | bool
    crawled: str | bool
    user_data: str | bool
    synthetic: str | bool
    other: str | bool = False


class Sayings(msgspec.Struct, forbid_unknown_fields=True):
    """What the house says where records cannot."""

    provider: Provider
    model: Placed
    sources: Sources
    reservations: str
    illegal_content: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is computed.

    Attributes:
        works, notes, seconds, bytes: of the works behind the model.
        composers: how many people.
        methods: how many works were made each way, as their composers stated.
        first, last: days on which the first and the last of them were entered.
        adopted: works taken over from another house.
        written_by_models: works that a model of the house wrote note for note.
        withdrawn: works withdrawn since.
    """

    works: int
    notes: int
    seconds: int
    bytes: int
    composers: int
    methods: dict[str, int]
    first: str
    last: str
    adopted: int
    written_by_models: int
    withdrawn: int

    @staticmethod
    def of(house: House, register: Register, works: list[str]) -> Figures:
        """Read the works.

        Raises:
            HouseError: one is gone: what cannot be counted is not summed up.
        """
        records = [register.works[work] for work in works]
        notes = seconds = size = 0
        methods: Counter[str] = Counter()
        for record in records:
            tagged = kept_work(house, record)
            piece = parse(tagged.music)
            notes += piece.note_count
            seconds += round(piece.seconds_at(piece.end_ticks))
            size += len(tagged.music)
            methods[tagged.statement.method] += 1
        days = sorted(record.time[:10] for record in records)
        people = {who for record in records for who, _ in record.entry.composers}
        return Figures(
            len(records), notes, seconds, size, len(people), dict(sorted(methods.items())),
            days[0], days[-1],
            sum(record.accepted_by == _ADOPTED_BY for record in records),
            sum(register.wrote(record.entry.musical_hash) for record in records),
            sum(record.withdrawn_at is not None for record in records),
        )  # fmt: skip


def read_sayings(path: Path) -> Sayings:
    """Read what the house says.

    Raises:
        HouseError: not such a file; names the field.
    """
    try:
        return msgspec.convert(read_yaml(path, SAYINGS), Sayings)
    except msgspec.ValidationError as error:
        raise HouseError(
            str(error), where=str(path), mend="docs/letter.md shows a file with every field"
        ) from error


def contradictions(says: Sayings, figures: Figures) -> list[str]:
    """Where the house says no, and its records say otherwise."""
    found = []
    if says.sources.third_party is False and figures.adopted:
        found.append(f"third_party: false, and {figures.adopted} works came from another house")
    machine = figures.methods.get(MACHINE, 0)
    if says.sources.synthetic is False and (machine or figures.written_by_models):
        found.append(
            f"synthetic: false, and {machine} works are stated to be machine-written, "
            f"{figures.written_by_models} are note for note what a model of the house wrote"
        )
    return found


def summary_of(house: House, model: ModelFile, says: Sayings) -> tuple[str, Figures]:
    """The summary as Markdown, and its figures.

    Raises:
        HouseError: the log does not name the model, a work is gone, or the records contradict
            what the house says.
    """
    register = house.load(full=True)
    run = run_behind(model, register)
    figures = Figures.of(house, register, model.manifest.works_here)
    found = contradictions(says, figures)
    if found:
        listing = "".join(f"\n  {line}" for line in found)
        raise HouseError(
            f"the records contradict what the house says:{listing}",
            mend="say there what it is, in words, in place of false",
        )
    lines = _lines(says, figures, model, run, register)
    return "\n".join(map(printable, lines)) + "\n", figures


def _lines(
    says: Sayings, figures: Figures, model: ModelFile, run: Run, register: Register
) -> Iterator[str]:
    yield "# Public summary of training content"
    yield from _general(says, figures, model, run)
    yield from _sources(says.sources, figures, register)
    yield from ("", "## 3. Data processing aspects", "")
    yield f"**3.1 Respect of reservations of rights:** {says.reservations} In the records:"
    yield (
        f"{figures.withdrawn} of these works were withdrawn since, and "
        f"{len(register.complaints.entered)} complaints and reservations were entered."
    )
    yield ""
    yield f"**3.2 Removal of illegal content:** {says.illegal_content}"
    yield ""
    yield f"**3.3 Other information:** {says.more or 'none'}"


def _general(says: Sayings, figures: Figures, model: ModelFile, run: Run) -> Iterator[str]:
    provider, placed = says.provider, says.model
    yield from ("", "## 1. General information", "")
    yield f"**1.1 Provider:** {provider.name}, {provider.contact}. Authorised representative:"
    yield f"{provider.representative or 'none'}."
    yield ""
    continues = run.begin.continues if run.begin else None
    goes_on = "none" if continues is None else f"goes on from run {continues}"
    yield f"**1.2 Model:** {placed.name}, SHA-256 `{model.file_sha256}`, {run}, trained {run.time}."
    yield f"Depends on other models: {goes_on}."
    yield from (
        f"Began with the weights `{base['checkpoint_sha256']}` of the house {base['house']}, "
        f"behind which are {base['works']:,} works."
        for base in model.manifest.bases_named()
    )
    yield f"Placed on the market: {placed.placed_on_market or 'not'}."
    yield ""
    yield "**1.3 Modalities and size:** symbolic music (MIDI); no text, picture or sound."
    yield (
        f"{figures.works:,} works, {figures.notes:,} notes, {figures.seconds / 3600:.1f} hours, "
        f"{figures.bytes:,} bytes, entered {figures.first} to {figures.last}; they were "
        f"judged on {model.manifest.judged_on}."
    )


def _sources(sources: Sources, figures: Figures, register: Register) -> Iterator[str]:
    yield from ("", "## 2. Data sources", "")
    for number, name, answer in (
        ("2.1", "Publicly available datasets", sources.public),
        ("2.2", "Private datasets of third parties", sources.third_party),
        ("2.3", "Crawled and scraped from online sources", sources.crawled),
        ("2.4", "User data", sources.user_data),
        ("2.5", "Synthetic data", sources.synthetic),
    ):
        yield f"**{number} {name}:** {_in_words(answer)}"
        yield ""
    made = ", ".join(f"{count} {method}" for method, count in figures.methods.items())
    yield f"**2.6 Other sources:** works of {register.roster.house} by {figures.composers} "
    yield f"composers of its own, each signed by a composer and a curator and in its log ({made}; "
    yield f"{figures.adopted} taken over from another house). {_in_words(sources.other)}"


def _in_words(answer: str | bool) -> str:
    if isinstance(answer, str):
        return f"Yes: {answer}"
    return "Yes." if answer else "No."

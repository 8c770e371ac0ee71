"""The public summary of training content, in the sections of the EU template of July 2025.

Every figure is computed from the house's records and works. What records cannot know (who the
provider is, whether anything else was used) comes from one file that the house writes; an answer
in it that the records contradict stops the summary.

Source: European Commission, template for the public summary of training content of
general-purpose AI models, 24 July 2025 (Regulation (EU) 2024/1689, Article 53(1)(d)).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from gen.disclosure.account import Account
from gen.disclosure.figures import Figures
from gen.disk.reading import FileKind, read_yaml
from gen.errors import HouseError, in_lines, printable
from gen.provenance.history.register import Register
from gen.provenance.records.statement import MACHINE

SAYINGS: Final = FileKind(
    "file of what the house says", 1 << 20, "write it as docs/letter.md shows, section 5"
)


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


def contradictions(says: Sayings, account: Account) -> list[str]:
    """Where the house says no, and its records say otherwise."""
    found, figures = [], account.figures
    if says.sources.third_party is False and figures.adopted:
        found.append(f"third_party: false, and {figures.adopted} works came from another house")
    if says.sources.third_party is False and account.other_houses:
        houses = ", ".join(account.other_houses)
        found.append(f"third_party: false, and it began with a model of {houses}")
    machine = figures.methods.get(MACHINE, 0)
    if says.sources.synthetic is False and (machine or figures.written_by_models):
        found.append(
            f"synthetic: false, and {machine} works are stated to be machine-written, "
            f"{figures.written_by_models} are note for note what a model of the house wrote"
        )
    return found


def summary_of(account: Account, says: Sayings) -> str:
    """The summary as Markdown.

    Raises:
        HouseError: the records contradict what the house says.
    """
    found = contradictions(says, account)
    if found:
        raise HouseError(
            f"the records contradict what the house says:{in_lines(found)}",
            mend="say there what it is, in words, in place of false",
        )
    return "\n".join(map(printable, _lines(says, account))) + "\n"


def _lines(says: Sayings, account: Account) -> Iterator[str]:
    figures, register = account.figures, account.register
    yield "# Public summary of training content"
    yield ""
    yield f"{account.read_from}."
    yield from _general(says, account)
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


def _general(says: Sayings, account: Account) -> Iterator[str]:
    provider, placed = says.provider, says.model
    figures, model, run = account.figures, account.model, account.run
    yield from ("", "## 1. General information", "")
    yield f"**1.1 Provider:** {provider.name}, {provider.contact}. Authorised representative:"
    yield f"{provider.representative or 'none'}."
    yield ""
    yield f"**1.2 Model:** {placed.name}, SHA-256 `{model.file_sha256}`, {run}, trained {run.time}."
    yield f"Depends on other models: {'; '.join(account.before) or 'none'}."
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

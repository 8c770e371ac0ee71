"""The composers' guide says what the code does: words, columns, commands, rules, pictures."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gen.analysis import analyse
from gen.contribution import COLUMNS, find_problem, flow, read_sidecar
from gen.contribution.facts import find_problems
from gen.harmony import GENRES, MOODS, QUALITIES, parse_chord, parse_key, parse_progression
from gen.piece import ROLES, Piece
from gen.provenance.admission.rules import MENDS
from gen.provenance.records.consent import PURPOSES, Consent
from gen.provenance.records.statement import METHODS
from gen.provenance.records.terms import parse_allowed
from gen.smf import RuleBroken, normalise, write
from gen.smf.rules import RULES
from houses import start_house
from midi_files import note, smf

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "composers.md"
TEXT = GUIDE.read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text under a heading that holds `title`."""
    parts = re.split(r"^## ", TEXT, flags=re.MULTILINE)
    return next(part for part in parts if title in part.partition("\n")[0])


def table(text: str, heading: str) -> list[list[str]]:
    """The rows of the table whose head is `heading`."""
    body = text.partition(f"{heading}\n")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in body.splitlines()[1:]]


def block_after(mark: str) -> str:
    return TEXT.partition(f"<!-- {mark} -->\n```\n")[2].partition("```")[0]


def paragraph(name: str) -> str:
    return TEXT.partition(f"**{name}**:")[2].partition("\n\n")[0]


@pytest.fixture(scope="module")
def example() -> Piece:
    """The piece of the pictures."""
    sys.path.insert(0, str(ROOT / "docs" / "composers"))
    try:
        piece: Piece = importlib.import_module("pictures").slate_roofs()
    finally:
        sys.path.pop(0)
    return piece


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("genre", GENRES),
        ("mood", MOODS),
        ("role", ROLES),
        ("method", METHODS),
        ("consent", PURPOSES),
    ],
)
def test_the_guide_lists_exactly_the_words_the_house_knows(name: str, words) -> None:
    rows = dict(table(section("The words the house knows"), "| | use |"))
    assert tuple(re.findall(r"`(\w+)`", rows[name])) == tuple(words)


def test_the_guide_names_every_column_in_order() -> None:
    assert block_after("columns").strip() == ",".join(COLUMNS)


def test_the_example_rows_are_read_and_fit_the_example_piece(tmp_path: Path, example) -> None:
    path = tmp_path / "works.csv"
    path.write_text(block_after("rows"), encoding="utf-8")
    rows = read_sidecar(path)
    assert [p.name for p in rows] == ["slate-roofs.mid", "duo.mid"]
    facts = rows[(tmp_path / "slate-roofs.mid").resolve()]
    assert find_problems(facts, analyse(example), is_signing=True) == []
    duo = rows[(tmp_path / "duo.mid").resolve()]
    assert duo.title == "Two Rivers, One Bridge"
    for name in ("composers", "method", "genre", "mood", "consent"):
        assert find_problem(name, getattr(duo, name), analyse(example)) == ""


def test_what_the_guide_shows_of_the_example_is_what_a_check_finds(example) -> None:
    found = analyse(example)
    assert f"{found.bars} bars, 4/4, 92 quarter notes a minute, {found.key}" in TEXT
    assert f"{found.seconds:.0f} s, {found.notes} notes" in TEXT
    assert f"chords: {' | '.join(found.chords.split(' | ')[:8])} | …" in TEXT
    assert f"\n  sections: {found.sections}\n" in TEXT
    assert f"sections    {found.sections}\n" in TEXT
    assert normalise(write(example)).changes == ()


def test_keys_chords_and_consents_are_written_as_the_house_reads_them() -> None:
    for key in re.findall(r"`([^`]+)`", paragraph("Key")):
        assert parse_key(key)
    chords = re.findall(r"`([^`]+)`", paragraph("Chords"))
    plain = [word for word in chords if re.fullmatch(r"C\w*", word)]
    assert {parse_chord(word).quality for word in plain} == set(QUALITIES)
    assert [len(bar) for bar in parse_progression("Am7 | F C/E | % | G7sus4")] == [1, 2, 2, 1]
    assert "`Am7 | F C/E | % | G7sus4`" in TEXT
    scopes = [row[0].strip("`") for row in table(TEXT, "| | allows |")]
    assert [scope.partition(":")[0] for scope in scopes] == [*PURPOSES[:2], PURPOSES[2], "nothing"]
    allowed = re.findall(r'consent .*--allow(?: "([^"]+)"| (\w+))', TEXT)
    termed = re.findall(r'terms .*--allow "([^"]+)"', TEXT)
    assert len(list(map(parse_allowed, termed))) == 2
    dated = re.findall(r"`([a-z_:]+@[0-9-]+)`", TEXT)
    assert len(allowed) == 2
    assert dated
    for text in [*scopes, *dated, *(quoted or plain for quoted, plain in allowed)]:
        assert str(Consent.parse(text))


def test_the_sections_in_the_guide_are_those_that_the_model_hears() -> None:
    from gen.tokens.vocabulary import SECTIONS
    from gen.tokens.word_ids import section_id

    names = re.findall(r"`([\w-]+)`", paragraph("Sections").partition("The model knows")[2])
    other = section_id("no section")
    assert all(section_id(name) != other for name in names)
    assert {name.lower() for name in names if "-" not in name} == {*SECTIONS} - {"other"}


def test_a_first_table_is_written_as_the_guide_shows(tmp_path: Path, example, monkeypatch) -> None:
    shown = TEXT.partition("--sidecar works.csv\n")[2].partition("```")[0]
    for name, data in {
        "duo.mid": smf(b"", note()),
        "old/broken.mid": smf(b"", note(), note())[:-6],
        "slate-roofs.mid": write(example),
    }.items():
        path = tmp_path / "FOLDER" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    monkeypatch.chdir(tmp_path)
    small = start_house(tmp_path / "house", pin_path=tmp_path / "house" / "pin.yaml")
    monkeypatch.setenv("HOUSE", str(small.folder))
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    words = ["FOLDER", "--composer", "ana", "--sidecar", "works.csv"]
    found = CliRunner().invoke(importlib.import_module("contribute").main, words)
    number = re.compile(r"\d[\d,]*")
    assert number.sub("0", found.stdout.replace("\\", "/")) == number.sub("0", shown)
    assert len(read_sidecar(tmp_path / "works.csv")) == 2


def refusal_rules() -> list[str]:
    rows = table(section("What can go wrong"), "| rule | what it means | what to do |")
    return [row[0].strip("`") for row in rows]


def test_every_rule_in_the_guide_is_one_that_the_code_names() -> None:
    modules = Path(flow.__file__).parent.glob("*.py")
    source = "".join(path.read_text(encoding="utf-8") for path in modules)
    of_contributing = set(re.findall(r'RefusedError\(\s*"([a-z-]+)"', source))
    of_contributing |= flow.ALIKE.keys()
    assert of_contributing >= {"no-notes", "description", "too-similar"}
    assert len(refusal_rules()) >= 10
    assert set(refusal_rules()) <= MENDS.keys() | RULES.keys() | of_contributing


@pytest.mark.parametrize(
    ("rule", "data"),
    [
        ("not-midi", b"RIFF....WAVEfmt "),
        ("smpte-division", b"MThd\0\0\0\6\0\1\0\1\xe7\x28"),
        ("format", b"MThd\0\0\0\6\0\2\0\2\1\xe0"),
        ("truncated", smf(note())[:-6]),
    ],
)
def test_the_guide_explains_what_a_bad_export_is_refused_for(rule: str, data: bytes) -> None:
    with pytest.raises(RuleBroken) as refusal:
        normalise(data)
    assert refusal.value.rule == rule
    assert rule in refusal_rules()


def commands() -> list[list[str]]:
    """Every command line of the guide, as words."""
    shown = re.findall(r"^(?:\$ )?python (scripts/.+)$", TEXT, flags=re.MULTILINE)
    inline = re.findall(r"`python (scripts/[^`]+)`", TEXT)
    return [shlex.split(line, comments=True) for line in [*shown, *inline]]


def command_of(words: list[str], monkeypatch) -> click.Command:
    """The click command that these words call."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    command: click.Command = importlib.import_module(Path(words[0]).stem).main
    if isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words[1])
        assert found is not None, words
        return found
    return command


def test_every_command_in_the_guide_takes_what_it_is_given(monkeypatch) -> None:
    assert len(commands()) >= 12
    for words in commands():
        command = command_of(words, monkeypatch)
        known = {option for param in command.params for option in param.opts}
        given = {word for word in words if word.startswith("--")}
        assert given <= known, words


def anchors_of(page: str) -> set[str]:
    headings = re.findall(r"^##+ (.+)$", page, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


def test_every_link_and_picture_of_the_guide_is_there() -> None:
    anchors = anchors_of(TEXT)
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        if target.startswith("#"):
            assert target[1:] in anchors
        else:
            page, _, anchor = target.partition("#")
            assert (GUIDE.parent / page).is_file(), target
            if anchor:
                assert anchor in anchors_of((GUIDE.parent / page).read_text(encoding="utf-8"))
    assert len(re.findall(r"!\[[^\]]+\]\(composers/[\w-]+\.png\)", TEXT)) == 2
    assert "](docs/composers.md)" in (ROOT / "README.md").read_text(encoding="utf-8")

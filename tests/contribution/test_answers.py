"""People's words become the house's, and long facts change by place."""

from __future__ import annotations

import pytest

from gen.contribution import Drafts, Facts, changed, read_sidecar, shortened, tidy
from gen.errors import SettingError


@pytest.mark.parametrize(
    ("name", "typed", "kept"),
    [
        ("method", "Programmed", "programmed"),
        ("genre", " Pop Ballad ", "pop_ballad"),
        ("genre", "jazz-swing", "jazz_swing"),
        ("mood", "Calm", "calm"),
        ("roles", "Main Melody, bass,DRUMS", "main_melody bass drums"),
        ("roles", "main_melody bass drums", "main_melody bass drums"),
        ("consent", "general_model, evaluation", "general_model evaluation"),
        (
            "consent",
            "General model; Evaluation @ 2030-12-31",
            "general_model evaluation@2030-12-31",
        ),
        ("consent", "Nothing", "nothing"),
        ("consent", "artist_model:ana-lima", "artist_model:ana-lima"),
        ("composers", "Ana:60, Ben:40", "ana:60 ben:40"),
        ("composers", "ana 60 %, ben 40 %", "ana:60 ben:40"),
        ("composers", "ana:60 ben:40", "ana:60 ben:40"),
        ("composers", "ana", "ana"),
        pytest.param("composers", "x" * 100_000, "x" * 100_000, id="a hundred thousand letters"),
        ("sections", "intro: 1, A: 5", "intro:1 A:5"),
        ("instruments", "Geige; E-Bass, Schlagzeug", "violin, fingered bass, drums"),
        ("instruments", "flewt", "flewt"),
        ("title", "  Rain,  twice ", "Rain, twice"),
    ],
)
def test_capitals_commas_and_spaces_do_not_matter(name: str, typed: str, kept: str) -> None:
    assert tidy(name, typed) == kept
    assert tidy(name, kept) == kept


@pytest.mark.parametrize(
    ("name", "before", "answer", "after"),
    [
        ("chords", "C | F | G | C", "2=Dm7", "C | Dm7 | G | C"),
        ("chords", "C | F | G | C", "1-2=Am, 4=F C/E", "Am | Am | G | F C/E"),
        ("chords", "C | F", "Am | G", "Am | G"),
        ("roles", "riff bass drums", "1=main_melody", "main_melody bass drums"),
        ("roles", "riff bass", "1=pad 2=riff", "pad riff"),
        ("instruments", "flute, violin", "2=drums", "flute, drums"),
        ("title", "A", "2=B", "2=B"),
    ],
)
def test_a_place_of_a_long_fact_is_changed_and_the_rest_stays(name, before, answer, after) -> None:
    assert changed(name, before, answer) == after


def test_a_place_that_is_not_there_is_refused() -> None:
    with pytest.raises(SettingError, match="bar 9 is not there"):
        changed("chords", "C | F", "9=G")


def test_long_progressions_are_shown_short_with_their_number_of_bars() -> None:
    assert shortened("chords", " | ".join("C" * 40)).endswith("C | C | … (40 bars)")
    assert shortened("chords", "C | F") == "C | F"
    assert shortened("title", "x" * 200) == "x" * 200


def test_drafts_are_kept_by_music_and_house_until_they_are_forgotten(tmp_path) -> None:
    drafts, facts = Drafts("lantern", tmp_path / "drafts"), Facts(title="Über", method="played")
    assert drafts.read(b"music") is None
    drafts.keep(b"music", facts)
    assert drafts.read(b"music") == facts
    assert drafts.read(b"other") is None
    assert Drafts("other", tmp_path / "drafts").read(b"music") is None
    (place,) = (tmp_path / "drafts").iterdir()
    for damaged in (b"{", b"[]", b'{"title": 1}', b'{"unknown": "x"}'):
        place.write_bytes(damaged)
        assert drafts.read(b"music") is None
    drafts.forget(b"music")
    assert not place.exists()


@pytest.mark.parametrize(
    "written",
    [
        "file,title\r\na.mid,Prélude\r\n".encode("cp1252"),
        "file,title\r\na.mid,Prélude\r\n".encode("mac_roman"),
        "file\ttitle\r\na.mid\tPrélude\r\n".encode("utf-16"),
        "\ufefffile;title\r\na.mid;Prélude\r\n".encode(),
        "sep=;\r\nfile;title\r\na.mid;Prélude\r\n".encode("cp1252"),
        '"sep=;"\r\nfile;title\r\na.mid;Prélude\r\n'.encode(),
        "File, Title ,,\r\na.mid,Prélude,,\r\n,,,\r\n,,,\r\n".encode(),
        ",,\r\nFILE,TITLE,\r\na.mid,Prélude,\r\n".encode(),
    ],
)
def test_a_table_is_read_as_spreadsheets_write_it(tmp_path, written: bytes) -> None:
    path = tmp_path / "works.csv"
    path.write_bytes(written)
    assert read_sidecar(path) == {(tmp_path / "a.mid").resolve(): Facts(title="Prélude")}


def test_a_backslash_divides_folders_on_every_system(tmp_path) -> None:
    path = tmp_path / "works.csv"
    path.write_text("file,method\nold\\a.mid,Played\n", encoding="utf-8")
    assert read_sidecar(path) == {(tmp_path / "old" / "a.mid").resolve(): Facts(method="played")}

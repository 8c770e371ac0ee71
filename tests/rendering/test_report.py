"""The page is one offline file: escaped, relative, labelled."""

import dataclasses
import re
from urllib.parse import unquote

import pytest

from gen.errors import HouseError
from gen.rendering import PieceEntry, Row, page, piano_roll
from html_pages import Page

HOSTILE = "<script>alert(\"x\")</script> & 'quotes'"


@pytest.fixture
def entry(piece, tmp_path):
    folder = tmp_path / "pieces & more"
    roll = piano_roll(piece, folder / "a #1.png")
    for name in ("a #1.mid", "a #1.wav", "a #1.json", "a #1.musicxml"):
        (folder / name).write_bytes(b"x")
    return PieceEntry(
        HOSTILE,
        roll,
        folder / "a #1.mid",
        folder / "a #1.wav",
        folder / "a #1.musicxml",
        folder / "a #1.json",
        summary=HOSTILE,
        rows=(Row("key", HOSTILE, "A minor", True), Row("mood", "sad", "calm", False)),
        originality=HOSTILE,
        record=(("Manifest", "sha256:" + "3f" * 32), ("Seed", "7")),
    )


def written(entries, path, **settings):
    return page(entries, path, title=HOSTILE, **settings).read_text(encoding="utf-8")


def test_what_people_wrote_is_escaped_everywhere(entry, tmp_path):
    text = written([entry], tmp_path / "index.html", facts=[(HOSTILE, HOSTILE)], note=HOSTILE)
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;") >= 9
    parsed = Page(text)
    assert parsed.open == []
    assert len(parsed.all("script")) == 1


def test_page_reaches_for_nothing_outside_its_folder(entry, tmp_path):
    text = written([entry], tmp_path / "index.html")
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)


def test_every_link_is_relative_and_leads_to_a_file(entry, tmp_path):
    parsed = Page(written([entry], tmp_path / "sub" / "index.html"))
    links = [a["href"] for a in parsed.all("a") if not a["href"].startswith("#")]
    links += [a["src"] for tag in ("img", "audio") for a in parsed.all(tag) if "src" in a]
    assert len(links) == 6
    for link in links:
        assert not link.startswith("/")
        assert (tmp_path / "sub" / unquote(link)).is_file()


def test_pictures_players_and_downloads_are_labelled(entry, tmp_path):
    parsed = Page(written([entry, entry], tmp_path / "index.html"))
    assert all(a["aria-label"] for a in parsed.all("audio"))
    pictures = [a for a in parsed.all("img") if "src" in a]
    assert all("Piano roll of" in a["alt"] and int(a["width"]) == 1920 for a in pictures)
    ids = [a["id"] for _, a in parsed.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert [a["lang"] for a in parsed.all("html")] == ["en"]


def test_receipt_shows_what_was_kept_and_missed_and_short_digests(entry, tmp_path):
    text = written([entry], tmp_path / "index.html")
    assert text.count('aria-label="kept"') == text.count('aria-label="missed"') == 1
    assert "1 of 2 settings missed" in text
    assert f'<code title="{"3f" * 32}">3f3f3f3f3f3f…</code>' in text


def test_an_entry_with_only_a_picture_and_a_file_is_enough(entry, tmp_path):
    plain = PieceEntry("Rain", entry.piano_roll, entry.midi)
    parsed = Page(written([plain], tmp_path / "index.html"))
    assert not parsed.all("audio")
    assert not parsed.all("details")


def test_same_entries_give_the_same_bytes(entry, tmp_path):
    assert written([entry], tmp_path / "a.html") == written([entry], tmp_path / "b.html")


def test_a_missing_file_no_piece_or_a_false_picture_is_refused(entry, tmp_path):
    gone = PieceEntry("Rain", entry.piano_roll, tmp_path / "gone.mid")
    with pytest.raises(HouseError, match="not there") as refusal:
        written([gone], tmp_path / "index.html")
    assert refusal.value.where.endswith("gone.mid")
    with pytest.raises(HouseError, match="no piece"):
        written([], tmp_path / "index.html")
    with pytest.raises(HouseError, match="not a PNG"):
        written([PieceEntry("Rain", entry.midi, entry.midi)], tmp_path / "index.html")
    assert not (tmp_path / "index.html").exists()


def test_a_warning_is_told_while_the_receipt_is_closed(entry, tmp_path):
    warned = dataclasses.replace(entry, warning="too <close>", rows=())
    found = page([entry, warned], tmp_path / "index.html", title="T").read_text("utf-8")
    closed = found.split("<details>")[1].split("</summary>")[0]
    assert closed == '<summary>Receipt · <span class="missed">too &lt;close&gt;</span>'

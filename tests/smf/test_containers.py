"""Files that every program opens are read; what holds no music is named in a musician's words."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from gen.smf import RuleBroken, normalise
from gen.smf.containers import describe
from gen.smf.text import decode_text
from midi_files import chunk, meta, note, smf

PLAIN = smf(b"", b"\x00\xc0\x49" + note())


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"RMID" + b"".join(
        kind + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)
        for kind, data in chunks
    )
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def mac_binary(data: bytes) -> bytes:
    head = bytearray(128)
    head[1:6] = b"\x04song"
    head[65:73] = b"MidiMSEQ"
    head[83:87] = len(data).to_bytes(4, "big")
    return bytes(head) + data + bytes(-len(data) % 128) + b"resource fork"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (riff((b"data", PLAIN)), "taken out of its RIFF (.rmi) wrapper"),
        (riff((b"LIST", b"INFOIN"), (b"odd ", b"abc"), (b"data", PLAIN)), "RIFF (.rmi) wrapper"),
        (mac_binary(PLAIN), "taken out of its MacBinary wrapper"),
        (gzip.compress(PLAIN, mtime=0), "taken out of its gzip wrapper"),
        (b"junk!" + PLAIN, "5 bytes before the MIDI header left out"),
        (PLAIN + bytes(1600), "1,600 zeros after the last track left out"),
        (PLAIN + b"\x1a\x00", "2 stray bytes after the last track left out"),
        (PLAIN + 300 * chunk(b"XFIH", b"12"), "600 bytes of 300 foreign chunks 'XFIH' left out"),
    ],
)
def test_wrappers_come_off_with_one_line_and_the_music_stays_as_it_was(data, said) -> None:
    found = normalise(data)
    assert found.data == PLAIN
    assert len(found.changes) == 1
    assert said in found.changes[0]


def test_a_header_may_count_a_foreign_chunk_but_not_a_track_that_is_missing() -> None:
    counted = PLAIN[:10] + b"\x00\x03" + PLAIN[12:]
    found = normalise(counted + chunk(b"XFIH", b"abcd"))
    assert found.piece.note_count == 1
    with pytest.raises(RuleBroken, match="declares 3 tracks, the file holds 2"):
        normalise(counted)


@pytest.mark.parametrize("inside", [b"<Ableton/>", bytes(70 << 20)])
def test_what_gzip_packed_is_a_project_where_it_is_no_midi_file(inside: bytes) -> None:
    with pytest.raises(RuleBroken, match="a packed file, as projects of Ableton Live are"):
        normalise(gzip.compress(inside))


def test_what_gzip_packed_is_no_larger_than_a_file_may_be() -> None:
    with pytest.raises(RuleBroken, match="it holds more than 4,194,304 bytes"):
        normalise(gzip.compress(PLAIN + bytes(70 << 20)))


def test_stray_bytes_between_tracks_are_skipped() -> None:
    place = PLAIN.rindex(b"MTrk")
    found = normalise(PLAIN[:place] + b"\0" + PLAIN[place:])
    assert found.piece.note_count == 1
    assert "1 stray byte between tracks left out" in found.changes


def test_two_files_in_one_are_not_heard_at_once() -> None:
    one = smf(note(60))
    with pytest.raises(RuleBroken, match="second MIDI file") as broken:
        normalise(one + one)
    assert "file of its own" in broken.value.mend


def test_a_type_2_file_of_one_track_has_one_reading() -> None:
    found = normalise(smf(b"\x00\xc0\x49" + note(), file_format=2))
    assert found.piece.note_count == 1
    assert "a type-2 file of a single track read as type 0" in found.changes


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty (0 bytes)"),
        (bytes(64), "nothing but zeros"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "WAV audio"),
        (b"FORM\0\0\0\x10AIFFCOMM", "AIFF audio"),
        (b"ID3\x04\0\0", "MP3 audio"),
        (b"SMF2CLIP\x00\x40\x00\x00", "a MIDI 2.0 clip"),
        (b"PK\x03\x04\x14\0", "a zip archive"),
        (b"<?xml version='1.0'?><score-partwise/>", "a MusicXML score"),
        (b"<REAPER_PROJECT 0.1", "a project of REAPER"),
        (b"RIFF\0\0\0\x20NUNDROOT", "a project of Cubase"),
        (b"\x18FICHIER GUITAR PRO v5.00", "a tablature of Guitar Pro"),
        (b"\x00\x05\x16\x07\x00\x02\x00\x00", "what macOS keeps beside a file"),
        (b"%PDF-1.4", "a PDF"),
        (b"rubbish", "a text"),
        (b"\x07\x08\x00\xff", "does not begin with a MIDI header"),
        (riff((b"LIST", b"INFO")), "a RIFF (.rmi) file without MIDI data"),
    ],
)
def test_what_is_no_midi_file_is_named_in_words(data: bytes, said: str) -> None:
    with pytest.raises(RuleBroken) as refusal:
        normalise(data)
    assert refusal.value.rule == "not-midi"
    assert said in refusal.value.found
    assert "b'" not in str(refusal.value)
    assert refusal.value.mend


@pytest.mark.parametrize(
    ("place", "mark", "said"),
    [
        (0, b"SMF2CLIP", "a MIDI 2.0 clip"),
        (0, b"SMF2CON", "a MIDI 2.0 container"),
        (8, b"WAVE", "WAV audio"),
        (8, b"AVI ", "a video"),
        (8, b"AIFF", "AIFF audio"),
        (8, b"AIFC", "AIFF audio"),
        (0, b"ID3", "MP3 audio"),
        (0, b"\xff\xfb", "MP3 audio"),
        (0, b"\xff\xf3", "MP3 audio"),
        (0, b"fLaC", "FLAC audio"),
        (0, b"OggS", "Ogg audio"),
        (0, b"caff", "Core Audio"),
        (4, b"ftyp", "MP4 audio"),
        (8, b"sfbk", "a SoundFont"),
        (0, b"XFIH", "a Yamaha style"),
        (0, b"FLhd", "a project of FL Studio"),
        (0, b"<REAPER_PROJECT", "a project of REAPER"),
        (0, b"\x1f\x8b", "a packed file"),
        (0, b"PK\x03\x04", "a zip archive"),
        (8, b"NUND", "a project of Cubase"),
        (0, b"\x03001011110010101", "a session of Pro Tools"),
        (1, b"FICHIER GUITAR PRO", "a tablature"),
        (0, b"BCFZ", "a tablature"),
        (8, b"XDIR", "(XMI)"),
        (0, b"MUS\x1a", "(MUS)"),
        (0, b"SIBELIUS", "a score of Sibelius"),
        (0, b"\x0fSIBELIUS", "a score of Sibelius"),
        (0, b"ENIGMA", "a score of Finale"),
        (0, b"bplist", "a property list"),
        (0, b"\x23\x47\xc0\xab", "a project of Logic"),
        (0, b"\x00\x05\x16\x07", "what macOS keeps"),
        (0, b"%PDF", "a PDF"),
        (0, b"\x89PNG", "a picture"),
        (0, b"\xff\xd8\xff", "a picture"),
        (0, b"{\\rtf", "a text"),
    ],
)
def test_each_kind_is_known_by_its_mark_there_and_nowhere_else(place, mark, said) -> None:
    before = bytes(range(0xF0, 0xF0 + place))
    assert said in describe(before + mark + b"\x07\xff")[0]
    assert "does not begin with" in describe(b"\xf0" + before + mark + b"\x07\xff")[0]


def test_a_kind_of_change_is_said_in_one_line() -> None:
    parts = [meta(0, 3, b"Part %d\0" % n) + b"\x00\xc0\x00" + note(60 + n) for n in range(20)]
    found = normalise(smf(b"", *parts))
    about_names = [change for change in found.changes if "UTF-8" in change]
    assert about_names == [
        "20 names or markers read as 'Part 0', 'Part 1', 'Part 2', … and written as UTF-8"
    ]
    unended = normalise(smf(*[note(60 + n) for n in range(9)], end=b"")).changes
    assert "tracks 1, 2, 3, 4 and 5 more had no end-of-track event: added" in unended


@pytest.mark.parametrize(
    ("encoding", "texts"),
    [
        ("utf-8", ("Flöte", "バイオリン", "Скрипка")),
        ("utf-8-sig", ("Flöte",)),
        ("utf-16", ("Flöte 1", "Głos", "Скрипка")),
        ("utf-16-le", ("Flöte 1", "Piano")),
        ("utf-16-be", ("Refrain", "Violín")),
        ("cp1252", ("Flöte", "größer", "Prélude n°2 (früh)", "Violão", "Señor", "Übung “Lied”")),
        ("cp1252", ("Orgel \u2013 leise", "Blåsere", "Flûte à bec")),
        ("mac_roman", ("Flöte", "Prélude", "Übung", "Señor", "Kontrabaß", "Ça va", "Trompète")),
        ("cp850", ("Flöte", "Flûte à bec", "Trompète")),
        ("utf-16-le", ("ピアノ", "Скрипка 1", "小提琴", "Violín 2")),
        ("utf-16-be", ("Скрипка", "バイオリン", "Κιθάρα")),
        ("cp1250", ("Żółty", "Skrzypce główne", "Głos")),
        ("cp1251", ("Скрипка", "Гитара 2", "Бас-гитара", "Соло")),
        ("cp932", ("バイオリン", "主旋律 1", "ピアノ", "ﾊﾞｲｵﾘﾝ", "ギター", "イントロ", "サビ")),
        ("cp1253", ("Πιάνο", "Κιθάρα", "Τύμπανα", "Λαϊκό τραγούδι", "Μπουζούκι", "Φωνή 2")),
        ("iso8859_7", ("Άλτο", "Έγχορδα")),
        ("cp1254", ("Bağlama", "Şarkı", "Vurmalı çalgılar", "Giriş", "Yaylılar", "İstanbul")),
        ("koi8_r", ("Скрипка", "Гитара")),
        ("euc_jp", ("フルート", "バイオリン", "ギター 1", "ピアノ", "主旋律", "前奏")),
        ("gb18030", ("钢琴", "吉他", "小提琴", "主旋律", "二胡独奏", "前奏", "电吉他 1", "鼓")),
        ("big5", ("鋼琴", "吉他", "小提琴", "主旋律")),
        (
            "cp949",
            (
                "피아노",
                "기타",
                "드럼",
                "바이올린",
                "현악기",
                "가야금",
                "일렉 기타",
                "전주 1",
                "보컬",
            ),
        ),
    ],
)
def test_names_are_read_in_the_likeliest_encoding(encoding: str, texts) -> None:
    for text in texts:
        assert decode_text(text.encode(encoding)) == text


def test_a_name_that_was_written_as_utf_8_twice_is_read_twice() -> None:
    for text in ("Flöte", "Prélude", "Violão"):
        assert decode_text(text.encode().decode("cp1252").encode()) == text
    assert decode_text("Ä".encode()) == "Ä"


def test_a_zip_archive_is_no_midi_file_even_where_one_lies_in_it_as_it_is() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.mid", PLAIN)
    with pytest.raises(RuleBroken, match="a zip archive") as refused:
        normalise(packed.getvalue())
    assert "unpack it and give the MIDI files in it" in refused.value.mend

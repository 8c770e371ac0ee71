"""Contributing as a composer does: by command, with prompts, with a sidecar, in bulk."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gen import places
from gen.contribution import COLUMNS, Contributor, Facts, Job, Settings, read_sidecar
from gen.contribution import write_sidecar as write_first_sidecar
from gen.contribution.facts import find_problems
from gen.errors import HouseError, SettingError
from gen.likeness.voices import pack_voices, voices_of
from gen.piece import Marker, Note, Piece, Track
from gen.provenance.admission.mark import mark_generated
from gen.provenance.desk.works import withdraw
from gen.provenance.houses.access import default_folder
from gen.provenance.records.pin import Pin
from gen.provenance.records.tag import read_tag
from gen.provenance.signing.canonical import sha256_hex
from gen.safe_parse import SafeReader
from gen.smf import musical_hash, parse, write
from houses import PASSPHRASE, TestHouse, keep_key, key_of, make_midi, make_piece, start_house
from midi_files import note, smf

SCRIPT = Path(__file__).parents[2] / "scripts" / "contribute.py"
PIN_FIELDS = ("root_keys", "threshold", "min_size", "root_hash")
STATED = ("--method", "played", "--consent", "general_model evaluation", "--genre", "waltz")


def distinct_midi(seed: int) -> bytes:
    """A piece that shares no long run with that of another seed."""
    import random

    rng = random.Random(seed)  # noqa: S311
    pitches = [64]
    for _ in range(40):
        pitches.append(min(max(pitches[-1] + rng.choice((-4, -3, -2, -1, 1, 2, 3, 5)), 50), 84))
    notes = [Note(i * 240, 200, pitch, 80) for i, pitch in enumerate(pitches)]
    return write(Piece(480, [Track("Tune", 73, notes=notes)]))


@dataclass
class Desk:
    """A composer's desk: a folder of files, a house, ana's key."""

    house: TestHouse
    folder: Path

    def put(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def arguments(self, *words: str | Path) -> list[str]:
        pin = str(self.house.pin.path)
        return [*map(str, words), "--pin", pin, "--composer", "ana", "--workers", "2"]

    def contribute(self, *words: str | Path, typed: str | None = None) -> Result:
        from gen.cli import contribute

        return CliRunner().invoke(contribute.main, self.arguments(*words), input=typed)

    def report(self, *words: str | Path) -> tuple[list[dict], dict, int]:
        """Outcomes, summary and exit code of a run with --yes --json."""
        found = self.contribute(*words, "--yes", "--json")
        lines = [json.loads(line) for line in found.stdout.splitlines()]
        return lines[:-1], lines[-1]["summary"], found.exit_code

    @property
    def inbox(self) -> list[Path]:
        return sorted((self.house.folder / "inbox").glob("*.mid"))


@pytest.fixture
def desk(house: TestHouse, own_keys: Path, tmp_path: Path, monkeypatch) -> Desk:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    keep_key("ana")
    folder = tmp_path / "works"
    folder.mkdir()
    return Desk(house, folder)


def test_one_file_is_signed_described_and_can_be_accepted(desk: Desk) -> None:
    path = desk.put("small_rain.mid", make_midi(1))
    outcomes, summary, code = desk.report(path, *STATED, "--mood", "calm", "--contract", "C-7")
    assert (code, summary) == (0, {"files": 1, "seen": 1, "contributed": 1})
    tagged = read_tag(desk.inbox[0].read_bytes())
    statement = tagged.statement
    assert statement.work == outcomes[0]["work"] == desk.inbox[0].stem
    assert tagged.music == make_midi(1)
    assert statement.composers == (("ana", 100),)
    assert (statement.method, statement.contract) == ("played", "C-7")
    assert str(statement.consent) == "evaluation general_model"
    description = statement.description
    assert (description.title, description.genre, description.mood) == (
        "Small rain",
        "waltz",
        "calm",
    )
    assert description.roles == ("main_melody", "bass", "drums")
    assert description.key
    assert description.chords.count("|") == 3
    assert len(desk.house.accept().entered) == 1
    assert len(desk.house.admit().admitted) == 1


def test_a_dirty_export_is_mended_and_said_and_the_mended_file_signed(desk: Desk) -> None:
    path = desk.put("dirty.mid", smf(note(60) + note(64, channel=3), file_format=0, end=b""))
    outcomes, _, code = desk.report(path, *STATED)
    assert code == 0
    changes = "\n".join(outcomes[0]["changes"])
    assert "single track split into 2" in changes
    assert "had no end-of-track event" in changes
    piece = parse(read_tag(desk.inbox[0].read_bytes()).music)
    assert [t.notes[0].pitch for t in piece.tracks] == [60, 64]


def test_what_another_reader_reads_otherwise_is_not_signed(desk: Desk, monkeypatch) -> None:
    def otherwise(data: bytes, piece) -> None:
        assert parse(data) == piece
        raise HouseError("mido reads other notes: 3, where we read 2", mend="export it anew")

    monkeypatch.setattr("gen.contribution.flow.check_read_alike", otherwise)
    monkeypatch.setattr("gen.contribution.reading.SafeReader", lambda *_, **__: SafeReader())
    outcomes, _, code = desk.report(desk.put("rain.mid", make_midi(1)), *STATED)
    assert (code, outcomes[0]["rule"]) == (2, "read-otherwise")
    assert "mido reads other notes" in str(outcomes[0])
    assert not desk.inbox


def test_what_the_reading_process_found_alike_is_read_again_once_it_is_changed(
    desk: Desk, monkeypatch
) -> None:
    read = []
    monkeypatch.setattr(
        "gen.contribution.flow.check_read_alike", lambda data, piece: read.append(piece)
    )
    desk.report(desk.put("rain.mid", make_midi(1)), *STATED)
    assert (read, len(desk.inbox)) == ([], 1)
    song = desk.put("sun.mid", make_midi(2))
    desk.report(song, *STATED, "--instruments", "flute, fingered bass, drums")
    assert [piece.tracks[0].instrument for piece in read] == [73]
    assert len(desk.inbox) == 2


def test_a_folder_is_taken_whole_and_a_second_run_finds_it_done(desk: Desk) -> None:
    for seed in range(5):
        desk.put(f"deep/er/{seed}.mid", distinct_midi(seed))
    desk.put("bad.mid", b"rubbish")
    desk.put("empty.MID", smf(b""))
    desk.put("notes.txt", b"no music")
    outcomes, summary, code = desk.report(desk.folder, *STATED)
    assert code == 2
    assert summary == {"files": 7, "seen": 7, "contributed": 5, "refused": 2}
    rules = {Path(o["file"]).name: (o["rule"], bool(o["mend"])) for o in outcomes if o["rule"]}
    assert rules == {"bad.mid": ("not-midi", True), "empty.MID": ("no-notes", True)}
    _, again, _ = desk.report(desk.folder, *STATED)
    assert again == {"files": 7, "seen": 7, "already there": 5, "refused": 2}
    desk.house.accept()
    _, later, _ = desk.report(desk.folder, *STATED)
    assert later == again
    assert desk.inbox == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_or_a_link_to_nothing_is_accounted_for_and_stops_nothing(desk: Desk) -> None:
    desk.put("a.mid", distinct_midi(1))
    os.mkfifo(desk.folder / "pipe.mid")
    (desk.folder / "link.mid").symlink_to(desk.folder / "gone.mid")
    (desk.folder / "folder.mid").mkdir()
    desk.put("folder.mid/b.mid", distinct_midi(2))
    outcomes, summary, code = desk.report(desk.folder, *STATED)
    assert (code, summary) == (2, {"files": 4, "seen": 4, "contributed": 2, "refused": 2})
    assert {Path(o["file"]).name: o["rule"] for o in outcomes if o["rule"]} == {
        "pipe.mid": "unreadable",
        "link.mid": "unreadable",
    }


def test_a_strict_file_that_the_house_has_is_not_read_again(desk: Desk, monkeypatch) -> None:
    for seed in range(3):
        desk.put(f"{seed}.mid", distinct_midi(seed))
    desk.put("dirty.mid", smf(note(60), end=b""))
    desk.report(desk.folder, *STATED)
    read = []
    examine = SafeReader.examine
    monkeypatch.setattr(
        SafeReader, "examine", lambda self, data: read.append(data) or examine(self, data)
    )
    for _ in ("waiting", "accepted"):
        read.clear()
        outcomes, summary, _ = desk.report(desk.folder, *STATED)
        assert summary == {"files": 4, "seen": 4, "already there": 4}
        assert len({outcome["work"] for outcome in outcomes}) == 4
        assert read == [smf(note(60), end=b"")]
        desk.house.accept()
    first = next(iter(desk.house.load().works))
    desk.house.house = withdraw(desk.house.house, [first], key_of("ana"), "a wish")
    outcomes, summary, _ = desk.report(desk.folder, *STATED)
    assert (summary["already there"], summary["refused"]) == (3, 1)
    assert [o["rule"] for o in outcomes if o["rule"]] == ["withdrawn"]


def test_what_waits_is_kept_for_the_next_time_and_what_left_is_dropped(
    desk: Desk, monkeypatch, tmp_path: Path
) -> None:
    def kept() -> list[str]:
        contributor = Contributor(desk.house.house, Settings(is_check=True))
        known = contributor.load()
        assert known
        assert known.unread == []
        assert len(known.screen) == 2
        lines = [line for path in cache.iterdir() for line in path.read_text().splitlines()[1:]]
        return sorted(line[:64] for line in lines)

    for seed in range(2):
        desk.put(f"{seed}.mid", distinct_midi(seed))
    desk.report(desk.folder, *STATED)
    cache = tmp_path / "cache" / "music-house" / "screening" / "lantern.works"
    waiting = sorted(sha256_hex(path.read_bytes()) for path in desk.inbox)
    assert kept() == waiting
    with monkeypatch.context() as patched:
        patched.delattr("gen.contribution.known.read_tag")
        assert kept() == waiting
    desk.house.accept()
    assert kept() == sorted(entry.file_sha256 for entry in desk.house.entries)


def write_sidecar(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_sidecar_describes_each_file_and_options_the_rest(desk: Desk) -> None:
    desk.put("a.mid", distinct_midi(1))
    desk.put("b.mid", distinct_midi(2))
    row = {
        "file": "a.mid",
        "title": "Ünder, the Lamp",
        "composers": "ana:60 ben:40",
        "method": "score",
        "genre": "march",
        "mood": "heroic",
        "key": "D dorian",
        "chords": "Dm7 | G7 | % | Dm7",
        "sections": "A:1 B:3",
        "instruments": "flute",
        "roles": "main_melody",
        "consent": "evaluation artist_model:ana@2099-01-01",
        "contract": "C-2",
    }
    sidecar = write_sidecar(desk.folder / "works.csv", row)
    outcomes, summary, _ = desk.report(desk.folder, "--metadata", sidecar, *STATED)
    assert summary["contributed"] == 2
    by_name = {Path(o["file"]).name: o["facts"] for o in outcomes}
    assert by_name["a.mid"] == {k: v for k, v in row.items() if k != "file"}
    assert (by_name["b.mid"]["method"], by_name["b.mid"]["title"]) == ("played", "B")
    statements = [read_tag(path.read_bytes()).statement for path in desk.inbox]
    described = next(s for s in statements if s.method == "score")
    assert described.composers == (("ana", 60), ("ben", 40))
    assert described.description.sections == "A:1 B:3"
    assert str(described.consent) == "artist_model:ana@2099-01-01 evaluation"


def test_a_first_sidecar_is_written_corrected_and_given_back(desk: Desk) -> None:
    marked = replace(make_piece(1, bars=8), markers=[Marker(0, "Intro"), Marker(7680, "Verse")])
    desk.put("deep/über, alles.mid", write(marked))
    desk.put("other.mid", distinct_midi(2))
    desk.put("bad.mid", b"rubbish")
    sidecar = desk.folder / "works.csv"
    found = desk.contribute(desk.folder, "--sidecar", sidecar, "--mood", "calm")
    assert found.exit_code == 2  # one file is refused, and said
    assert "bad.mid: refused (not-midi)" in found.stdout
    assert f"wrote {sidecar}: 2 rows; correct it, fill in method and consent" in found.stdout
    assert "3 files: 1 refused, 2 checked" in found.stdout
    assert "quarter notes a minute" not in found.stdout
    assert desk.inbox == []
    with sidecar.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["file"] for row in rows] == ["deep/über, alles.mid", "other.mid"]
    assert rows[0] | {"chords": "", "key": ""} == {
        "file": "deep/über, alles.mid", "title": "Über, alles", "composers": "ana:100",
        "method": "", "genre": "", "mood": "calm", "key": "", "chords": "",
        "sections": "intro:1 verse:5", "instruments": rows[0]["instruments"],
        "roles": "main_melody bass drums", "consent": "", "contract": "",
    }  # fmt: skip
    assert rows[0]["chords"].count("|") == 7
    rows[0] |= {"title": "Over", "method": "score", "consent": "evaluation"}
    write_sidecar(sidecar, *rows)
    outcomes, summary, _ = desk.report(desk.folder, "--metadata", sidecar, *STATED)
    assert summary == {"files": 3, "seen": 3, "contributed": 2, "refused": 1}
    facts = {Path(o["file"]).name: o.get("facts") for o in outcomes}
    assert facts["über, alles.mid"] == {k: v for k, v in rows[0].items() if k != "file"} | {
        "genre": "waltz"
    }
    assert facts["other.mid"]["method"] == "played"


def test_a_sidecar_is_never_written_over(desk: Desk) -> None:
    desk.put("a.mid", distinct_midi(1))
    sidecar = desk.put("works.csv", b"file,genre\na.mid,march\n")
    found = desk.contribute(desk.folder, "--sidecar", sidecar)
    assert found.exit_code == 2
    assert "there is a file of this name" in found.stderr
    assert sidecar.read_bytes() == b"file,genre\na.mid,march\n"
    new = desk.folder / "new.csv"
    found = desk.contribute(desk.folder, "--metadata", sidecar, "--sidecar", new, "--json")
    assert found.exit_code == 0
    assert json.loads(found.stdout.splitlines()[0])["status"] == "checked"
    assert "wrote" in found.stderr
    ((_, facts),) = read_sidecar(new).items()
    assert (facts.genre, facts.method) == ("march", "")


def test_a_sidecar_elsewhere_finds_its_files(desk: Desk, tmp_path: Path) -> None:
    path = desk.put("a.mid", distinct_midi(1))
    sidecar = tmp_path / "tables" / "works.csv"
    sidecar.parent.mkdir()
    facts = Facts(title="A", method="score")
    write_first_sidecar(sidecar, {path: facts})
    assert read_sidecar(sidecar) == {path.resolve(): facts}
    with pytest.raises(SettingError, match="there is a file of this name"):
        write_first_sidecar(sidecar, {})
    with pytest.raises(SettingError, match="cannot be written"):
        write_first_sidecar(tmp_path / "nowhere" / "works.csv", {})


def test_the_house_is_named_once_by_the_environment_or_the_folder(desk: Desk, monkeypatch) -> None:
    from gen.cli import contribute

    path = str(desk.put("a.mid", distinct_midi(1)))
    monkeypatch.chdir(desk.folder)
    pin = desk.house.pin
    inside = Pin(pin.name, pin.dir, *[getattr(pin, n) for n in PIN_FIELDS], pin.dir / "pin.yaml")
    inside.save()

    def house_asked() -> Path:
        output = CliRunner().invoke(contribute.main, [path, "--check"]).output
        return Path(output.rpartition(" --house ")[2].strip())

    assert default_folder() == SCRIPT.parents[1] / "data" / "house_midi"
    project = desk.folder.parent / "project"
    (project / "conf" / "house").mkdir(parents=True)
    own = start_house(project / "data" / "house_midi", pin_path=project / "conf/house/own.yaml")
    monkeypatch.setattr(places, "PROJECT", project)
    assert house_asked() == own.folder
    monkeypatch.setenv("HOUSE", str(desk.house.folder))
    assert house_asked() == desk.house.folder
    monkeypatch.delenv("HOUSE")
    (desk.house.folder / "inbox").mkdir(exist_ok=True)
    monkeypatch.chdir(desk.house.folder / "inbox")
    assert house_asked() == desk.house.folder


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,titel\na.mid,x\n", "did you mean 'title'"),
        ("title\nx\n", "no column `file`"),
        ("file\na.mid\na.mid\n", "named twice"),
        ("file,title\n,x\n", "without a file"),
        ("file,title\na.mid,x,y\n", "more cells"),
        ('file,title\na.mid,"x\n', "cannot be read"),
        ("file,title,Title\na.mid,x,y\n", r"column `title` stands twice \(columns 2 and 3\)"),
    ],
)
def test_a_sidecar_that_is_wrong_is_refused_by_line(tmp_path: Path, text, message: str) -> None:
    path = tmp_path / "works.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingError, match=message) as refusal:
        read_sidecar(path)
    assert str(path) in str(refusal.value)


def test_a_sidecar_from_a_spreadsheet_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "works.csv"
    path.write_bytes(b"\xef\xbb\xbffile,title\r\na.mid,Fl\xc3\xb6te\r\n")
    assert read_sidecar(path) == {(tmp_path / "a.mid").resolve(): Facts(title="Flöte")}


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_sidecar_may_divide_its_cells_by_semicolon_or_tab(tmp_path: Path, delimiter) -> None:
    path = tmp_path / "works.csv"
    path.write_bytes("\ufefffile;title\r\na.mid;One, two\r\n".replace(";", delimiter).encode())
    assert read_sidecar(path) == {(tmp_path / "a.mid").resolve(): Facts(title="One, two")}


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--genre", "walz"), "did you mean 'waltz'"),
        (("--mood", "blue"), "mood 'blue' is unknown"),
        (("--key", "H"), "'H' is not a key"),
        (("--chords", "C | X"), "'X'"),
        (("--chords", "C | " * 40 + "C"), "chords are given for 41 bars, the piece has 6"),
        (("--sections", "A:1 B:9"), "section 'B:9' does not fit a piece of 6 bars"),
        (("--sections", "B:3 A:1"), "section 'A:1' does not fit"),
        (("--roles", "bass drums"), "2 role(s) for 1 track(s)"),
        (("--roles", "drums"), "track 1 (Tune) is flute, its role is given as drums"),
        (("--instruments", "flute, violin"), "2 instrument(s) for 1 track(s) with notes"),
        (("--instruments", "flewt"), "'flewt' is no instrument; did you mean 'flute'?"),
        (("--consent", "everything"), "'everything'"),
        (("--consent", "evaluation@2020-01-31"), "evaluation@2020-01-31 ended already"),
        (("--consent", ""), "what the work may be used for has to be stated"),
        (("--method", ""), "how the work was made has to be stated"),
        (("--method", "dreamt"), "'dreamt'"),
        (("--composers", "ana:60"), "sum to 60"),
        (("--composers", "ben:100"), "ana signs but is not among the composers"),
    ],
)
def test_what_is_stated_wrongly_is_refused_in_plain_words(desk: Desk, options, found) -> None:
    path = desk.put("a.mid", distinct_midi(1))
    outcomes, _, code = desk.report(path, *STATED, *options)
    assert code == 2
    assert found in outcomes[0]["found"]
    assert desk.inbox == []


def test_every_problem_is_said_at_once() -> None:
    from gen.analysis import analyse

    wrong = Facts(genre="walz", key="H", sections="A:0", consent="x", method="y")
    assert len(find_problems(wrong, analyse(make_piece(1)), is_signing=True)) == 6


def test_check_signs_nothing_and_needs_neither_key_nor_name(desk: Desk, monkeypatch) -> None:
    from gen.cli import contribute

    monkeypatch.setenv("HOUSE_PASSPHRASE", "wrong")
    path = desk.put("dirty.mid", smf(note(60) + note(64, channel=3), file_format=0))
    words = [str(path), "--check", "--pin", str(desk.house.pin.path)]
    found = CliRunner().invoke(contribute.main, words)
    assert found.exit_code == 0, found.output
    assert "dirty.mid: checked" in found.output
    assert "changed: the single track split into 2 by channel and program" in found.output
    assert "1 acoustic grand piano: acoustic grand piano, " in found.output
    assert "chords: " in found.output
    assert desk.inbox == []


def test_check_works_where_there_is_no_house(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    from gen.cli import contribute

    path = tmp_path / "a.mid"
    path.write_bytes(distinct_midi(1))
    words = [str(path), "--check", "--json", "--house", str(tmp_path / "nowhere")]
    found = CliRunner().invoke(contribute.main, words)
    assert found.exit_code == 0
    assert json.loads(found.stdout.splitlines()[0])["status"] == "checked"


def test_an_excerpt_of_another_composer_s_work_is_refused_with_both_passages(desk: Desk) -> None:
    desk.house.submit(*_tagged_by_ben(distinct_midi(50)))
    desk.house.accept()
    theirs = parse(distinct_midi(50)).tracks[0].notes
    ours = parse(distinct_midi(51)).tracks[0].notes
    line = [n.pitch for n in ours] + [n.pitch + 2 for n in theirs[5:60]]
    notes = [Note(i * 480, 400, pitch, 90) for i, pitch in enumerate(line)]
    path = desk.put("stolen.mid", write(Piece(480, [Track("Tune", 0, notes=notes)])))
    outcomes, _, code = desk.report(path, *STATED)
    assert code == 2
    assert outcomes[0]["rule"] == "too-similar"
    passage = outcomes[0]["screening"]["matches"][0]["passage"]
    assert passage["notes"] > 30
    assert passage["bits"] > outcomes[0]["screening"]["bits"]["block"]
    assert "looked at in vain" in outcomes[0]["screening"]["false_reviews"]
    assert "bars" in passage["ours"]
    assert "bars" in passage["theirs"]
    text = desk.contribute(path, *STATED, "--yes").output
    assert "here   Tune, bars " in text
    assert "there  Tune, bars " in text
    assert desk.inbox == []


def _tagged_by_ben(*files: bytes) -> list[bytes]:
    from houses import tagged

    return [tagged(data, "ben") for data in files]


def test_a_composer_s_own_variation_goes_to_the_curator_marked(desk: Desk) -> None:
    desk.report(desk.put("a.mid", distinct_midi(1)), *STATED)
    notes = [
        Note(n.onset_ticks, 100, n.pitch + 5, 99) for n in parse(distinct_midi(1)).tracks[0].notes
    ]
    path = desk.put("b.mid", write(Piece(480, [Track("Tune", 0, notes=notes)])))
    outcomes, summary, code = desk.report(path, *STATED)
    assert (code, summary["needs review"]) == (0, 1)
    report = (desk.house.folder / "inbox" / f"{outcomes[0]['work']}.screening.json").read_bytes()
    assert json.loads(report)["verdict"] == "review"
    assert len(desk.house.accept().entered) == 2


def test_generated_music_does_not_come_back(desk: Desk) -> None:
    marked = mark_generated(distinct_midi(8), "ab" * 32)
    piece = parse(distinct_midi(9))
    fingerprint = pack_voices(voices_of(piece))
    desk.house.log_output(musical_hash(piece), fingerprint=fingerprint)
    notes = [Note(n.onset_ticks * 2 + 1, 100, n.pitch - 3, 50) for n in piece.tracks[0].notes]
    desk.put("marked.mid", marked)
    desk.put("mark_taken_off.mid", distinct_midi(9))
    desk.put("transposed.mid", write(Piece(960, [Track("new", 40, notes=notes)])))
    outcomes, _, code = desk.report(desk.folder, *STATED)
    assert code == 2
    assert {Path(o["file"]).name: o["rule"] for o in outcomes} == {
        "marked.mid": "generated",
        "mark_taken_off.mid": "generated",
        "transposed.mid": "generated",
    }


def test_a_withdrawn_work_is_refused_even_when_saved_anew(desk: Desk) -> None:
    from gen.provenance.desk.works import withdraw

    (entry,) = desk.house.enter(1)
    withdraw(desk.house.house, [entry.work], key_of("ana"), "contract ended")
    finer = make_piece(1)
    path = desk.put("again.mid", write(_at_double_resolution(finer)))
    outcomes, _, code = desk.report(path, *STATED)
    assert (code, outcomes[0]["rule"]) == (2, "withdrawn")


def _at_double_resolution(piece: Piece) -> Piece:
    tracks = [
        Track(
            t.name + " copy",
            t.program,
            t.is_drum,
            notes=[
                Note(n.onset_ticks * 2, n.duration_ticks * 2, n.pitch, n.velocity) for n in t.notes
            ],
        )
        for t in piece.tracks
    ]
    return Piece(piece.ticks_per_quarter * 2, tracks)


def test_a_rights_holder_s_list_is_compared_with_as_well(desk: Desk, tmp_path: Path) -> None:
    steps = voices_of(parse(distinct_midi(4)))[0].intervals.tolist()
    works = {"holder": "Example", "works": [{"name": "Opus 1", "voices": [steps]}]}
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps(works), encoding="utf-8")
    path = desk.put("a.mid", distinct_midi(4))
    outcomes, _, _ = desk.report(path, *STATED, "--fingerprints", listed)
    assert outcomes[0]["rule"] == "too-similar"
    assert "Example: Opus 1" in json.dumps(outcomes[0])


def test_the_same_music_twice_in_one_run_is_contributed_once(desk: Desk) -> None:
    desk.put("a.mid", distinct_midi(1))
    desk.put("copy.mid", distinct_midi(1))
    _, summary, _ = desk.report(desk.folder, *STATED)
    assert summary == {"files": 2, "seen": 2, "contributed": 1, "already there": 1}


def test_questions_are_answered_and_the_answers_signed(desk: Desk, monkeypatch) -> None:
    path = desk.put("a.mid", distinct_midi(1))
    monkeypatch.setattr("gen.cli.contribute._is_interactive", lambda: True)
    # contribute? title method genre mood key (it is not clear) consent sign?
    answers = ["y", "My Title", "Score", "waltz", "", "", "general_model", "y"]
    found = desk.contribute(path, typed="\n".join(answers) + "\n")
    assert found.exit_code == 0, found.output
    assert "nothing in the work is a third party's material" in found.output
    statement = read_tag(desk.inbox[0].read_bytes()).statement
    assert (statement.description.title, statement.method) == ("My Title", "score")
    assert statement.description.chords


def test_an_answer_that_cannot_be_signed_is_asked_for_again(desk: Desk, monkeypatch) -> None:
    path = desk.put("a.mid", distinct_midi(1))
    monkeypatch.setattr("gen.cli.contribute._is_interactive", lambda: True)
    answers = ["y", "", "", "guessed", "score", "walz", "waltz", "", "", "everything", "nothing",
               "sections", "A:9", "A:1", "y"]  # fmt: skip
    found = desk.contribute(path, typed="\n".join(answers) + "\n")
    assert found.exit_code == 0, found.output
    assert "how the work was made has to be stated" in found.output
    assert "did you mean 'waltz'? use one of" in found.output
    statement = read_tag(desk.inbox[0].read_bytes()).statement
    assert (statement.method, statement.description.genre) == ("score", "waltz")
    assert statement.description.sections == "A:1"
    assert found.output.count("bars, 4/4") == 1  # shown before the questions, not again


def test_the_recap_shows_all_and_any_of_it_is_changed_before_signing(
    desk: Desk, monkeypatch
) -> None:
    path = desk.put("a.mid", make_midi(1))
    monkeypatch.setattr("gen.cli.contribute._is_interactive", lambda: True)
    roles = "2=pad"
    answers = ["y", "", "played", "", "", *unsure(make_midi(1)), roles, "evaluation", "chords",
               "2=Dm7 G7", "co", "contract", "C-9", "title", "Later", "y"]  # fmt: skip
    found = desk.contribute(path, typed="\n".join(answers) + "\n")
    assert found.exit_code == 0, found.output
    assert "You sign:" in found.output
    assert "y, n, h, or one of: title composers" in found.output  # "co" may be two things
    statement = read_tag(desk.inbox[0].read_bytes()).statement
    assert statement.description.title == "Later"
    assert statement.description.chords.split(" | ")[1] == "Dm7 G7"
    assert statement.description.roles == ("main_melody", "pad", "drums")
    assert statement.contract == "C-9"


@pytest.mark.skipif(sys.platform == "win32", reason="no name of a file breaks the line there")
def test_who_is_no_composer_here_is_told_before_signing(desk: Desk, monkeypatch) -> None:
    data = distinct_midi(1)
    path = desk.put("a.mid", data)
    monkeypatch.setattr("gen.cli.contribute._is_interactive", lambda: True)
    answers = ["y", "", "score", "", "", *unsure(data), "", "nothing", "composers"]
    answers += ["ana:60 zoe:40", "ben:100", "ana 60, ben 40", "y"]
    found = desk.contribute(path, typed="\n".join(answers) + "\n")
    assert "no composer of this house: zoe; its composers: ana, ben" in found.output
    assert "you, ana, have to be one of them" in found.output
    assert read_tag(desk.inbox[0].read_bytes()).statement.composers == (("ana", 60), ("ben", 40))


def test_name_of_a_file_says_nothing_to_who_is_asked(desk: Desk, monkeypatch) -> None:
    path = desk.put("a\n  You sign: nothing\n.mid", make_midi(1))
    monkeypatch.setattr("gen.cli.contribute._is_interactive", lambda: True)
    shown = desk.contribute(path, typed="n\n").output
    assert "You sign: nothing" in shown
    assert "  You sign: nothing" not in shown.splitlines()


def unsure(data: bytes) -> list[str]:
    """An empty answer to the question about the key, where it is asked."""
    from gen.analysis import analyse

    return [] if analyse(parse(data)).is_key_clear else [""]


def test_roles_are_asked_with_each_tracks_own_name(desk: Desk, monkeypatch) -> None:
    path = desk.put("a.mid", make_midi(1))
    monkeypatch.setattr("gen.cli.contribute._is_interactive", lambda: True)
    shown = desk.contribute(path, typed="y\n\nplayed\n\n\n\n\n").output
    question = shown.partition("  mood (")[2]
    for number, track in enumerate(parse(make_midi(1)).tracks, 1):
        assert f"{number} {track.name}: " in question


def test_instruments_are_asked_where_the_file_does_not_say_and_stated_ones_are_signed(
    desk: Desk, monkeypatch
) -> None:
    path = desk.put("a.mid", smf(b"", note(60) + note(62) + note(64), note(36) + note(36)))
    monkeypatch.setattr("gen.cli.contribute._is_interactive", lambda: True)
    answers = ["y", "", "played", "", "", "Geige, Schlagzeug", "", "", "nothing", "y"]
    found = desk.contribute(path, typed="\n".join(answers) + "\n")
    assert found.exit_code == 0, found.output
    tagged = read_tag(desk.inbox[0].read_bytes())
    assert [t.instrument for t in parse(tagged.music).tracks] == [40, 128]
    assert tagged.statement.description.roles[1] == "drums"
    assert tagged.statement.musical_hash == musical_hash(parse(tagged.music))


def test_instruments_are_stated_by_option_and_by_column(desk: Desk) -> None:
    data = smf(b"", note(60) + note(62) + note(64))
    desk.put("a.mid", data)
    desk.report(desk.folder / "a.mid", *STATED, "--instruments", "violin")
    desk.put("b.mid", data + bytes(3))
    sidecar = write_sidecar(desk.folder / "t.csv", {"file": "b.mid", "instruments": "Oboe"})
    desk.report(desk.folder / "b.mid", *STATED, "--metadata", sidecar)
    programs = [parse(read_tag(p.read_bytes()).music).tracks[0].program for p in desk.inbox]
    assert sorted(programs) == [40, 68]


def test_answers_are_kept_after_ctrl_c_and_offered_again(desk: Desk, monkeypatch) -> None:
    path = desk.put("a.mid", distinct_midi(1))
    monkeypatch.setattr("gen.cli.contribute._is_interactive", lambda: True)
    stopped = desk.contribute(path, typed="y\nMy Title\nscore\n")  # the input ends: Ctrl-C
    assert stopped.exit_code == 130
    assert "your answers are kept" in stopped.output
    answers = ["y", "", "", "waltz", "", "", "nothing", "n"]
    declined = desk.contribute(path, typed="\n".join(answers) + "\n")
    assert "title [My Title]" in declined.output
    assert "machine) [score]" in declined.output
    assert desk.inbox == []
    signed = desk.contribute(path, typed="\n".join(["y", "", "", "", "", "", "", "y"]) + "\n")
    assert signed.exit_code == 0, signed.output
    statement = read_tag(desk.inbox[0].read_bytes()).statement
    assert (statement.description.title, statement.method) == ("My Title", "score")
    assert statement.description.genre == "waltz"


def test_what_is_stated_now_goes_before_the_answers_of_last_time(desk: Desk, monkeypatch) -> None:
    path = desk.put("a.mid", distinct_midi(1))
    monkeypatch.setattr("gen.cli.contribute._is_interactive", lambda: True)
    desk.contribute(path, typed="y\nMy Title\nscore\n")
    shown = desk.contribute(path, "--title", "Newer", typed="y\n").output
    assert "title [Newer]" in shown


def test_a_passphrase_may_be_typed_three_times(desk: Desk, monkeypatch) -> None:
    path = desk.put("a.mid", distinct_midi(1))
    monkeypatch.setattr("gen.cli.contribute._is_interactive", lambda: True)
    monkeypatch.delenv("HOUSE_PASSPHRASE")
    third = desk.contribute(path, typed=f"wrong one\nwrong two\n{PASSPHRASE}\nn\n")
    assert third.exit_code == 0, third.output
    assert "(2 tries left)" in third.output
    assert "(1 try left)" in third.output
    never = desk.contribute(path, typed="wrong one\nwrong two\nwrong three\n")
    assert never.exit_code == 2
    assert "the passphrase does not open the key of ana" in never.output


def test_a_consent_already_past_is_asked_about(desk: Desk, monkeypatch) -> None:
    path = desk.put("a.mid", distinct_midi(1))
    monkeypatch.setattr("gen.cli.contribute._is_interactive", lambda: True)
    answers = ["y", "", "score", "", "", "", "evaluation@2020-01-31", "evaluation", "y"]
    found = desk.contribute(path, typed="\n".join(answers) + "\n")
    assert "the consent evaluation@2020-01-31 ended already" in found.output
    assert str(read_tag(desk.inbox[0].read_bytes()).statement.consent) == "evaluation"


def test_the_composer_is_found_by_the_key_when_there_is_only_one(desk: Desk) -> None:
    import contribute

    path = desk.put("a.mid", distinct_midi(1))
    words = [str(path), *STATED, "--yes", "--pin", str(desk.house.pin.path)]
    assert CliRunner().invoke(contribute.main, words).exit_code == 0
    assert read_tag(desk.inbox[0].read_bytes()).statement.composers == (("ana", 100),)


def test_without_a_composers_key_who_contributes_is_asked_for(desk: Desk, own_keys: Path) -> None:
    import contribute

    for file in own_keys.glob("*.key"):
        file.unlink()
    path = desk.put("a.mid", distinct_midi(1))
    words = [str(path), *STATED, "--yes", "--pin", str(desk.house.pin.path)]
    found = CliRunner().invoke(contribute.main, words)
    assert found.exit_code == 2
    assert "who contributes to lantern? no composer's key is in your key folder" in found.stderr
    assert "--composer ID; its composers: ana, ben" in found.stderr


def test_the_next_command_is_whole_and_works_as_printed(desk: Desk) -> None:
    import shlex

    import contribute

    path = desk.put("two words.mid", distinct_midi(1))
    checked = desk.contribute(path, "--check", "--title", "It's")
    line = next(li for li in checked.output.splitlines() if li.startswith("Next: "))
    words = shlex.split(line.removeprefix("Next: "))
    assert words[:2] == ["python", "scripts/contribute.py"]
    pin = ["--pin", str(desk.house.pin.path), *STATED, "--yes"]
    done = CliRunner().invoke(contribute.main, [*words[2:], *pin])
    assert done.exit_code == 0, done.output
    assert read_tag(desk.inbox[0].read_bytes()).statement.description.title == "It's"
    work, folder = desk.inbox[0].stem, desk.house.folder
    assert f"Next: python scripts/house.py accept {work} --house {folder}" in done.output


def test_files_that_macos_keeps_beside_others_are_passed_over(desk: Desk) -> None:
    desk.put("a.mid", distinct_midi(1))
    desk.put("._a.mid", b"\x00\x05\x16\x07" + bytes(80))
    desk.put("b.midi2", b"SMF2CLIP\x00\x40")
    found = desk.contribute(desk.folder, *STATED, "--yes")
    assert "1 file passed over that macOS keeps beside others (._…)" in found.stderr
    summary = next(line for line in found.stdout.splitlines() if line.startswith("2 files: "))
    assert "1 refused" in summary
    assert "1 contributed" in summary
    assert "this is no MIDI file but a MIDI 2.0 clip" in found.stdout


def test_a_preview_is_a_picture_and_sound_of_what_is_signed(desk: Desk, tmp_path: Path) -> None:
    path = desk.put("a.mid", smf(b"", note(60) + note(62)))
    folder = tmp_path / "see and hear"
    found = desk.contribute(path, "--check", "--preview", folder)
    assert found.exit_code == 0, found.output
    assert (folder / "a.png").read_bytes()[:4] == b"\x89PNG"
    assert (folder / "a.wav").read_bytes()[:4] == b"RIFF"
    desk.put("more/a.mid", smf(b"", note(67) + note(69)))
    desk.contribute(desk.folder, "--check", "--preview", folder)
    assert (folder / "a (2).png").is_file()


def test_before_answering_one_may_hear_and_see(desk: Desk, monkeypatch) -> None:
    opened: list[Path] = []
    monkeypatch.setattr("gen.cli.preview.open_file", opened.append)
    monkeypatch.setattr("gen.cli.contribute._is_interactive", lambda: True)
    path = desk.put("a.mid", smf(b"", note(60) + note(62)))
    found = desk.contribute(path, typed="h\nn\n")
    assert "a.mid: skipped" in found.output
    assert [place.suffix for place in opened] == [".png", ".wav"]


def test_what_a_check_shows_of_tempo_meter_and_key(desk: Desk) -> None:
    from midi_files import meta

    def shown(*metas: bytes) -> str:
        body = b"".join(metas)
        return desk.contribute(desk.put("a.mid", smf(body, note(69) * 8)), "--check").output

    slow, fast = ((10**6).to_bytes(3, "big"), (5 * 10**5).to_bytes(3, "big"))
    found = shown(meta(0, 0x58, b"\x04\x02\x18\x08"), meta(0, 0x51, slow), meta(1920, 0x51, fast))
    assert "80 quarter notes a minute on average (60 to 120, 1 change)" in found
    assert ", 4/4," in found
    assert "4/4 (assumed: the file says no meter at its start), 120 quarter notes" in shown()
    assert "120 quarter notes a minute (assumed: the file says no tempo)" in shown()
    assert "Db major (as the file states; the notes suggest A m" in shown(meta(0, 0x59, b"\xfb\0"))


def test_check_says_what_is_still_to_be_stated(desk: Desk) -> None:
    path = desk.put("a.mid", distinct_midi(1))
    told = desk.contribute(path, "--check").output
    assert "to be stated before it is signed: method, consent\n" in told
    assert "to be stated" not in desk.contribute(path, "--check", *STATED).output


def test_a_curator_who_contributes_is_told_who_does(desk: Desk) -> None:
    path = desk.put("a.mid", distinct_midi(1))
    from gen.cli import contribute

    arguments = [*desk.arguments(path, "--yes", *STATED), "--composer", "cleo"]
    found = CliRunner().invoke(contribute.main, arguments)
    assert found.exit_code == 2
    assert "cleo is enrolled as curator, not as composer" in found.output


def test_one_unprintable_contract_never_stops_the_rest(desk: Desk) -> None:
    desk.put("a.mid", distinct_midi(1))
    desk.put("b.mid", distinct_midi(2))
    row = {"file": "a.mid", "contract": "C\x072"}
    sidecar = write_sidecar(desk.folder / "works.csv", row)
    outcomes, summary, _ = desk.report(desk.folder, "--metadata", sidecar, *STATED)
    assert (summary["refused"], summary["contributed"]) == (1, 1)
    assert any("contract 'C\\x072' holds control characters" in o["found"] for o in outcomes)


def test_what_is_there_already_says_how_to_state_something_else(desk: Desk) -> None:
    path = desk.put("a.mid", distinct_midi(1))
    desk.report(path, *STATED)
    found = desk.contribute(path, *STATED, "--mood", "calm", "--yes")
    assert "1 file: 1 already there\n" in found.output
    assert "ask a curator to reject it and contribute it again" in found.output


def test_a_composer_may_say_no(desk: Desk, monkeypatch) -> None:
    path = desk.put("a.mid", distinct_midi(1))
    monkeypatch.setattr("gen.cli.contribute._is_interactive", lambda: True)
    found = desk.contribute(path, typed="n\n")
    assert found.exit_code == 0
    assert "a.mid: skipped" in found.output
    assert desk.inbox == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--composer", "nobody", "--yes"), "'nobody' is not in the roster of lantern ("),
        (("--composer", "ben", "--yes"), "no key of ben for lantern ("),
        ((), "there is nobody to ask"),
        (("--review-bits", "60", "--block-bits", "50", "--yes"), "bits must be 0 < review"),
    ],
)
def test_misuse_is_one_message_and_exit_code_2(desk: Desk, words, message: str) -> None:
    path = desk.put("a.mid", distinct_midi(1))
    from gen.cli import contribute

    found = CliRunner().invoke(
        contribute.main, [*desk.arguments(path, *STATED), *words], input=None
    )
    assert found.exit_code == 2
    assert message in found.stderr


def test_a_folder_without_midi_is_said(desk: Desk) -> None:
    assert "no MIDI file found" in desk.contribute(desk.folder, "--yes").stderr


def test_a_passphrase_is_never_guessed(desk: Desk, monkeypatch) -> None:
    path = desk.put("a.mid", distinct_midi(1))
    monkeypatch.delenv("HOUSE_PASSPHRASE")
    found = desk.contribute(path, *STATED, "--yes")
    assert found.exit_code == 2
    assert "set HOUSE_PASSPHRASE" in found.stderr


def test_a_work_that_cannot_be_compared_is_said(desk: Desk) -> None:
    (entry,) = desk.house.enter(1)
    desk.house.path(entry).write_bytes(b"tampered")
    found = desk.contribute(desk.put("a.mid", distinct_midi(1)), *STATED, "--yes")
    assert f"not compared with {entry.path}" in found.stderr


def test_a_file_that_is_gone_or_too_large_is_an_outcome_too(desk: Desk) -> None:
    contributor = Contributor(desk.house.house, Settings(is_check=True, workers=1))
    large = desk.put("large.mid", smf(note()) + bytes(4 * 1024 * 1024))
    jobs = [Job(desk.folder / "gone.mid"), Job(large), Job(desk.put("a.mid", make_midi(1)))]
    found = [(outcome.status, outcome.rule) for outcome in contributor.run(jobs)]
    assert found == [("refused", "unreadable"), ("refused", "too-large"), ("checked", "")]


def test_known_lines_are_kept_and_a_broken_cache_is_rebuilt(desk: Desk, tmp_path: Path) -> None:
    desk.house.enter(1, 2)
    settings = Settings(is_check=True, cache_folder=tmp_path / "lines", workers=1)
    job = Job(desk.put("a.mid", make_midi(1)))

    def compared() -> int:
        contributor = Contributor(desk.house.house, settings)
        known = contributor.load()
        assert known is not None
        assert known.unread == []
        assert [outcome.status for outcome in contributor.run([job])] == ["already there"]
        return len(known.screen)

    assert compared() == 2
    cache = min((tmp_path / "lines" / "lantern.works").iterdir())
    whole = cache.read_bytes()
    for broken in (whole[:-40], b"voices 0\n", b"\xff", whole.replace(b'"pitches"', b'"pitch"')):
        cache.write_bytes(broken)
        assert compared() == 2
        assert cache.read_bytes() == whole


def _run(desk: Desk, *words: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *desk.arguments(*words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_interrupted_by_ctrl_c_nothing_is_half_written_and_a_second_run_goes_on(desk: Desk) -> None:
    count = 120  # enough that the signal comes in time also on a busy machine
    for seed in range(count):
        desk.put(f"{seed}.mid", distinct_midi(seed))
    process = _run(desk, desk.folder, *STATED, "--yes", "--json")
    while not desk.inbox and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130, said
    assert "run again to go on" in said
    assert "Traceback" not in said
    for path in desk.inbox:
        read_tag(path.read_bytes())
    first = len(desk.inbox)
    assert 0 < first < count
    _, summary, code = desk.report(desk.folder, *STATED)
    assert code == 0
    assert summary["seen"] == count
    assert len(desk.inbox) == count


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_what_a_daw_exports_into_a_watched_folder_is_contributed_once_it_is_whole(
    desk: Desk,
) -> None:
    desk.put("before.mid", distinct_midi(1))
    process = _run(desk, "--watch", desk.folder, *STATED, "--yes", "--json")
    assert "watching" in process.stderr.readline()
    music = distinct_midi(2)
    with (desk.folder / "new.mid").open("wb") as file:  # as a DAW writes: in parts
        for part in (music[:40], music[40:90], music[90:]):
            file.write(part)
            file.flush()
            time.sleep(0.2)
    assert json.loads(process.stdout.readline())["status"] == "contributed"
    process.stdout.readline()  # the summary
    desk.put("sub/._new.mid", b"what macOS keeps")
    desk.put("new.mid", distinct_midi(3))
    changed = json.loads(process.stdout.readline())
    assert (Path(changed["file"]).name, changed["status"]) == ("new.mid", "contributed")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert "no longer watching" in said
    assert "Traceback" not in said
    assert len(desk.inbox) == 2


def test_each_file_that_comes_is_asked_about_with_the_key_opened_once(
    desk: Desk, monkeypatch
) -> None:
    monkeypatch.setattr("gen.cli.contribute._is_interactive", lambda: True)
    monkeypatch.delenv("HOUSE_PASSPHRASE")

    def arriving(folder: Path):
        yield desk.put("a.mid", distinct_midi(1))
        yield desk.put("b.mid", distinct_midi(2))
        raise KeyboardInterrupt

    monkeypatch.setattr("gen.cli.contribute.arrivals", arriving)
    answers = ["y", "", "score", "waltz", "", "", "nothing", "y"]
    typed = "\n".join([PASSPHRASE, *answers, *answers]) + "\n"
    found = desk.contribute("--watch", desk.folder, typed=typed)
    assert found.exit_code == 0, found.output
    assert found.output.count("Passphrase of") == 1
    assert len(desk.inbox) == 2


def test_nothing_named_and_nothing_watched_is_a_usage_error(desk: Desk) -> None:
    assert "--watch FOLDER" in desk.contribute().output
    found = desk.contribute("--watch", desk.folder, "--sidecar", desk.folder / "t.csv")
    assert (found.exit_code, "a table is of files" in found.output) == (2, True)


def test_help_comes_quickly() -> None:
    best = min(_processor_seconds_of_help() for _ in range(4))
    assert best < 0.4


def _processor_seconds_of_help() -> float:
    """What one call costs, whatever else the machine does meanwhile."""
    before = os.times()
    subprocess.run([sys.executable, str(SCRIPT), "--help"], check=True, capture_output=True)
    after = os.times()
    used = after.children_user + after.children_system
    return used - before.children_user - before.children_system


def test_contributing_loads_no_training_library() -> None:
    program = (
        "import sys, gen.contribution, gen.likeness.screening\n"
        "heavy = {'torch', 'lightning', 'hydra', 'miditok', 'matplotlib', 'scipy'}\n"
        "print(heavy & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stdout.strip() == "set()", found

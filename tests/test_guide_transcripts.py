"""The composers' guide shows what the commands really print, asked and answered.

Each block of the guide that follows `<!-- transcript NAME -->` is what NAME below prints. After a
wanted change: REWRITE_GUIDE=1 python -m pytest tests/test_guide_transcripts.py, and read the diff.
"""

from __future__ import annotations

import importlib
import os
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from gen.piece import Piece
from gen.provenance.records.enrolment import request_of
from gen.provenance.signing.key_files import keys_folder
from gen.smf import write
from houses import PASSPHRASE, TestHouse, keep_key, key_of, start_house
from midi_files import event, meta, note, smf

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "composers.md"
SHOWN_FOLDER = "/home/ana/Music/tidewater"
SHOWN_KEYS = "/home/ana/.config/music-house/keys"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shows paths as on other systems")


@dataclass
class Desk:
    """Where ana sits: a folder of files, and the house tidewater."""

    house: TestHouse
    folder: Path
    slate_roofs: Piece

    def run(self, line: str, *typed: str, unshown: tuple[str, ...] = ()) -> str:
        """The command as it is shown, and all that it prints while these answers are typed."""
        words = shlex.split(line)[1:]
        script = importlib.import_module(Path(words[0]).stem)
        keys = "".join(f"{answer}\n" for answer in typed)
        found = CliRunner().invoke(script.main, [*words[1:], *unshown], input=keys)
        assert not isinstance(found.exception, Exception), found.output
        text = found.output.replace(str(self.house.folder), SHOWN_FOLDER)
        text = text.replace(str(keys_folder()), SHOWN_KEYS)
        return f"$ {line}\n{text.strip()}\n"


@pytest.fixture
def desk(own_keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    folder = tmp_path / "tidewater"
    house = start_house(folder, "tidewater", pin_path=folder / "pin.yaml")
    for owner in ("ana", "cleo"):
        keep_key(owner, "tidewater")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOUSE", str(folder))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")
    for module in ("contribute", "house_commands.works"):
        monkeypatch.setattr(f"gen.cli.{module}._is_interactive", lambda: True)
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "composers"))
    piece: Piece = importlib.import_module("pictures").slate_roofs()
    (work / "slate-roofs.mid").write_bytes(write(piece))
    (work / "early light.mid").write_bytes(daw_export(piece))
    return Desk(house, work, piece)


def daw_export(piece: Piece) -> bytes:
    """The first bars as a DAW of some years ago wrote them: no programs, names in cp1252."""
    bodies = []
    for track, name in zip(piece.tracks, ("Geige", "Flügel", "E-Baß", "Schlagzeug"), strict=True):
        channel = 9 if track.is_drum else len(bodies)
        body = meta(0, 0x03, name.encode("cp1252")) + event(0, 0xB0 | channel, 7, 100)
        if name == "Geige":
            body += note(24, length=60) + note(25, length=60)  # two keyswitches
        moves = [
            (tick, status | channel, n.pitch, velocity)
            for n in track.notes
            if n.end_ticks < 12 * 1920
            for tick, status, velocity in (
                (n.onset_ticks, 0x90, n.velocity),
                (n.end_ticks, 0x80, 0),
            )
        ]
        last = 120 if name == "Geige" else 0
        for tick, *data in sorted(moves, key=lambda move: (move[0], move[1] & 0xF0)):
            body += event(max(tick - last, 0), *data)
            last = max(tick, last)
        bodies.append(body)
    return smf(meta(0, 0x51, (789_474).to_bytes(3, "big")), *bodies)


def key(desk: Desk) -> str:
    with patch("gen.provenance.signing.keys.PrivateKey.generate", lambda: key_of("ana")):
        return desk.run("python scripts/house.py key ana --name tidewater")


def init(desk: Desk) -> str:
    """By one person, who holds all keys of a house of their own."""
    keys = map(key_of, ("root", "log", "machine", "ana", "cleo"))
    line = (
        "python scripts/house.py init --name tidewater --one-person --person ana:composer "
        '--person cleo:curator --house "$HOUSE"'
    )
    terminal = SimpleNamespace(**{**vars(sys), "stdin": SimpleNamespace(isatty=lambda: True)})
    with (
        patch("gen.provenance.signing.keys.PrivateKey.generate", lambda: next(keys)),
        patch("gen.cli.house_commands.start.sys", terminal),
        patch("gen.cli.house_commands.common.sys", terminal),
        patch.dict(os.environ),
    ):
        os.environ.pop("HOUSE_PASSPHRASE", None)
        folder = desk.folder / "own"
        words = line.replace('"$HOUSE"', str(folder))
        told = desk.run(words, "y", "", PASSPHRASE, PASSPHRASE, unshown=("--kdf-cost", "10"))
    told = told.replace(words, line).replace(str(folder), SHOWN_FOLDER)
    return re.sub(r"--kdf-cost.*\n", "", told)


def enroll(desk: Desk) -> str:
    """By the holder of the root key, in a house that does not know ana yet."""
    folder = desk.folder / "new"
    start_house(folder, "tidewater", people=[], pin_path=folder / "pin.yaml")
    keep_key("root", "tidewater")
    line = "python scripts/house.py enroll ana --role composer"
    request = request_of(key_of("ana"), "tidewater", "ana")
    with patch.dict(os.environ, HOUSE=str(folder)):
        return desk.run(f'{line} --name "Ana Lima" --public {request}', unshown=("--yes",))


def check(desk: Desk) -> str:
    return desk.run('python scripts/contribute.py "early light.mid" --check')


def contribute(desk: Desk) -> str:
    return desk.run(
        "python scripts/contribute.py slate-roofs.mid",
        "y", "Slate Roofs", "Programmed", "film", "cinematic", "nostalgic", "2=accompaniment",
        "general_model, evaluation@2030-12-31", "contract", "C-17", "y",
    )  # fmt: skip


def accept(desk: Desk) -> str:
    contribute(desk)
    return desk.run("python scripts/house.py accept", "y")


def first_table(desk: Desk) -> str:
    folder = desk.folder / "FOLDER"
    (folder / "old").mkdir(parents=True)
    (folder / "duo.mid").write_bytes(smf(b"", note()))
    (folder / "old" / "broken.mid").write_bytes(smf(b"", note(), note())[:-6])
    (folder / "slate-roofs.mid").write_bytes(write(desk.slate_roofs))
    return desk.run("python scripts/contribute.py FOLDER --sidecar works.csv")


def withdraw(desk: Desk) -> str:
    accept(desk)
    (work,) = desk.house.load().works
    line = f'python scripts/house.py withdraw {work} --reason "sold to a film"'
    return desk.run(line, unshown=("--yes",))


TRANSCRIPTS: dict[str, Callable[[Desk], str]] = {
    "key": key, "enroll": enroll, "init": init,
    "check": check, "contribute": contribute, "accept": accept, "first table": first_table,
    "withdraw": withdraw,
}  # fmt: skip


def block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- transcript {name} -->\n```\n)(.*?)(```\n)", re.DOTALL)


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_the_guide_shows_what_the_command_prints(name: str, desk: Desk) -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    printed = TRANSCRIPTS[name](desk)
    shown = block(name).search(guide)
    assert shown, f"the guide has no transcript {name!r}"
    if os.environ.get("REWRITE_GUIDE"):
        text = block(name).sub(lambda found: f"{found[1]}{printed}{found[3]}", guide)
        GUIDE.write_text(text, encoding="utf-8")
        return
    assert shown[2] == printed


def test_every_transcript_of_the_guide_has_its_test() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- transcript ([\w ]+) -->", guide)) == set(TRANSCRIPTS)

"""From nothing to the first accepted work of a house of one's own, at a terminal.

Every `Next:` is played as it is printed, from another folder than the project's.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from at_terminal import CTRL_C, Played, play
from houses import PASSPHRASE
from midi_files import event, meta, note, smf

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no pty")

SCRIPTS = Path(__file__).parents[2] / "scripts"
SECRETS = {"A passphrase": PASSPHRASE, "Passphrase": PASSPHRASE, "Repeat": PASSPHRASE}
SAID = {"method": "score", "consent (": "general_model, evaluation"}
INIT = ["init", "--name", "own", "--kdf-cost", "10"]
PEOPLE = ["--person", "ana:composer", "--person", "cleo:curator"]

Shell = Callable[..., Played]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A terminal in a folder of somebody's music, with the project's Python first on the path."""
    music = tmp_path / "my music"
    music.mkdir()
    names = zip(("Geige", "E-Baß", "Drums"), (0, 1, 9), strict=True)
    tracks = [
        meta(0, 0x03, name.encode()) + b"".join(note(60 + n % 5, c) for n in range(32))
        for name, c in names
    ]
    (music / "rain song.mid").write_bytes(smf(b"", *tracks))
    folders = {"HOUSE_KEYS": "keys", "XDG_CACHE_HOME": "cache", "XDG_STATE_HOME": "state"}
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HOUSE")},
        **{name: str(tmp_path / value) for name, value in folders.items()},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "COLUMNS": "200",
    }

    def run(words: str | list[str], answers: dict[str, str] | None = None, code: int = 0) -> Played:
        line = shlex.split(words) if isinstance(words, str) else words
        if line[0].endswith(".py"):
            line = ["python", os.path.relpath(SCRIPTS / line[0], music), *line[1:]]
        found = play(
            line, {**SECRETS, "Start the house": "y", **(answers or {})}, music, environment
        )
        assert found.code == code, found.text
        return found

    return run


def test_first_work_takes_three_commands_four_passphrases_and_eleven_questions(shell, tmp_path):
    house = str(tmp_path / "own house")
    begun = shell(["house.py", *INIT, *PEOPLE, "--house", house])
    people = shell(begun.next_command)
    assert re.search("ana.*composer", people.text)
    signed = shell(["contribute.py", "rain song.mid", "--house", house], {**SAID, "Sign?": "y"})
    accepted = shell(signed.next_command)
    assert "accepted rain-song" in accepted.text
    played = (begun, signed, accepted)
    assert sum(one.passphrases for one in played) == 4
    questions = sum(len(one.questions) - one.passphrases for one in played)
    assert questions == 11, [one.questions for one in played]


def test_next_after_a_check_asks_what_is_left_and_signs(shell, tmp_path):
    house = str(tmp_path / "own")
    shell(["house.py", *INIT, *PEOPLE, "--house", house])
    checked = shell(
        ["contribute.py", "rain song.mid", "--check", "--title", "It's", "--house", house]
    )
    signed = shell(checked.next_command, {**SAID, "Sign?": "y"})
    assert "title       It's" in signed.text
    assert "accepted it-s" in shell(signed.next_command).text


def test_next_of_a_house_without_people_enrolls_one(shell, tmp_path):
    begun = shell(["house.py", *INIT, "--house", str(tmp_path / "own")])
    assert "enrolled ana (composer)" in shell(begun.next_command, {"Enroll": "y"}).text


def test_next_names_the_pin_where_nothing_leads_to_it(shell, tmp_path):
    where = ["--house", str(tmp_path / "own"), "--pin", str(tmp_path / "pins" / "own.yaml")]
    (tmp_path / "pins").mkdir()
    begun = shell(["house.py", *INIT, *PEOPLE, *where])
    assert "ana" in shell(begun.next_command).text
    checked = shell(["contribute.py", "rain song.mid", "--check", *where])
    signed = shell(checked.next_command, {**SAID, "Sign?": "y"})
    assert "accepted rain-song" in shell(signed.next_command).text


def test_next_of_a_house_that_was_named_from_here_is_whole(shell):
    begun = shell(["house.py", *INIT, *PEOPLE, "--house", "own"])
    assert "--pin" not in begun.next_command
    assert "ana" in shell(begun.next_command).text


def test_next_of_several_works_asks_about_each(shell, tmp_path):
    house = str(tmp_path / "own")
    shell(["house.py", *INIT, *PEOPLE, "--house", house])
    other = smf(b"", event(0, 0xC0, 0) + b"".join(note(50 + n * n % 23) for n in range(40)))
    (tmp_path / "my music" / "other.mid").write_bytes(other)
    signed = shell(["contribute.py", ".", "--house", house], {**SAID, "Sign?": "y"})
    accepted = shell(signed.next_command, {"ccept": "y"})
    assert accepted.text.count("accepted ") >= 2


def test_after_ctrl_c_and_three_wrong_passphrases_the_answers_are_there(shell, tmp_path):
    house = str(tmp_path / "own")
    shell(["house.py", *INIT, *PEOPLE, "--house", house])
    words = ["contribute.py", "rain song.mid", "--house", house]
    stopped = shell(words, {"title": "Regen", "method": "played", "mood": CTRL_C}, code=130)
    assert "your answers are kept; run again to go on" in stopped.text
    wrong = shell(words, {"Passphrase": "not the one"}, code=2)
    assert (wrong.passphrases, "(1 try left)" in wrong.text) == (3, True)
    again = shell(words, {"consent (": "nothing", "Sign?": "n"})
    assert "your answers of last time stand in the brackets" in again.text
    assert [q for q in again.questions if q.startswith("title")] == ["title [Regen]:"]
    signed = shell(words, {"Sign?": "y"})
    assert "title       Regen" in signed.text
    assert "method      played" in signed.text

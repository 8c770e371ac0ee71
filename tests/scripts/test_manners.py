"""Commands of composers and curators end in one message, whatever they are given or meet."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bad_values import make_bad
from gen.disk import Folder
from houses import keep_key, make_midi, start_house, tagged
from tiny_runs import call

SCRIPTS = Path(__file__).parents[2] / "scripts"
HOUSE, CONTRIBUTE = SCRIPTS / "house.py", SCRIPTS / "contribute.py"
LONG = "x" * 100_000
STATED = ("--method", "played", "--consent", "general_model", "--genre", "waltz")


@pytest.fixture
def lived_in(tmp_path, monkeypatch, own_keys):
    """A house with a work and one that waits, and the keys of ana, cleo and the root."""

    monkeypatch.chdir(tmp_path)
    house = start_house(tmp_path / "house")
    for name in ("ana", "cleo", "root"):
        keep_key(name)
    house.enter(1)
    house.submit(tagged(make_midi(2)))
    (tmp_path / "new.mid").write_bytes(make_midi(3))
    return house


def writing_commands(house):
    """Every command that changes a house, as words."""
    work, waits = house.entries[0].work, house.house.store.waiting()[0]
    pin = ("--pin", str(house.pin.path))
    return {
        "contribute": (CONTRIBUTE, "new.mid", "--composer", "ana", "--yes", *STATED, *pin),
        "accept": (HOUSE, "accept", waits, *pin),
        "reject": (HOUSE, "reject", waits, "--reason", "no", "--yes", *pin),
        "withdraw": (HOUSE, "withdraw", work, "--yes", *pin),
        "consent": (HOUSE, "consent", work, "--allow", "evaluation", "--yes", *pin),
        "enroll": (HOUSE, "enroll", "fay", "--role", "composer", "--yes", "--kdf-cost", "10", *pin),
        "revoke": (HOUSE, "revoke", "ben", "--departed", "--yes", *pin),
        "rotate": (HOUSE, "rotate", "--renew", "--yes", *pin),
    }


NAMES = ("contribute", "accept", "reject", "withdraw", "consent", "enroll", "revoke", "rotate")


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def check_message(done):
    assert done.code == 2, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 2000


@pytest.mark.parametrize("name", NAMES)
def test_every_writing_command_does_its_work_here(lived_in, name):
    """Else the tests below would test nothing."""
    done = call(*writing_commands(lived_in)[name])
    assert done.code == 0, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_full_disk_at_each_write_leaves_the_house_whole(lived_in, name, monkeypatch):
    """The first write fails, then the second …, until none is left to fail."""
    words = writing_commands(lived_in)[name]
    real = Folder._write_new
    for number in range(20):
        left = [number]

        def write(self, files, left=left):
            if left[0] == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            left[0] -= 1
            real(self, files)

        with monkeypatch.context() as patch:
            patch.setattr(Folder, "_write_new", write)
            done = call(*words)
        if done.code == 0:
            break
        check_message(done)
        assert "No space left on device" in done.stderr
        assert str(lived_in.folder) in done.stderr
        assert "make room" in done.stderr
        audit = call(HOUSE, "audit", "--json", "--pin", str(lived_in.pin.path))
        assert audit.code == 0, audit.stdout
        if lived_in.house.register_log.head().size > 2:
            break  # the act is entered: what is missing is the next command's to finish
        assert not (lived_in.folder / ".journal").exists()
    assert number > 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("folder", ["", "inbox", "ana", "withdrawn"])
def test_folder_that_is_not_writable_is_found_before_the_act_is_entered(
    lived_in, name, folder, monkeypatch
):
    real = Folder.is_writable
    before = contents(lived_in.folder)
    asked = []

    def is_writable(self, place=""):
        asked.append(place)
        return place != folder and real(self, place)

    monkeypatch.setattr(Folder, "is_writable", is_writable)
    done = call(*writing_commands(lived_in)[name])
    if folder in asked:
        check_message(done)
        assert "you may not write in this folder" in done.stderr
        assert contents(lived_in.folder) == before
    else:
        assert done.code == 0, done.stderr
    assert "" in asked


@pytest.mark.parametrize(
    "words",
    [
        ("audit", "--pin", LONG),
        ("show", LONG),
        ("verify", "--proof", LONG),
        ("audit", "--purpose", LONG),
        ("show", "--house", LONG),
        ("withdraw", LONG, "--yes"),
        ("enroll", LONG, "--role", "composer", "--yes"),
        ("enroll", "fay", "--role", "composer", "--public", LONG, "--yes"),
        ("init", "--name", LONG, "--house", "elsewhere", "--yes"),
        (LONG,),
        ("show", f"--{LONG}"),
        ("prove", "--act", "9" * 5000),
        ("export", "--out", LONG),
    ],
)
def test_endless_names_are_shortened(lived_in, words):
    where = () if {"--house", "--pin"} & set(words) else ("--pin", str(lived_in.pin.path))
    words = words if len(words) == 1 else (*words, *where)
    check_message(call(HOUSE, *words))


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "sparse", "deep", "nul", "text"])
@pytest.mark.parametrize(
    "words",
    [
        (HOUSE, "verify", "--proof", "bad"),
        (HOUSE, "verify", "--checkpoint", "bad"),
        (HOUSE, "accept", "--all", "--fingerprints", "bad"),
        (CONTRIBUTE, "new.mid", "--check", "--fingerprints", "bad"),
        (CONTRIBUTE, "new.mid", "--check", "--metadata", "bad"),
        (CONTRIBUTE, "bad", "--check"),
    ],
    ids=lambda words: " ".join(str(w) for w in words[1:]),
)
def test_named_file_that_is_no_such_file_ends_in_a_message(lived_in, tmp_path, words, kind):
    path = tmp_path / "bad"
    make_bad(path, kind)
    if kind == "folder" and words[1] == "bad":
        pytest.skip("contributing a folder takes what is in it")
    check_message(call(*words, "--pin", str(lived_in.pin.path)))


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "sparse", "deep", "nul", "text"])
def test_pin_that_is_no_pin_ends_in_a_message(lived_in, tmp_path, kind):
    make_bad(tmp_path / "bad", kind)
    for words in ((HOUSE, "show"), (CONTRIBUTE, "new.mid", "--composer", "ana", "--yes")):
        check_message(call(*words, "--pin", "bad"))


NO_TEXT = os.fsdecode(b"so\xff\xfeng.mid")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems know no such name")
def test_file_whose_name_is_no_text_can_be_contributed(lived_in):
    Path(NO_TEXT).write_bytes(make_midi(77, 8))
    words = ("--composer", "ana", "--yes", *STATED, "--pin", str(lived_in.pin.path))
    done = call(CONTRIBUTE, NO_TEXT, *words)
    assert done.code == 0, done.stderr
    assert [name for name in lived_in.house.store.waiting() if "song" in name]


@pytest.mark.parametrize("words", [
    ("sample.py", f"continue={NO_TEXT}"), ("train.py", f"ckpt={NO_TEXT}"),
    ("evaluate.py", f"checkpoint={NO_TEXT}"),
])  # fmt: skip
def test_setting_that_is_no_text_is_refused_by_its_name(lived_in, words):
    done = call(HOUSE.parent / words[0], *words[1:])
    assert (done.code, "no text in UTF-8" in done.stderr) == (2, True)


def test_terminal_escapes_and_turned_writing_are_spelled_out(lived_in):
    """A note beside a rejected work is signed by nobody."""
    (work,) = lived_in.house.store.waiting()
    pin = ("--pin", str(lived_in.pin.path))
    assert call(HOUSE, "reject", work, "--reason", "no", "--yes", *pin).code == 0
    reason = "\x1b[2Kaccepted \u202egnp\x9b"
    note = json.dumps({"by": "cleo", "reason": reason, "time": "2030-01-01T00:00:00Z"})
    (lived_in.folder / "rejected" / f"{work}.json").write_text(note)
    shown = call(HOUSE, "show", "--composer", "ana", *pin).stdout
    assert "\\u001b[2Kaccepted \\u202egnp\\u009b" in shown
    told = call(HOUSE, "show", "--composer", "ana", "--json", *pin).stdout
    assert not {"\x1b", "\u202e", "\x9b"} & set(shown + told)
    assert any(reason in item["note"] for item in json.loads(told)["works"])


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_show_on_a_terminal_without_the_letters(lived_in, encoding):
    lived_in.submit(tagged(make_midi(9), title="雨 Größe"))
    done = subprocess.run(
        [sys.executable, HOUSE, "show", "--inbox", "--pin", str(lived_in.pin.path)],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert "waiting: 2 works" in done.stdout.decode(errors="replace")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device here")
def test_show_into_a_full_disk(lived_in):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, HOUSE, "show", "--pin", str(lived_in.pin.path)],
            stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr

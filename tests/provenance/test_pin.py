import dataclasses
import os

import pytest

from gen.provenance.records.pin import Pin, PinError, find_pin, load_pin, place_for


@pytest.fixture
def project(tmp_path):
    (tmp_path / "conf" / "house").mkdir(parents=True)
    return tmp_path


def make_pin(project, **changes):
    pin = Pin(
        "lantern",
        project / "data" / "house_midi",
        ("ab" * 32,),
        1,
        7,
        "cd" * 32,
        project / "conf" / "house" / "lantern.yaml",
    )
    pin = dataclasses.replace(pin, **changes)
    pin.save()
    return pin


def test_pin_is_written_and_read_back(project):
    pin = make_pin(project)
    assert load_pin(pin.path) == pin
    text = pin.path.read_text()
    assert 'dir: "data/house_midi"' in text
    assert str(project) not in text


def test_pin_inside_a_house_is_relative_to_it(tmp_path):
    pin = make_pin(tmp_path, dir=tmp_path, path=tmp_path / "pin.yaml")
    assert load_pin(pin.path).dir == tmp_path.resolve()
    assert 'dir: "."' in pin.path.read_text()


def test_pin_of_a_house_elsewhere_names_its_whole_path(project, tmp_path_factory):
    far = tmp_path_factory.mktemp('far "away"')
    pin = make_pin(project, dir=far)
    assert load_pin(pin.path).dir == far.resolve()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name: lantern", "name: No Name", "name is 'No Name'"),
        ('dir: "data/house_midi"', "dir: 7", "dir is 7"),
        ("threshold: 1", "threshold: 0", "threshold is 0"),
        ("threshold: 1", "threshold: yes", "threshold is True"),
        ("min_size: 7", "min_size: 0", "min_size is 0"),
        ("min_size: 7", "", "has exactly the fields"),
        ("min_size: 7", "min_size: 7\nverify: false", "has exactly the fields"),
        ("root_hash: ", "root_hash: x", "root_hash is 'x"),
        ("  - ab", "  - x", "root_keys are fingerprints"),
        ("name: lantern", "name: !!python/object/apply:os.getcwd []", "is no plain YAML"),
        ("name: lantern", "name: [", "is no plain YAML"),
    ],
)
def test_other_pins_are_refused(project, old, new, words):
    pin = make_pin(project)
    text = pin.path.read_text()
    assert old in text
    pin.path.write_text(text.replace(old, new))
    with pytest.raises(PinError) as caught:
        load_pin(pin.path)
    assert words in str(caught.value)
    assert str(pin.path) in str(caught.value)


def test_missing_pin_is_named(tmp_path):
    with pytest.raises(PinError, match="there is no trust pin"):
        load_pin(tmp_path / "none.yaml")


def test_pin_is_found_by_the_houses_folder(project):
    pin = make_pin(project)
    assert find_pin(pin.dir, project) == pin
    with pytest.raises(PinError, match="no trust pin names this folder"):
        find_pin(project / "other", project)


def test_new_pins_go_to_conf_inside_the_project_only(project, tmp_path_factory):
    inside = place_for(project / "data" / "mine", "mine", project)
    assert inside == project / "conf" / "house" / "mine.yaml"
    outside = tmp_path_factory.mktemp("outside")
    assert place_for(outside / "mine", "mine", project) == outside / "mine" / "pin.yaml"


def test_no_pin_is_taken_from_above_the_current_folder(project, monkeypatch):
    pin = make_pin(project)
    (project / "a" / "b").mkdir(parents=True)
    for folder in (project, project / "a" / "b", pin.dir):
        folder.mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(folder)
        with pytest.raises(PinError, match="no trust pin names this folder"):
            find_pin(pin.dir)
    monkeypatch.setattr("gen.places.PROJECT", project)
    assert find_pin(pin.dir) == pin


def test_pin_in_memory_is_saved_nowhere(project):
    make_pin(project, path=None)
    assert not list(project.rglob("*.yaml"))


def test_pin_that_cannot_be_written_stays_behind_and_holds(house, monkeypatch):
    before = house.pin

    def deny(self):
        raise PermissionError(13, "read-only")

    monkeypatch.setattr(Pin, "save", deny)
    house.enter(1)
    assert house.pin == before
    assert len(house.admit().admitted) == 1


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "sparse", "loop", "bomb"])
def test_pin_that_is_no_small_file_of_text_ends_in_a_message(project, kind):
    path = make_pin(project).path
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "bomb":
        lines = [f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(30)]
        path.write_text("\n".join(["a0: &a0 [x]", *lines]))
    else:
        with path.open("wb") as file:
            file.truncate(2 << 30)
    with pytest.raises(PinError):
        load_pin(path)

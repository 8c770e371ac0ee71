"""Files below a folder: no link is followed at any level, with handles and without."""

import os

import pytest

from gen.disk import Folder, UnfitFileError, folder, writing


@pytest.fixture(params=["by handles", "by looking"])
def inside(request, tmp_path, monkeypatch):
    """A folder with a file beside it, outside; as on Linux and macOS, then as on Windows."""
    monkeypatch.setattr(folder, "HAS_HANDLES", request.param == "by handles")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    (tmp_path / "house").mkdir()
    return Folder(tmp_path / "house")


@pytest.fixture
def outside(tmp_path):
    """What lies outside, and that it stays so."""
    yield tmp_path / "outside"
    assert os.listdir(tmp_path / "outside") == ["secret"]
    assert (tmp_path / "outside" / "secret").read_bytes() == b"secret"


USES = {
    "read": lambda f, place: f.read(place, 100),
    "open": lambda f, place: f.open(place).close(),
    "change": lambda f, place: f.open_to_change(place).close(),
}
CHANGES = {
    "write": lambda f, place: f.write({place: b"x"}),
    "move there": lambda f, place: f.move("other", place),
    "move away": lambda f, place: f.move(place, "taken"),
    "remove": lambda f, place: f.remove(place),
}


@pytest.mark.parametrize("use", [*USES, *CHANGES])
def test_folder_that_is_a_link_is_refused(inside, outside, use):
    inside.write({"other": b"other"})
    (inside.root / "inbox").symlink_to(outside, target_is_directory=True)
    with pytest.raises(UnfitFileError, match="'inbox' is a symbolic link") as caught:
        {**USES, **CHANGES}[use](inside, "inbox/secret")
    assert caught.value.rule == "symlink"


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("link", ["symbolic", "hard"])
def test_file_that_is_a_link_is_not_opened(inside, outside, use, link):
    place = inside.root / "f"
    if link == "symbolic":
        place.symlink_to(outside / "secret")
    else:
        os.link(outside / "secret", place)
    with pytest.raises(UnfitFileError, match=r"a symbolic link|has 2 names"):
        USES[use](inside, "f")


def test_link_is_replaced_moved_and_removed_itself(inside, outside):
    for name in ("a", "b", "c"):
        (inside.root / name).symlink_to(outside / "secret")
    inside.write({"a": b"x"})
    inside.move("b", "withdrawn/b")
    inside.remove("c")
    assert (inside.root / "a").read_bytes() == b"x"
    assert (inside.root / "withdrawn" / "b").is_symlink()
    assert not inside.exists("c")


@pytest.mark.parametrize(
    "place", ["", "..", "../x", "a/../b", "/etc/x", "a/b/c", "a\\b", "C:x", "./a", "a//b", "a\0"]
)
def test_place_outside_is_no_place(inside, outside, place):
    for use in (*USES.values(), *CHANGES.values()):
        with pytest.raises(UnfitFileError, match="no place inside a house"):
            use(inside, place)


def test_what_is_written_is_read_again(inside):
    files = {f"works/{n}": bytes([n]) * n for n in range(200)} | {"top": b"t"}
    inside.write(files)
    assert {place: inside.read(place, 200) for place in files} == files
    assert inside.names() == ["top", "works"]
    assert len(inside.names("works")) == 200
    assert inside.names("absent") == []


def test_limit_counts(inside):
    inside.write({"f": b"12345"})
    assert inside.read("f", 5) == b"12345"
    with pytest.raises(UnfitFileError, match="more than 4 bytes"):
        inside.read("f", 4)
    with pytest.raises(FileNotFoundError):
        inside.read("none", 4)
    assert inside.read_if_there("none", 4) is None


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_only_a_regular_file_is_read(inside, kind):
    if kind == "folder":
        (inside.root / "f").mkdir()
    else:
        os.mkfifo(inside.root / "f")
    with pytest.raises(UnfitFileError, match=f"a {kind}"):
        inside.read("f", 100)


def test_folder_is_removed_with_what_lies_in_it(inside, outside):
    inside.remove_folder("journal")
    inside.write({"journal/x": b""})
    (inside.root / "journal" / "link").symlink_to(outside, target_is_directory=True)
    inside.remove_folder("journal")
    assert not inside.exists("journal")
    (inside.root / "journal").symlink_to(outside, target_is_directory=True)
    inside.remove_folder("journal")
    assert not inside.exists("journal")


def test_failed_write_leaves_the_old_bytes_and_nothing_beside_them(inside, monkeypatch):
    inside.write({"a": b"old", "b": b"old"})

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "sync_files", fail)
    with pytest.raises(OSError, match="No space"):
        inside.write({"a": b"new", "b": b"new"})
    assert inside.names() == ["a", "b"]
    assert (inside.root / "a").read_bytes() == b"old"


def test_folder_swapped_for_a_link_while_it_is_used_is_noticed(tmp_path, monkeypatch):
    """Without handles: what was opened in between is refused."""
    monkeypatch.setattr(folder, "HAS_HANDLES", False)
    inside = Folder(tmp_path)
    inside.write({"inbox/f": b"mine"})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "f").write_bytes(b"theirs")
    real = folder.open_plain

    def swap(spot, flags):
        os.rename(tmp_path / "inbox", tmp_path / "away")
        (tmp_path / "inbox").symlink_to(tmp_path / "other", target_is_directory=True)
        return real(spot, flags)

    monkeypatch.setattr(folder, "open_plain", swap)
    with pytest.raises(UnfitFileError):
        inside.read("inbox/f", 10)


def test_steps_of_an_atomic_write_come_in_order(tmp_path, monkeypatch):
    steps = []
    for name in ("_write_new", "_rename", "_sync"):
        real = getattr(Folder, name)

        def step(self, *arguments, name=name, real=real):
            steps.append(name)
            return real(self, *arguments)

        monkeypatch.setattr(Folder, name, step)
    Folder(tmp_path).write({"a": b"1", "b": b"2"})
    assert steps == ["_write_new", "_rename", "_rename", "_sync"]


def test_bytes_are_on_the_disk_before_anything_is_renamed(tmp_path, monkeypatch):
    found = []
    monkeypatch.setattr(os, "fsync", lambda fd: found.append(os.fstat(fd).st_size))
    real = os.replace

    def rename(*arguments, **more):
        found.append("rename")
        return real(*arguments, **more)

    monkeypatch.setattr(os, "replace", rename)
    Folder(tmp_path).write({"a": b"12345", "b": b"123"})
    assert found[:4] == [5, 3, "rename", "rename"]


def test_what_is_no_file_of_its_own_is_named_with_its_place_and_how_to_mend_it(inside):
    (inside.root / "head.json").mkdir()
    (inside.root / "inbox").write_bytes(b"")
    with pytest.raises(UnfitFileError) as refused:
        inside.read("head.json", 100)
    assert (refused.value.what, refused.value.where) == ("a folder", str(inside.root / "head.json"))
    assert "last intact copy" in refused.value.mend
    with pytest.raises(UnfitFileError, match="no folder") as refused:
        inside.look("inbox/rain.mid")
    assert "put the house's own folder in its place" in refused.value.mend

"""Files that a person names: kind, size, and what they hold."""

import json
import os

import pytest

from gen.disk import reading
from gen.disk.reading import FileKind, NamedFileError, read, read_json, read_text, read_yaml

SMALL = FileKind("small file", 100, "name a small file")
SMALL_YAML = FileKind("file of settings", 4_000)


def test_link_that_a_person_names_is_followed(tmp_path):
    (tmp_path / "f").write_bytes(b"hello")
    (tmp_path / "link").symlink_to(tmp_path / "f")
    assert read(tmp_path / "link", SMALL) == b"hello"


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "socket"])
def test_what_is_no_regular_file_is_named_at_once(tmp_path, kind):
    path = tmp_path / "f"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        import socket

        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    with pytest.raises(NamedFileError, match=f"is a {kind}, and should be a small file") as caught:
        read(path, SMALL)
    assert caught.value.where == str(path)
    assert caught.value.mend == SMALL.mend


def test_sparse_file_of_terabytes_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "f").open("wb") as file:
        file.truncate(2 << 40)
    with pytest.raises(NamedFileError, match="2,199,023,255,552 bytes, too large for a small"):
        read(tmp_path / "f", SMALL)


def test_file_that_grows_while_it_is_read_is_refused(tmp_path, monkeypatch):
    (tmp_path / "f").write_bytes(b"x" * 200)
    monkeypatch.setattr(reading, "_check", lambda *_: None)
    with pytest.raises(NamedFileError, match="too large"):
        read(tmp_path / "f", SMALL)


@pytest.mark.parametrize("name", ["none", "f/below", "a\0b", "x" * 100_000])
def test_name_of_nothing_is_an_error_of_a_few_lines(tmp_path, name):
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(NamedFileError, match="cannot be read") as caught:
        read(tmp_path / name, SMALL)
    assert len(str(caught.value)) < 700


def test_unreadable_file_is_named(tmp_path, monkeypatch):
    (tmp_path / "f").write_bytes(b"")

    def deny(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", deny)
    with pytest.raises(NamedFileError, match=r"cannot be read \(Permission denied\)"):
        read(tmp_path / "f", SMALL)


def test_text_loses_its_byte_order_mark_and_nothing_else(tmp_path):
    (tmp_path / "f").write_bytes(b"\xef\xbb\xbfh\xc3\xa9\r\n")
    assert read_text(tmp_path / "f", SMALL) == "hé\r\n"
    (tmp_path / "f").write_bytes(b"ab\xff")
    with pytest.raises(NamedFileError, match=r"is not UTF-8 \(byte 2\)"):
        read_text(tmp_path / "f", SMALL)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[" * 200_000, "[" * 200_000 + "]" * 200_000, '{"a":' * 65 + "1" + "}" * 65, "\0"],
)
def test_json_that_is_damaged_or_deep_is_refused(tmp_path, text):
    (tmp_path / "f").write_text(text)
    with pytest.raises(NamedFileError, match="is damaged: no JSON"):
        read_json(tmp_path / "f", FileKind("file", 1 << 20))


def test_brackets_inside_texts_count_for_nothing(tmp_path):
    value = {"a": ["[" * 500 + '\\"' + "{" * 500], "b": [[1]] * 100}
    (tmp_path / "f").write_text(json.dumps(value))
    assert read_json(tmp_path / "f", FileKind("file", 1 << 20)) == value


@pytest.mark.parametrize(
    "text", ["a: &x [1]\nb: *x", "!!python/object:os.system {}", "[" * 200_000, "a: [", "\0"]
)
def test_yaml_with_anchors_tags_or_depth_is_refused(tmp_path, text):
    (tmp_path / "f").write_text(text)
    with pytest.raises(NamedFileError, match="is no plain YAML"):
        read_yaml(tmp_path / "f", FileKind("file", 1 << 20))


def test_yaml_is_as_deep_as_it_may_be_and_no_deeper(tmp_path):
    most, path = reading.MOST_LEVELS, tmp_path / "f"
    path.write_text("[" * most + "1" + "]" * most)
    assert str(read_yaml(path, SMALL_YAML)).strip("[]") == "1"
    path.write_text("[" * (most + 1) + "]" * (most + 1))
    with pytest.raises(NamedFileError, match="nested too deep"):
        read_yaml(path, SMALL_YAML)
    path.write_text("- [1]\n" * (2 * most))  # many beside each other
    assert read_yaml(path, SMALL_YAML) == [[1]] * (2 * most)


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a:\n- {b: 1, b: 2}\n"])
def test_yaml_with_a_key_twice_is_refused(tmp_path, text):
    (tmp_path / "f").write_text(text)
    with pytest.raises(NamedFileError, match="stands there twice"):
        read_yaml(tmp_path / "f", SMALL_YAML)


def test_digest_is_that_of_all_bytes(tmp_path):
    import hashlib

    data = bytes(range(256)) * 10_000
    (tmp_path / "f").write_bytes(data)
    found = reading.sha256_of(tmp_path / "f", FileKind("file", 1 << 30))
    assert found == hashlib.sha256(data).hexdigest()


@pytest.mark.skipif(not hasattr(os, "set_blocking"), reason="no such files here")
def test_stream_that_calls_itself_a_file_keeps_nobody_waiting(tmp_path, monkeypatch):
    """As /proc/kmsg does."""
    waiting, _ = os.pipe()
    os.set_blocking(waiting, False)
    monkeypatch.setattr(reading, "_descriptor", lambda path, kind: os.dup(waiting))
    with pytest.raises(NamedFileError, match="waits for something, as no file does"):
        read(tmp_path / "stream", SMALL)
    with reading.opened(tmp_path / "stream", SMALL) as file:
        with pytest.raises(OSError, match="waits for something") as caught:
            file.read(8)
        assert caught.value.filename == str(tmp_path / "stream")


def test_a_kind_that_says_no_mend_has_one(tmp_path):
    with pytest.raises(NamedFileError) as caught:
        read(tmp_path / "none", SMALL_YAML)
    assert "whether the name is right" in caught.value.mend

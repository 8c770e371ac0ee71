"""Files of weights: the header is looked at before the rest is read."""

import pytest

from gen.disk.reading import NamedFileError
from gen.disk.weights import read_weights


def test_whole_file_is_read(tmp_path):
    path = tmp_path / "w"
    path.write_bytes((8).to_bytes(8, "little") + b'{"a": 1}' + b"rest")
    assert read_weights(path) == path.read_bytes()


@pytest.mark.parametrize(
    "data",
    [b"", b"1234567", bytes(100), b"\xff" * 100, (500_000).to_bytes(8, "little") + b"[" * 500_000],
)
def test_what_begins_otherwise_is_refused(tmp_path, data):
    (tmp_path / "w").write_bytes(data)
    with pytest.raises(NamedFileError, match="is not a checkpoint of this format"):
        read_weights(tmp_path / "w")


def test_sparse_gigabytes_are_refused_by_their_first_bytes(tmp_path):
    with (tmp_path / "w").open("wb") as file:
        file.truncate(2 << 30)
    with pytest.raises(NamedFileError, match="is not a checkpoint of this format"):
        read_weights(tmp_path / "w")

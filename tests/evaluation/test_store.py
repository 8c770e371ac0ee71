from __future__ import annotations

import json

import pytest

from gen.errors import HouseError
from gen.evaluation.store import Store


def test_a_part_is_made_once_for_one_cause_and_anew_for_another(tmp_path):
    made = []
    store = Store(tmp_path / "parts")

    def make():
        made.append(1)
        return {"value": len(made)}

    assert store.get("a/b", {"seed": 1}, make) == {"value": 1}
    assert Store(tmp_path / "parts").get("a/b", {"seed": 1}, make) == {"value": 1}
    assert store.get("a/b", {"seed": 2}, make) == {"value": 2}


def test_a_part_that_was_cut_short_is_made_anew(tmp_path):
    store = Store(tmp_path)
    store.get("a", 1, lambda: "x")
    (tmp_path / "a.json").write_text('{"key": "')
    assert store.get("a", 1, lambda: "y") == "y"
    (tmp_path / "a.json").write_text("[]")
    assert store.get("a", 1, lambda: "z") == "z"


def test_what_fails_leaves_no_part(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        store.get("a", 1, lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(ValueError, match="JSON"):
        store.get("a", 1, lambda: float("nan"))
    assert list(tmp_path.iterdir()) == []
    assert json.dumps(store.get("a", 1, lambda: None)) == "null"


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HouseError, match="cannot be written"):
        Store(tmp_path / "file").get("a", 1, lambda: 1)

from __future__ import annotations

import json

import pytest

from gen.errors import HouseError
from gen.evaluation.store import PartStore


def test_a_part_is_made_once_for_one_cause_and_anew_for_another(tmp_path):
    made = []
    store = PartStore(tmp_path / "parts")

    def make():
        made.append(1)
        return {"value": len(made)}

    assert store.get("a/b", {"seed": 1}, make) == {"value": 1}
    assert PartStore(tmp_path / "parts").get("a/b", {"seed": 1}, make) == {"value": 1}
    assert store.get("a/b", {"seed": 2}, make) == {"value": 2}


def test_a_part_that_was_cut_short_is_made_anew(tmp_path):
    store = PartStore(tmp_path)
    store.get("a", 1, lambda: "x")
    (tmp_path / "a.json").write_text('{"key": "')
    assert store.get("a", 1, lambda: "y") == "y"
    (tmp_path / "a.json").write_text("[]")
    assert store.get("a", 1, lambda: "z") == "z"


def test_what_fails_leaves_no_part(tmp_path):
    store = PartStore(tmp_path / "parts")
    with pytest.raises(KeyboardInterrupt):
        store.get("a", 1, lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(ValueError, match="JSON"):
        store.get("a", 1, lambda: float("nan"))
    assert list((tmp_path / "parts").glob("*")) == []
    assert json.dumps(store.get("a", 1, lambda: None)) == "null"


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HouseError, match="cannot be written"):
        PartStore(tmp_path / "file").get("a", 1, lambda: 1)


def test_an_edited_part_is_measured_again_and_that_is_said(tmp_path, caplog):
    store, path = PartStore(tmp_path), tmp_path / "a.json"
    store.get("a", 1, lambda: {"bits": 5.0})
    assert store.get("a", 1, lambda: {"bits": 9.0}) == {"bits": 5.0}
    assert caplog.text == ""
    kept = json.loads(path.read_bytes())
    for edited in ({**kept, "value": {"bits": 1.0}}, {**kept, "seal": "00"}, {**kept, "seal": 3}):
        path.write_text(json.dumps(edited))
        assert store.get("a", 1, lambda: {"bits": 5.0}) == {"bits": 5.0}
        assert "measured again" in caplog.text
        caplog.clear()
    del kept["seal"]
    path.write_text(json.dumps(kept))
    assert store.get("a", 1, lambda: {"bits": 5.0}) == {"bits": 5.0}
    assert "measured again" in caplog.text


def test_a_part_moved_to_another_cause_is_not_believed(tmp_path):
    store, path = PartStore(tmp_path), tmp_path / "a.json"
    store.get("a", 1, lambda: "of one")
    value = json.loads(path.read_bytes())
    store.get("a", 2, lambda: "of two")
    other = json.loads(path.read_bytes())
    path.write_text(json.dumps({**value, "key": other["key"]}))
    assert store.get("a", 2, lambda: "anew") == "anew"


def test_a_part_of_another_user_is_not_believed(tmp_path, monkeypatch):
    PartStore(tmp_path).get("a", 1, lambda: "theirs")
    monkeypatch.setattr("gen.evaluation.store.user_secret", lambda: b"another")
    assert PartStore(tmp_path).get("a", 1, lambda: "ours") == "ours"
    monkeypatch.setattr("gen.evaluation.store.user_secret", lambda: b"")
    assert PartStore(tmp_path).get("a", 1, lambda: "no secret") == "no secret"

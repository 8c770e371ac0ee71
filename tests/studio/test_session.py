"""Where a studio says that it is: for its own user, while it is open."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gen.studio import session
from gen.studio.session import StudioSession, announced


def test_the_file_is_its_users_alone_and_goes_with_the_studio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state" / "studio.json"
    monkeypatch.setenv("HOUSE_STUDIO", str(path))
    with announced(StudioSession("http://127.0.0.1:1", "secret")) as said:
        assert said == path
        assert json.loads(path.read_text())["address"] == "http://127.0.0.1:1"
        if os.name == "posix":
            assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


def test_a_link_in_its_place_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, path = tmp_path / "target", tmp_path / "studio.json"
    target.write_text("mine")
    path.symlink_to(target)
    monkeypatch.setenv("HOUSE_STUDIO", str(path))
    with announced(StudioSession("http://127.0.0.1:1", "secret")):
        assert not path.is_symlink()
    assert target.read_text() == "mine"


def test_whoever_looks_while_it_is_written_finds_no_half_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "studio.json"
    monkeypatch.setenv("HOUSE_STUDIO", str(path))
    seen = []

    def before_it_has_its_name(new: Path, target: Path) -> None:
        seen.append((target.exists(), json.loads(new.read_text())["token"]))
        os.replace(new, target)

    monkeypatch.setattr(session, "replace", before_it_has_its_name)
    with announced(StudioSession("http://127.0.0.1:1", "secret")):
        assert seen == [(False, "secret")]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_its_place_stays_and_the_studio_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "studio.json"
    path.mkdir()
    monkeypatch.setenv("HOUSE_STUDIO", str(path))
    with announced(StudioSession("http://127.0.0.1:1", "secret")) as said:
        assert said is None
    assert list(tmp_path.iterdir()) == [path]

"""Where a studio says that it is: for its own user, while it is open."""

from __future__ import annotations

import json
import os
import webbrowser
from pathlib import Path

import pytest

from desks import TOKEN, served
from gen.cli import studio as command
from gen.studio import session
from gen.studio.desk import Desk
from gen.studio.serving.guard import leading_to
from gen.studio.session import StudioSession, announced, kept_while_open


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


def test_the_browser_is_led_in_by_a_page_of_its_users_own(
    tmp_path: Path, desk: Desk, browser, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """Whatever a program is called with, others on the same computer can read."""
    called: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: called.append(address) or True)
    path = tmp_path / "open.html"
    with served(desk) as address:
        entering = f"{address}/?token={TOKEN}"
        with kept_while_open(path, leading_to(entering).encode()) as page:
            command._open_browser(page)
            assert TOKEN not in called[0]
            if os.name == "posix":
                assert path.stat().st_mode & 0o777 == 0o600
            context = browser.new_context()
            opened = context.new_page()
            opened.goto(called[0])
            opened.wait_for_url(f"{address}/create")
            opened.get_by_role("button", name="Keys (0 open)").wait_for()
            context.close()
    assert not path.exists()
    command._open_browser(None)
    assert (len(called), "open the address" in capsys.readouterr().err) == (1, True)

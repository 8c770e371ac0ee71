"""--help explains every setting of the scripts that Hydra starts, from conf/ alone, and at once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from gen.cli.explained import WIDTH, settings
from gen.cli.sample import texts_quoted
from gen.harmony import GENRES, MOODS
from gen.piece import ROLES
from gen.places import CONF

ROOTS = sorted(path.stem for path in CONF.glob("*.yaml"))


def composed(root: str, *overrides: str) -> dict:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return OmegaConf.to_container(compose(root, list(overrides)), resolve=True)


def leaves(values: dict, prefix: str = "") -> set[str]:
    found = set()
    for name, value in values.items():
        place = f"{prefix}{name}"
        found |= leaves(value, f"{place}.") if isinstance(value, dict) else {place}
    return found


@pytest.mark.parametrize("root", ROOTS)
def test_every_setting_is_explained_once(root):
    told = [setting.name for setting in settings(root)]
    assert len(told) == len(set(told))
    assert leaves(composed(root)) <= set(told)
    assert all(setting.meaning and setting.heading for setting in settings(root))


def test_what_is_asked_of_a_piece_comes_in_groups_and_with_examples_that_can_be_typed():
    found = list(settings("sample"))
    assert [h.split()[0] for h in dict.fromkeys(s.heading for s in found)] == [
        "A", "From", "From", "How", "What",
    ]  # fmt: skip
    typed = [texts_quoted(setting.example.replace('"', "")) for setting in found]
    assert composed("sample", *typed).keys() == composed("sample").keys()


@pytest.mark.parametrize(("name", "words"), [("genre", GENRES), ("mood", MOODS), ("roles", ROLES)])
def test_all_that_may_be_chosen_is_named(name, words):
    (setting,) = (setting for setting in settings("sample") if setting.name == name)
    told = setting.meaning.replace("one a track:", "").replace(",", "").replace(" or ", " ").split()
    assert told == list(words)


@pytest.mark.parametrize("root", ROOTS)
def test_help_comes_quickly_fits_a_terminal_and_names_the_presets(root):
    before = os.times()
    done = subprocess.run(
        [sys.executable, str(CONF.parent / "scripts" / f"{root}.py"), "--help"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    after = os.times()
    used = after.children_user + after.children_system
    assert used - before.children_user - before.children_system < 0.5
    assert "given as name=value" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= WIDTH
    for setting in settings(root):
        assert f"\n  {setting.example}" in done.stdout
    if root == "sample":
        presets = {path.stem for path in (CONF / "controls").glob("*.yaml")}
        assert presets <= set(done.stdout.replace(",", " ").split())


def test_help_may_be_cut_off_by_its_reader():
    script = [sys.executable, str(CONF.parent / "scripts" / "sample.py"), "--help"]
    process = subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


@pytest.mark.parametrize(("raised", "said"), [("KeyboardInterrupt", "stopped"), ("OSError", None)])
def test_ctrl_c_while_the_rest_is_imported_is_no_traceback(raised, said):
    code = f"from gen.cli.explained import begin; begin('sample', ''); raise {raised}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CONF.parent / "scripts", capture_output=True, text=True
    )
    assert done.returncode != 0
    assert ("Traceback" in done.stderr) == (said is None)
    assert said is None or done.stderr.strip() == said

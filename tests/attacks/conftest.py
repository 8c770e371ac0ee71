"""A house under attack: each refusal is what the public commands say, not the gate alone."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner

from gen.errors import printable
from houses import TestHouse, keep_key, start_house
from tiny_runs import train

SCRIPTS = Path(__file__).parents[2] / "scripts"
STATED = ("--method", "played", "--consent", "general_model evaluation", "--genre", "waltz")


class AttackedHouse(TestHouse):
    """A house that is asked by `house.py`, `contribute.py` and `train.py`."""

    def rules(self, purpose: str = "general_model") -> dict[str, str]:
        """Place → rule of every refused file; training must not begin where there is one."""
        code, told = self.audit(purpose)
        assert code == (2 if told["refused"] else 0), told
        found = {item["path"]: item["rule"] for item in told["refused"]}
        if found:
            said = self.refuse_training(purpose)
            shown = [f"{printable(path)}: refused ({rule})" for path, rule in found.items()]
            assert all(line in said for line in shown), said
        return found

    def audit(self, purpose: str = "general_model") -> tuple[int, dict]:
        """Exit code and answer of `house.py audit`."""
        return self._run("house", "audit", "--purpose", purpose)

    def verify_checkpoint(self, path: Path) -> list[str]:
        """What `house.py verify --checkpoint` finds to be looked at."""
        code, told = self._run("house", "verify", "--checkpoint", path)
        assert code == (2 if told["problems"] else 0), told
        return told["problems"]

    def refuse_training(self, purpose: str = "general_model") -> str:
        """What `train.py` says when it ends before its first step."""
        done = train(f"pin={self.pin.path}", f"purpose={purpose}")
        assert done.code == 2, done.stdout
        assert "Traceback" not in done.stderr
        assert not list(Path.cwd().rglob("*.safetensors"))
        return done.stderr

    def contribute(self, midi: bytes) -> str:
        """The rule by which `contribute.py` refuses a file of ana's; "" where it takes it."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "export.mid"
            path.write_bytes(midi)
            words = (path, "--composer", "ana", "--workers", "1", "--yes", *STATED)
            code, told = self._run("contribute", *words)
        assert code == (2 if told["status"] == "refused" else 0), told
        return told["rule"]

    def smuggle(self, tagged: bytes) -> str:
        """The rule by which `house.py accept` leaves a file that lies in the inbox unasked."""
        (result,) = self.submit(tagged)
        assert not result.rule, result
        code, told = self._run("house", "accept", "--all", "--curator", "cleo")
        rules = {item["work"]: item["rule"] for item in told["refused"]}
        assert code == (2 if rules else 0), told
        return rules.get(result.work, "")

    def ask(self, *words: object, code: int = 0) -> str:
        """What `house.py` answers, with this exit code."""
        main = importlib.import_module("house").main
        given = [*map(str, words), "--yes", "--pin", str(self.pin.path)]
        done = CliRunner().invoke(main, given)
        assert done.exit_code == code, (done.output, done.exception)
        self._follow_pin()
        return done.output

    def ask_json(self, *words: object) -> dict:
        """The same for programs."""
        code, told = self._run("house", *map(str, words))
        assert code == 0, told
        return told

    def _run(self, script: str, *words: str | Path) -> tuple[int, dict]:
        main = importlib.import_module(script).main
        done = CliRunner().invoke(main, [*map(str, words), "--json", "--pin", str(self.pin.path)])
        assert done.exit_code in (0, 2), (done.output, done.exception)
        return done.exit_code, json.JSONDecoder().raw_decode(done.stdout)[0]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_keys: Path) -> AttackedHouse:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOUSE_CACHE", "off")
    for name in ("ana", "cleo"):
        keep_key(name)
    return AttackedHouse(start_house(tmp_path / "house").house)

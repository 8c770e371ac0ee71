"""Witnesses for tests: the stand-alone program, also as a process, and one that lies."""

from __future__ import annotations

import http.client
import importlib.util
import io
import subprocess
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType

from loopback import answered_by

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "witness.py"


def load_script() -> ModuleType:
    """`scripts/witness.py` as a module of its own, fresh each time."""
    spec = importlib.util.spec_from_file_location("stand_alone_witness", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


_MADE: dict[str, tuple[str, bytes]] = {}
"""Key and state of a witness that has seen nothing yet, by its name: each is made once."""


class WitnessProgram:
    """One witness: its state in a folder of its own, asked by command."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True)
        self.folder, self.name, self.state = folder, name, folder / "witness.json"
        if name not in _MADE:
            key = self.run("init", "--name", name).strip()
            _MADE[name] = key, self.state.read_bytes()
        else:
            self.state.touch(0o600)
            self.state.write_bytes(_MADE[name][1])
        self.key = _MADE[name][0]

    def run(self, *words: object, code: int = 0) -> str:
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            found = load_script().main(["--state", str(self.state), *map(str, words)])
        assert found == code, said.getvalue()
        return said.getvalue()

    def add_log(self, key: object) -> None:
        self.run("add-log", key)

    @contextmanager
    def serving(self):
        """Its address, while a process of it answers there."""
        command = [sys.executable, SCRIPT, "--state", self.state, "serve", "--port", "0"]
        process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


@contextmanager
def answering(witness: WitnessProgram, *, lies: bool = False):
    """Its address, while a thread of this process answers there; it may sign whatever is signed."""
    script = load_script()
    if lies:
        script.Witness.check_growth = lambda *_: None
    handler = type("Handler", (script.Handler,), {"log_message": lambda *_: None})
    handler.witness = script.Witness(witness.state)
    with answered_by(handler) as address:
        yield address


def post(url: str, body: bytes, path: str = "/add-checkpoint") -> tuple[int, str, str]:
    """Status, content type and text of an answer."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    try:
        connection.request("POST", path, body)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()
    finally:
        connection.close()

"""The studio in the browser: create, contribute, curate, the house, runs.

    python scripts/studio.py
    python scripts/studio.py --house data/my_house --port 8400 --no-browser

It answers on this computer only (127.0.0.1) and opens the browser at an address that holds the
session's token; nothing is fetched from anywhere else. Ctrl-C ends it: what was signed is signed,
what was written lies in the folder of --out.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from gen.cli.careful import CarefulCommand, echo

LOOPBACK = "127.0.0.1"
GRACE = 2
"""Seconds that open answers have to end when the studio does."""


@click.command(cls=CarefulCommand, help=__doc__.replace("\n\n    python", "\n\n\b\n    python"))
@click.option(
    "--house",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The house's folder; by default what HOUSE names, or the project's own.",
)
@click.option("--pin", metavar="FILE", type=click.Path(path_type=Path), help="Its trust pin.")
@click.option(
    "--checkpoint",
    default="last",
    show_default=True,
    help="The model: a .safetensors file, or that of the newest run, else the shipped one.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out/studio"),
    show_default=True,
    help="Where new pieces are written.",
)
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8400, show_default=True, help="0: any."
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def main(**options: Any) -> None:
    from gen.errors import HouseError

    try:
        serve(**options)
    except HouseError as error:
        echo(f"error: {error}", err=True)
        sys.exit(2)


def serve(
    folder: Path | None, pin: Path | None, checkpoint: str, out: Path, port: int, no_browser: bool
) -> None:
    """Listen until Ctrl-C.

    Raises:
        HouseError: no house is there, the port is taken, or the extra is not installed.
    """
    _check_installed()
    import uvicorn

    from gen import places
    from gen.studio.app import studio
    from gen.studio.desk import Desk
    from gen.studio.guard import Guard
    from gen.studio.session import StudioSession, announced

    desk = Desk(folder, pin, checkpoint, out.resolve(), places.HOME / "outputs")
    desk.register(desk.house())  # whatever is wrong with the house is said before a page is open
    desk.make_out()
    with _listening(port) as listening:
        port = listening.getsockname()[1]
        hosts = frozenset(f"{name}:{port}" for name in (LOOPBACK, "localhost"))
        guard = Guard(studio(desk), hosts)
        address = f"http://{LOOPBACK}:{port}/?token={guard.token}"
        echo(f"the studio is open at {address}\nCtrl-C ends it")
        if not no_browser:
            _open_browser(address)
        config = uvicorn.Config(
            guard, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE
        )
        with announced(StudioSession(f"http://{LOOPBACK}:{port}", guard.token)):
            uvicorn.Server(config).run(sockets=[listening])


def _check_installed() -> None:
    from importlib.util import find_spec

    from gen.errors import HouseError

    missing = [name for name in ("fastapi", "uvicorn") if find_spec(name) is None]
    if missing:
        raise HouseError(
            f"{' and '.join(missing)} not installed", mend="make setup, or pip install -e .[studio]"
        )


def _listening(port: int) -> Any:
    import socket

    from gen.errors import HouseError

    found = socket.socket()
    if sys.platform != "win32":  # where it would let a second program listen on the same port
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((LOOPBACK, port))
    except OSError as error:
        found.close()
        what = f"port {port} cannot be listened on ({error.strerror})"
        raise HouseError(what, mend="name another: --port 8401, or --port 0 for any") from error
    return found


def _open_browser(address: str) -> None:
    import webbrowser

    try:
        webbrowser.open(address)
    except webbrowser.Error:
        echo("open the address in a browser", err=True)


if __name__ == "__main__":
    main()

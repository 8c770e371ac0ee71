"""The studio in the browser: create, contribute, curate, the house, runs.

    python scripts/studio.py
    python scripts/studio.py --house data/my_house --port 8400 --no-browser

    python scripts/studio.py --serve --certificate house.pem --certificate-key house.key

It answers on this computer only (127.0.0.1) and opens the browser at an address that holds the
session's token, by a page in the folder of --out that is gone when it ends; nothing is fetched
from anywhere else. Ctrl-C ends it: what was signed is signed, what was written lies in the folder
of --out.

With --serve it answers the house's network, and people sign in with keys that stay in their
browsers: see docs/served.md.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gen.cli.careful import CarefulCommand, echo
from gen.cli.house_commands.common import HOUSE
from gen.errors import HouseError, SettingError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from gen.studio.address import Address
    from gen.studio.desk import Desk
    from gen.studio.music.jobs import Jobs

    Writing = subprocess.Popen[str]

GRACE = 2
"""Seconds that open answers have to end when the studio does."""


@click.command(cls=CarefulCommand, help=__doc__.replace("\n\n    python", "\n\n\b\n    python"))
@HOUSE
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
    "--stamp",
    metavar="URL",
    help="An authority that stamps the time of each piece's marks (RFC 3161).",
)
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8400, show_default=True, help="0: any."
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--serve", is_flag=True, help="Serve the house to its people, who sign in.")
@click.option(
    "--certificate",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="With --serve: the house's TLS certificate (PEM); without one it stays on this computer.",
)
@click.option(
    "--certificate-key", metavar="FILE", type=click.Path(path_type=Path), help="Its key (PEM)."
)
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="NAME",
    help="With --serve: what browsers call it; by default what the certificate says.",
)
@click.option(
    "--listen",
    metavar="IP",
    help="With --serve: the address to listen on; by default all, or loopback without certificate.",
)
@click.option(
    "--audit",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="With --serve: the audit log; by default audit.jsonl in the folder of --out.",
)
def main(**options: Any) -> None:
    serving = {name: options.pop(name) for name in _SERVING}
    is_served, port, no_browser = map(options.pop, ("serve", "port", "no_browser"))
    try:
        address = _address(**serving) if is_served else None
        if address is None:
            _refuse_without_serve(serving)
        with _begun() as writer:
            desk = _desk(**options)
            if address is not None:
                serve_house(desk, writer, port, address, serving["audit"])
            else:
                serve(desk, writer, port, no_browser)
    except HouseError as error:
        echo(f"error: {error}", err=True)
        sys.exit(2)


def serve(desk: Desk, writer: Writing, port: int, no_browser: bool) -> None:
    """Listen until Ctrl-C.

    Raises:
        HouseError: the port is taken.
    """
    from gen.studio.address import LOOPBACK

    with _listening(LOOPBACK, port) as listening:
        jobs = _jobs(desk, writer)
        import uvicorn

        from gen.studio.app import studio
        from gen.studio.serving.guard import Guard, leading_to
        from gen.studio.session import StudioSession, announced, kept_while_open

        port = listening.getsockname()[1]
        hosts = frozenset(f"{name}:{port}" for name in (LOOPBACK, "localhost"))
        guard = Guard(studio(desk, jobs=jobs), hosts)
        address = f"http://{LOOPBACK}:{port}/?token={guard.token}"
        echo(f"the studio is open at {address}\nCtrl-C ends it")
        config = uvicorn.Config(
            guard, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE
        )
        page = desk.out / f"open-{port}.html"
        with (
            announced(StudioSession(f"http://{LOOPBACK}:{port}", guard.token)),
            kept_while_open(page, leading_to(address).encode()) as leading,
        ):
            if not no_browser:
                _open_browser(leading)
            uvicorn.Server(config).run(sockets=[listening])


def _address(
    certificate: Path | None, certificate_key: Path | None, names: tuple[str, ...],
    listen: str | None, audit: Path | None,
) -> Address:  # fmt: skip
    """Where a house is served.

    Raises:
        HouseError: other computers would reach it without a certificate, or a file does not fit.
    """
    from gen.disk import check_can_write
    from gen.studio.address import address_of

    if audit is not None:
        check_can_write(audit)
    return address_of(listen, names, certificate, certificate_key)


def serve_house(
    desk: Desk, writer: Writing, port: int, address: Address, audit: Path | None
) -> None:
    """Serve a house to its people until Ctrl-C.

    Raises:
        HouseError: as `serve`.
    """
    with _listening(address.listen, port) as listening:
        jobs = _jobs(desk, writer)
        import uvicorn

        from gen.studio.app import studio
        from gen.studio.serving.people import People
        from gen.studio.serving.served import HouseGuard, Served

        origins = address.origins(listening.getsockname()[1])
        people = People(desk.house().pin.name, origins)
        served = Served(desk, people, desk.out, audit)
        echo(f"the house {people.house} is served at {', '.join(sorted(origins))}")
        echo(f"audit log: {served.audit.path}\nCtrl-C ends it")
        config = uvicorn.Config(
            HouseGuard(studio(desk, served, jobs), served), log_level="warning", access_log=False,
            timeout_graceful_shutdown=GRACE, server_header=False,
            ssl_certfile=address.certificate, ssl_keyfile=address.key,
        )  # fmt: skip
        uvicorn.Server(config).run(sockets=[listening])


_SERVING = ("certificate", "certificate_key", "names", "listen", "audit")


def _refuse_without_serve(serving: dict[str, Any]) -> None:
    given = [name for name, value in serving.items() if value]
    if given:
        words = ", ".join(f"--{name.removesuffix('s').replace('_', '-')}" for name in given)
        raise SettingError(f"{words}: of a house that is served", mend="add --serve")


@contextmanager
def _begun() -> Iterator[Writing]:
    """The process that writes music: it loads the most, and so begins first.

    Raises:
        HouseError: the extra is not installed.
    """
    _check_installed()
    from gen.processes import end_child
    from gen.studio.music.jobs import begin_writer

    writer = begin_writer()
    try:
        yield writer
    finally:
        end_child(writer)


def _jobs(desk: Desk, writer: Writing) -> Jobs:
    """What is written: the model is read from now on."""
    from gen.studio.music.jobs import Jobs

    jobs = Jobs.of(desk, writer)
    jobs.start()
    return jobs


def _desk(
    folder: Path | None, pin: Path | None, checkpoint: str, out: Path, stamp: str | None
) -> Desk:
    """The house and its model; whatever is wrong is said before a page is open."""
    from gen import places
    from gen.studio.desk import Desk

    desk = Desk(
        folder, pin, checkpoint, out.resolve(), places.HOME / "outputs", stamp=stamp
    )  # fmt: skip
    desk.register(desk.house())
    desk.make_out()
    return desk


def _check_installed() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("fastapi", "uvicorn") if find_spec(name) is None]
    if missing:
        raise HouseError(
            f"{' and '.join(missing)} not installed", mend="make setup, or pip install -e .[studio]"
        )


def _listening(address: str, port: int) -> Any:
    import socket

    found = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    if sys.platform != "win32":  # where it would let a second program listen on the same port
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((address, port))
        found.listen()  # from now on who comes waits for the server, and is not sent away
    except OSError as error:
        found.close()
        what = f"{address}, port {port} cannot be listened on ({error.strerror})"
        raise HouseError(what, mend="name another: --port 8401, or --port 0 for any") from error
    return found


def _open_browser(page: Path | None) -> None:
    """Open a page on disk, which leads to the studio's.

    What a browser is called with, all users of a computer can read: its token is not part of it.
    """
    import webbrowser

    try:
        is_open = page is not None and webbrowser.open(page.as_uri())
    except webbrowser.Error:
        is_open = False
    if not is_open:
        echo("open the address in a browser", err=True)


if __name__ == "__main__":
    main()

"""A process that hands itself over to a fork of the server in `prepared`, and ends as that does.

    python -I -S prepared_client.py SOCKET words of the command

It imports little, so that it starts in hundredths of a second.
"""

import json
import os
import signal
import socket
import sys


def hand_over(path: str, words: list[str]) -> socket.socket | None:
    """The line to the fork that does what `python words` would; None if there can be none."""
    try:
        asked = {"words": words, "folder": os.getcwd(), "environment": dict(os.environ)}
        data = json.dumps(asked).encode()
        link = socket.socket(socket.AF_UNIX)
        link.connect(path)
        socket.send_fds(link, [len(data).to_bytes(8, "big")], [0, 1, 2])
        link.sendall(data)
        return link if link.recv(1) == b"y" else None
    except OSError:  # a folder that is gone, a stream that is closed, no server
        return None


def follow(link: socket.socket) -> None:
    """Pass signals on, and end as the fork ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: link.sendall(bytes([number])))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    code = int.from_bytes(link.recv(4), "big", signed=True)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    os._exit(code)


path, *words = sys.argv[1:]
is_program = words[0] in ("-m", "-P") or not words[0].startswith("-")
if is_program and (link := hand_over(path, words)):
    follow(link)
os.execv(sys.executable, [sys.executable, *words])  # noqa: S606 - as it would have been at once

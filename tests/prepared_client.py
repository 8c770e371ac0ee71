"""A process that hands itself over to a fork of the server in `prepared`, and ends as that does.

    python -I -S prepared_client.py SOCKET words of the command

Hundreds of them are started: it asks for sockets and signals where Python's modules of these names
do, so that it imports next to nothing and starts in a hundredth of a second.
"""

import _signal
import _socket
import marshal
import os
import sys


def hand_over(path: str, words: list[str]) -> _socket.socket | None:
    """The line to the fork that does what `python words` would; None if there can be none."""
    try:
        asked = {"words": words, "folder": os.getcwd(), "environment": dict(os.environ)}
        data = marshal.dumps(asked)
        link = _socket.socket(_socket.AF_UNIX)
        link.connect(path)
        streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
        with_streams = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)]
        link.sendmsg([len(data).to_bytes(8, "big")], with_streams)
        link.sendall(data)
        return link if link.recv(1) == b"y" else None
    except OSError:  # a folder that is gone, a stream that is closed, no server
        return None


def follow(link: _socket.socket) -> None:
    """Pass signals on, and end as the fork ends."""
    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
        _signal.signal(number, lambda number, _: link.sendall(bytes([number])))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    code = int.from_bytes(link.recv(4) or b"\1", "big", signed=True)  # 1 where the server is gone
    if code < 0:
        _signal.signal(-code, _signal.SIG_DFL) if -code != _signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    os._exit(code)


path, *words = sys.argv[1:]
is_program = words[0] in ("-m", "-P") or not words[0].startswith("-")
if is_program and (link := hand_over(path, words)):
    follow(link)
os.execv(sys.executable, [sys.executable, *words])  # noqa: S606 - as it would have been at once

"""Commands played at a terminal of their own: what is asked is answered, as a person would."""

from __future__ import annotations

import os
import re
import select
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CTRL_C = "\x03"
_ASKED = re.compile(r"(?:^|\n)([^\n]*[^\s:][^\n]*: )$")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Played:
    """What stood on the terminal, what was asked, and how it ended.

    Attributes:
        text: all that was printed.
        questions: what was asked, in order.
        code: the exit status.
    """

    text: str
    questions: tuple[str, ...]
    code: int

    @property
    def passphrases(self) -> int:
        return sum(bool(re.match("A passphrase|Passphrase|Repeat", q)) for q in self.questions)

    @property
    def next_command(self) -> str:
        """The command that is printed behind `Next:`."""
        (line,) = re.findall(r"^Next: (.*)$", self.text, flags=re.MULTILINE)
        return str(line)


def play(
    words: Sequence[str],
    answers: Mapping[str, str],
    folder: Path,
    environment: Mapping[str, str],
) -> Played:
    """Run a command at a terminal until it ends.

    Args:
        words: the command.
        answers: what a question holds, and what is answered; any other is answered by Enter.
        folder: where it is called.
        environment: it is called in.
    """
    import pty

    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execvpe(words[0], list(words), dict(environment))  # noqa: S606 - that is the test
    text, seen, questions = "", 0, []
    while True:
        if not select.select([terminal], [], [], 0.05)[0]:
            if asked := _ASKED.search(_COLOURS.sub("", text[seen:])):
                seen = len(text)
                questions.append(asked[1].strip())
                answer = next((a for word, a in answers.items() if word in asked[1]), "")
                os.write(terminal, (answer if answer == CTRL_C else f"{answer}\n").encode())
            continue
        try:
            found = os.read(terminal, 1 << 16)
        except OSError:  # how Linux says that nobody is left to write
            break
        if not found:
            break
        text += found.decode("utf-8", "replace").replace("\r\n", "\n")
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return Played(_COLOURS.sub("", text), tuple(questions), os.waitstatus_to_exitcode(status))

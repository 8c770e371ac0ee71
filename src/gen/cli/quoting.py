"""What the shell has taken the quotes from, as Hydra reads it."""

from __future__ import annotations

import re

BARE = re.compile(r"[\w.:/+-]*|['\"\[{].*", re.DOTALL)
"""What Hydra reads as it is meant: one plain word, or something that begins like a value."""
NUMBER = re.compile(r"[\d.eE_+-]+")
"""What Hydra may read as a number, which is no name of a file."""
_CALL = re.compile(r"\w+\(")


def quoted(text: str) -> str:
    """A text as a value that Hydra reads as this text, whatever is in it."""
    inside = re.sub(r"(\\*)('|$)", lambda m: m[1] * 2 + m[2].replace("'", "\\'"), text)
    return f"'{inside}'"


def with_text_quoted(argument: str) -> str:
    """A setting whose value has a second =, as corpus.where="genre=waltz" has, with its quotes.

    Without them Hydra reads no such value. Calls, as in seed=range(start=1,stop=3), are others.
    """
    name, _, value = argument.partition("=")
    is_text = "=" in value and not BARE.fullmatch(value) and not _CALL.match(value)
    return f"{name}={quoted(value)}" if is_text else argument

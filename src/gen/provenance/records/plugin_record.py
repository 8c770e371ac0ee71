"""A plug-in as records name it: code of an installed package that a run called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from gen.provenance.signing.shapes import Digest, Shape

Kind = Literal["callback", "model", "optimizer", "tokenizer"]


class Plugin(Shape, frozen=True):
    """One entry point of an installed package, as a run called it.

    Attributes:
        kind: what it is for.
        name: of the entry point.
        distribution: of the package that brings it, in lower case.
        version: of that package.
        sha256: over the files that were installed of it (`gen.plugins.digest_of`).
    """

    WHAT: ClassVar[str] = "plug-in"

    kind: Kind
    name: str
    distribution: str
    version: str
    sha256: Digest

    def __str__(self) -> str:
        return (
            f"{self.kind} {self.name} of {self.distribution} {self.version} "
            f"(SHA-256 {self.sha256[:12]}…)"
        )


def order(plugin: Plugin) -> tuple[str, str]:
    """Where a plug-in stands in a manifest."""
    return plugin.kind, plugin.name


def said_of_foreign_code(plugins: Iterable[Plugin], callbacks_given: Iterable[str]) -> list[str]:
    """A phrase for each piece of code beside this project's that a run called."""
    given = [f"callback {name}, handed over in Python and kept nowhere" for name in callbacks_given]
    return [*map(str, plugins), *given]

"""A music house's symbolic generator, trained only on the house's own tagged works.

For notebooks it offers `open_house`, `corpus`, `tokenizer`, `load`, `train`, `sample` and
`evaluate`, see `gen.notebook`; nothing is loaded before one of them is asked for.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
_NOTEBOOK = ("open_house", "corpus", "tokenizer", "load", "train", "sample", "evaluate")


def __getattr__(name: str) -> Any:
    if name in _NOTEBOOK:
        return getattr(import_module("gen.notebook"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_NOTEBOOK])

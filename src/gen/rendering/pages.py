"""Pages are Jinja2 templates beside this file, in `templates/`: one place for all pages.

A page is one HTML file that needs nothing else: styles and scripts are written into it, and
whatever a person wrote is escaped.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_DIGEST = re.compile(r"[0-9a-f]{32,}")


def render(template: str, **values: Any) -> bytes:
    """A page as UTF-8.

    Args:
        template: its file in `templates/`.
        values: what the template names; one that is missing is an error.
    """
    return _environment().get_template(template).render(values).encode()


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("gen.rendering"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals["inlined"] = _inlined
    made.tests["digest"] = lambda text: bool(_DIGEST.fullmatch(text))
    return made


def _inlined(name: str) -> str:
    """A style sheet or script of our own, as it is."""
    from markupsafe import Markup

    return Markup((files("gen.rendering") / "templates" / name).read_text("utf-8"))  # noqa: S704 - our own file

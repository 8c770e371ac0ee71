"""Cells of tables that a spreadsheet will open.

Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

_RUN = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet runs a cell that begins so."""


def as_text(cell: str) -> str:
    """The cell with an apostrophe before it where a spreadsheet would run it."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_RUN) else cell


def from_text(cell: str) -> str:
    """The cell as it was before `as_text`."""
    return cell[1:] if cell[:1] == "'" and cell[1:].lstrip(" ").startswith(_RUN) else cell

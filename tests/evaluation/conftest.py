"""Evaluations whose pictures are not the point."""

from __future__ import annotations

import pytest

from gen.evaluation.report.plots import Picture


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are composed, but not drawn, which would take most of the time."""
    monkeypatch.setattr(Picture, "png", lambda self: b"\x89PNG\r\n\x1a\n")

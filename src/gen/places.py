"""Where this project's own files are, wherever a command is called from."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _checkout() -> Path | None:
    """The folder of the repository; None where the package was installed by itself."""
    root = _PACKAGE.parents[1]
    return root if _PACKAGE.parent.name == "src" and (root / "conf").is_dir() else None


PROJECT = _checkout()
HOME = PROJECT or _PACKAGE
"""What the paths in the configuration files are relative to."""
CONF = HOME / "conf"


def of_project(path: str | Path) -> Path:
    """A path that the project names, as it is reached from the current folder.

    Args:
        path: relative to the project, or absolute.
    """
    return Path(path) if Path.cwd() == HOME else HOME / path

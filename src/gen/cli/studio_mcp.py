"""The studio for assistants and DAWs that speak MCP, on standard input and output.

    python scripts/studio.py
    python scripts/studio_mcp.py

The second is what a client of the Model Context Protocol starts; it asks the studio that the
first one opened, on this computer, and nothing else. Whatever signs (contribute, accept, reject)
asks the person in front of the client first, and needs the key that they opened in the studio.
"""

from __future__ import annotations

import sys

import click

from gen.cli.careful import CarefulCommand, echo


@click.command(cls=CarefulCommand, help=__doc__.replace("\n\n    python", "\n\n\b\n    python"))
def main() -> None:
    from importlib.util import find_spec

    if find_spec("mcp") is None:
        echo("error: mcp is not installed: make setup, or pip install -e .[studio]", err=True)
        sys.exit(2)
    from gen.studio.tools import server

    server().run("stdio")


if __name__ == "__main__":
    main()

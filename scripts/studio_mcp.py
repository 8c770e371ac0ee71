"""The studio for assistants: `python scripts/studio_mcp.py --help`."""

from gen.cli.studio_mcp import main

if __name__ == "__main__":
    main()

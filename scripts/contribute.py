"""Contribute works to the house. The command is `gen.cli.contribute`."""

from gen.cli.contribute import main

if __name__ == "__main__":
    main()

"""Answers letters about the house's works and models. The command is `gen.cli.disclose`."""

from gen.cli.disclose import main

if __name__ == "__main__":
    main(prog_name="disclose.py")

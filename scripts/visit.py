"""What a visitor runs in the office, `make visit`. The command is `gen.cli.visit`."""

from gen.cli.visit import main

if __name__ == "__main__":
    main(prog_name="visit.py")

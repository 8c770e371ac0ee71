"""The house: its people and keys, its works, its records. The command is `gen.cli.house`."""

from gen.cli.house import main

if __name__ == "__main__":
    main(prog_name="house.py")

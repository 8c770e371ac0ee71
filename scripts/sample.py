"""Write new pieces. The command is `gen.cli.sample`."""

from gen.cli.sample import main

if __name__ == "__main__":
    main()

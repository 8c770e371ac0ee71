"""The studio in the browser. The command is `gen.cli.studio`."""

from gen.cli.studio import main

if __name__ == "__main__":
    main(prog_name="studio.py")

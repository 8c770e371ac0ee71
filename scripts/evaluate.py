"""Measure what checkpoints are worth. The command is `gen.cli.evaluate`."""

from gen.cli.evaluate import main

if __name__ == "__main__":
    main()

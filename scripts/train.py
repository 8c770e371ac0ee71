"""Train a model on the house's works. The command is `gen.cli.train`."""

from gen.cli.train import main

if __name__ == "__main__":
    main()

"""A test process of xdist's as a fork of the server in `prepared`: it reads there what to be."""

import sys

if __name__ == "__main__":
    exec(eval(sys.stdin.readline()))  # noqa: S102, S307 - as execnet would with `python -c`

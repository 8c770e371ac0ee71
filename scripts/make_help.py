"""Print the targets of a Makefile with the sentence that follows `##` (`make help`)."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def main(makefile: Path) -> None:
    text = makefile.read_text(encoding="utf-8")
    for name, sentence in re.findall(r"^([a-z-]+):(?!.*:=)[^#\n]*## (.+)$", text, re.MULTILINE):
        print(f"  make {name:<16}{sentence}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

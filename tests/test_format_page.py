"""docs/format.md shows what the code writes, byte for byte, and what the verifier checks."""

import json
import re

from format_examples import (
    BLOCK,
    NAMED_BY_DIGEST,
    PAGE,
    acts_of,
    contributed,
    examples,
    head_of,
    page_with,
)
from gen.places import HOME
from gen.provenance.history.register import Register
from gen.provenance.records.acts import KINDS


def test_examples_are_those_that_the_code_makes() -> None:
    """Written anew by `python tests/format_examples.py`."""
    found = examples()
    assert {name for _, name, *_ in BLOCK.findall(PAGE.read_text("utf-8"))} == found.keys()
    assert page_with(found) == PAGE.read_text("utf-8")


def test_example_is_a_log_that_verifies() -> None:
    lines, _, _ = acts_of(contributed())
    register = Register()
    for line in lines:
        register.replay(line)
    register.check_head(head_of(lines))
    assert sorted(register.works) == ["one-note"]


def test_every_kind_of_act_and_every_field_is_told() -> None:
    text = PAGE.read_text("utf-8")
    shapes = re.findall(r"^act +([a-z]+)", examples()["shapes"], re.MULTILINE)
    assert sorted(shapes) == sorted(KINDS)
    prose = BLOCK.sub("", text)
    untold = [kind for kind in KINDS if f"`{kind}`" not in prose]
    assert not untold


def test_the_independent_reader_is_as_long_as_the_page_says() -> None:
    scripts = HOME / "scripts"
    files = [scripts / "verify_alone.py", *sorted((scripts / "alone").iterdir())]
    files = [path for path in files if path.is_file()]
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in files}
    said = re.findall(
        r"^\| `(?:alone/)?(\w+\.\w+)` \| (\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert {name: int(length) for name, length in said} == lengths
    assert max(lengths.values()) < 300


def test_shapes_named_by_digest_are_those_that_the_code_writes() -> None:
    rows = {
        row.split()[0]: set(re.findall(r" (\w+)[:=]", row))
        for row in NAMED_BY_DIGEST.split("\n")
        if row
    }
    first, second, *_ = map(json.loads, examples()["transcript"].split("\n"))
    manifest = json.loads((PAGE.parents[1] / "data/house_model/manifest.json").read_bytes())
    found = {"transcript": first, "step": second, "manifest": manifest}
    found |= {"at": manifest["register"], "learned": manifest["works"][0]}
    assert {kind: rows[kind] for kind in found} == {k: set(v) for k, v in found.items()}

"""What anybody may hand in as a paper of the house is judged in words, whatever is in it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from gen.cli.disclose import main as disclose
from gen.cli.house import main as house_main
from gen.disclosure.answer import write_answer
from gen.disclosure.signed import ANSWER_TYPE, VISIT_TYPE
from gen.errors import HouseError
from gen.provenance.signing.canonical import canonical
from gen.provenance.signing.dsse import Envelope, Signature
from houses import key_of, start_house

CURATOR = key_of("cleo")
NEVER = {"root": "", "size": -(10**20), "witnesses": []}
NO_LOG = [
    5, [1], {}, {"log": 5}, {"log": {"size": "x"}},
    {"house": {"identity": "i", "name": "n"}, "log": NEVER},
]  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    return start_house(tmp_path_factory.mktemp("signed") / "house")


def refusal(main, house, *words: object) -> str:
    done = CliRunner().invoke(main, [*map(str, words), "--pin", str(house.pin.path)])
    assert done.exit_code == 2, (done.output, done.exception)
    return done.output


@pytest.mark.parametrize("said", NO_LOG)
@pytest.mark.parametrize("forged", [True, False])
def test_paper_that_names_no_log_is_refused_in_words(house, tmp_path, said, forged):
    empty = Envelope(ANSWER_TYPE, canonical(said), ())
    zeros = Envelope(ANSWER_TYPE, canonical(said), (Signature(CURATOR.keyid, bytes(64)),))
    paper = tmp_path / "paper.json"
    paper.write_bytes((zeros if forged else empty.signed_by(CURATOR)).encode())
    found = refusal(disclose, house, "check", paper)
    assert ("does not hold" if forged else "which log") in found
    assert "paper.json" in found


def test_page_of_a_visit_is_checked_by_its_signature_and_refused_when_changed(house, tmp_path):
    page, paper = b"PROVED\n", tmp_path / "visit.signature.json"
    signed = Envelope(VISIT_TYPE, page, ()).signed_by(CURATOR)
    paper.write_bytes(signed.encode() + b"\n")
    done = CliRunner().invoke(disclose, ["check", str(paper), "--pin", str(house.pin.path)])
    assert (done.exit_code, "signed by cleo" in done.output) == (0, True), done.output
    for envelope, said in (
        (Envelope(VISIT_TYPE, page + b"more", signed.signatures), "the page was changed"),
        (Envelope(VISIT_TYPE, page, ()), "carries no signature"),
        (Envelope(VISIT_TYPE, page, ()).signed_by(key_of("stranger")), "not signed by one person"),
    ):
        paper.write_bytes(envelope.encode())
        assert said in refusal(disclose, house, "check", paper)


@pytest.mark.parametrize("data", [b"", b"[" * 200_000, b"1e999", b"\xff\xfe\x00", b"{}"])
@pytest.mark.parametrize(
    ("main", "words", "mend"),
    [
        (disclose, ("check",), "disclose.py or house.py royalties wrote"),
        (house_main, ("verify", "--proof"), "house.py prove wrote"),
        (house_main, ("mine", "--composer", "ana", "--royalties"), "house.py royalties wrote"),
    ],
)
def test_file_that_is_no_paper_is_named_and_what_should_be(
    house, tmp_path, data, main, words, mend
):
    file = tmp_path / "file.json"
    file.write_bytes(data)
    found = " ".join(refusal(main, house, *words, file).split())
    assert "file.json: " in found
    assert f"to mend it: name a file that {mend}" in found


def test_statement_whose_totals_its_lines_do_not_give_is_refused(house, tmp_path):
    line = {"basis": "works", "cents": 5, "person": "ana", "work": "w"}
    file = tmp_path / "statement.json"
    for owed, words in ((5, "0.05"), (500, "was changed")):
        said = {"format": "gen royalties 1", "lines": [line], "totals": {"ana": owed}}
        file.write_text(json.dumps(said))
        asked = ["mine", "--composer", "ana", "--royalties", str(file)]
        done = CliRunner().invoke(house_main, [*asked, "--pin", str(house.pin.path)])
        assert (done.exit_code, words in done.output) == (0 if owed == 5 else 2, True), done.output


@pytest.mark.parametrize("kind", ["card", "bom", "dataset"])
def test_paper_that_is_entered_and_lies_nowhere_is_refused_before_anything_is_read(house, kind):
    found = refusal(disclose, house, kind, __file__, "--enter")
    assert "nothing would hold what is entered" in found
    assert "add --out FILE" in found


def test_answer_that_could_not_be_entered_is_written_and_says_what_enters_it(
    house, tmp_path, monkeypatch
):
    def busy(*_: object) -> int:
        raise HouseError("another command holds the house", mend="wait for it")

    monkeypatch.setattr("gen.disclosure.answer.enter_paper", busy)
    said = {"model": {"file_sha256": ""}, "works": []}
    with pytest.raises(HouseError) as failed:
        write_answer(house.house, house.load(), tmp_path / "out", said, "", CURATOR)
    signed = tmp_path / "out" / "answer.json"
    assert signed.exists()
    assert failed.value.mend.startswith("wait for it; then enter what was written: ")
    assert f"disclose.py enter {signed} --kind answer" in failed.value.mend

"""Composers see what became of their works, money adds up, and complaints are answered."""

from __future__ import annotations

import csv
import importlib
import json
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gen.accounts import nearness
from gen.accounts.royalties import divided
from gen.likeness.fingerprint import NewPiece
from gen.provenance.desk import people
from gen.provenance.desk.complaints_desk import complain
from gen.provenance.desk.recording import begin_run, end_run
from gen.provenance.history.record import RegisterError
from gen.provenance.records.acts import SELL
from gen.provenance.records.run_acts import Begin, End, ModelDigest
from gen.provenance.records.sales import Sale
from gen.provenance.signing.canonical import canonical, sha256_hex, today_utc
from gen.smf import musical_hash
from houses import keep_key, keep_machine_key, key_of, make_piece, start_house
from mutations import change, enter

SCRIPTS = Path(__file__).parents[2] / "scripts"
CHECKPOINT = "d0" * 32
TODAY = str(today_utc())
PERIOD = f"{TODAY}..{TODAY}"


@pytest.fixture
def house(tmp_path, monkeypatch, own_keys):
    """Works of ana (seeds 1 and 2), of ana and ben (3), of ben (4); a run on the first three."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOUSE_CACHE", str(tmp_path / "cache"))
    for name in ("ana", "ben", "cleo"):
        keep_key(name)
    house = start_house(tmp_path / "house")
    first, second = house.enter(1, 2)
    (both,) = house.enter(3, composers=(("ana", 60), ("ben", 40)))
    (other,) = house.enter(4, composer="ben")
    house.works = [each.work for each in (first, second, both, other)]
    house.run = house.log_run(house.works[:3], [ModelDigest("best", 1, CHECKPOINT, "d1" * 32)])
    return house


def ask(house, *words, code=0):
    main = importlib.import_module("gen.cli.house").main
    done = CliRunner().invoke(main, [*map(str, words), "--yes", "--pin", str(house.pin.path)])
    assert done.exit_code == code, (done.output, done.exception)
    house._follow_pin()
    return done.output


def ask_json(house, *words):
    return json.loads(ask(house, *words, "--json"))


def write_like(house, seed: int, receipt: str) -> int:
    """Enter a piece of the run's model that is note for note like the work of this seed."""
    piece = make_piece(seed)
    roles = tuple(track.role or "" for track in piece.tracks)
    packed = NewPiece.of(piece, roles).fingerprint.pack()
    return house.log_output(
        musical_hash(piece), run=house.run, checkpoint=CHECKPOINT, receipt=receipt,
        fingerprint=packed, path=f"like-{seed}.mid",
    )  # fmt: skip


# -- money ---------------------------------------------------------------------------------------


@given(st.integers(0, 10**9), st.dictionaries(st.text(max_size=3), st.integers(0, 50), min_size=1))
def test_parts_sum_to_the_amount_and_none_is_a_hundredth_off(cents, weights):
    if not any(weights.values()):
        weights = dict.fromkeys(weights, 1)
    parts = divided(cents, {key: Fraction(value) for key, value in weights.items()})
    assert sum(parts.values()) == cents
    whole = sum(weights.values())
    assert all(abs(parts[key] * whole - cents * weights[key]) < whole for key in weights)
    assert all(part == 0 for key, part in parts.items() if not weights[key])


def recomputed(found: dict) -> dict[tuple[str, str, str], int]:
    """The lines of a statement from what it names, in whole numbers and by another road.

    Each line's part is (numerator, denominator); what is left of a pool after rounding down goes to
    the largest remainders, of equal ones to the first by work and person.
    """
    pools = {
        "works": {work: (1, len(found["works"])) for work in found["works"]},
        "nearness": {},
        "sales": {},
    }
    for piece in found["pieces"]:
        whole = sum(piece["shingles"].values()) * len(found["pieces"])
        for work, count in piece["shingles"].items():
            above, below = pools["nearness"].get(work, (0, 1))
            pools["nearness"][work] = (above * whole + count * below, below * whole)
    for sale in found["sales"]:
        whole = len(sale["works"])
        for work in sale["works"]:
            above, below = pools["sales"].get(work, (0, 1))
            pools["sales"][work] = (above * whole + sale["cents"] * below, below * whole)
    if found["sales"]:
        paid = sum(sale["cents"] for sale in found["sales"])
        assert found["pools"]["sales"] == paid * found["sales_percent"] // 100
        pools["sales"] = {w: (above, below * paid) for w, (above, below) in pools["sales"].items()}
    lines = {}
    for basis, works in pools.items():
        cents, parts = found["pools"][basis], {}
        for work, (above, below) in works.items():
            people = found["composers"][work]
            rest = 10_000 - sum(each["share"] * each["kept"] for each in people)
            shares = {each["id"]: each["share"] * each["kept"] for each in people}
            for who, share in {"(house)": rest, **shares}.items():
                parts[work, who] = (cents * above * share, below * 10_000)
        rounded = {key: above // below for key, (above, below) in parts.items()}
        left = cents - sum(rounded.values()) if parts else 0
        remainder = {k: Fraction(a, b) - rounded[k] for k, (a, b) in parts.items()}
        for key in sorted(parts, key=lambda k: (-remainder[k], k))[:left]:
            rounded[key] += 1
        lines |= {
            (basis, *key): n for key, n in rounded.items() if cents and (n or key[1] != "(house)")
        }
    return lines


def lines_of(found: dict) -> dict[tuple[str, str, str], int]:
    lines = [each for each in found["lines"] if each["basis"] != "fee"]
    return {(each["basis"], each["work"], each["person"]): each["cents"] for each in lines}


def test_works_count_alike_and_are_divided_by_shares(house):
    found = ask_json(house, "royalties", "--pool", "100", "--period", PERIOD)
    first, second, both, other = house.works
    assert found["works"] == sorted([first, second, both])
    assert other not in found["composers"]  # no model learned from it
    # A third each, 33.33⅓; of the shared one 60 and 40 in a hundred: 20.00 and 13.33⅓.
    lines = lines_of(found)
    assert sorted(lines.values()) == [1333, 2000, 3333, 3334]
    assert sum(lines.values()) == sum(found["totals"].values()) == 10_000
    assert lines == recomputed(found)


def test_a_share_by_terms_leaves_the_rest_to_the_house_and_fees_come_besides(house):
    first, second, both, _ = house.works
    terms = "terms", "--composer", "ana", "--allow", "general_model sampling"
    ask(house, *terms, first, both, "--share", "50", "--fee", "12.50")
    before = ask_json(house, "royalties", "--pool", "90", "--period", PERIOD)
    assert not [line for line in before["lines"] if line["basis"] == "fee"]  # the run was earlier
    house.log_run([first, second], [ModelDigest("last", 1, "d2" * 32, "d3" * 32)])
    found = ask_json(house, "royalties", "--pool", "90", "--period", PERIOD)
    lines = lines_of(found)
    assert lines["works", first, "ana"] == lines["works", first, "(house)"] == 1500
    assert lines["works", both, "ana"] == 900
    assert lines["works", both, "ben"] == 1200
    assert lines == recomputed(found)
    fees = [line for line in found["lines"] if line["basis"] == "fee"]
    assert fees == [{"basis": "fee", "work": first, "person": "ana", "cents": 1250}]
    assert sum(found["totals"].values()) == 9000 + 1250


def test_nearness_gives_to_the_work_whose_figures_a_piece_has(house):
    write_like(house, 2, "a1" * 32)
    write_like(house, 3, "a2" * 32)
    found = ask_json(house, "royalties", "--pool", "0", "--near", "10.01", "--period", PERIOD)
    lines = lines_of(found)
    assert {work for _, work, _ in lines} == {house.works[1], house.works[2]}
    assert sum(lines.values()) == 1001
    assert lines["nearness", house.works[1], "ana"] in (500, 501)
    assert lines == recomputed(found)
    words = ask(house, "royalties", "--pool", "0", "--near", "10", "--period", PERIOD)
    assert "likeness, not cause" in words


def test_export_sums_and_recomputes(house, tmp_path):
    write_like(house, 2, "a1" * 32)
    out = tmp_path / "paid"
    ask(house, "royalties", "--pool", "333.33", "--near", "7.77", "--period", PERIOD, "--out", out)
    found = json.loads((out / "royalties.json").read_text("utf-8"))
    assert lines_of(found) == recomputed(found)
    rows = list(csv.DictReader((out / "royalties.csv").read_text("utf-8").splitlines()))
    assert sum(int(row["amount"].replace(".", "")) for row in rows) == 33333 + 777
    told = ask_json(house, "mine", "--composer", "ben", "--royalties", out / "royalties.json")
    assert told["royalties"] == {str(out / "royalties.json"): found["totals"]["ben"]}


def test_changed_statement_does_not_recompute(house):
    found = ask_json(house, "royalties", "--pool", "100", "--period", PERIOD)
    found["lines"][0]["cents"] += 1
    assert lines_of(found) != recomputed(found)


@pytest.mark.parametrize(
    ("pool", "period", "words"),
    [("-1", PERIOD, "no amount"), ("1.005", PERIOD, "no amount"), ("1", "2026", "no period"),
     ("1", "2026-02-01..2026-01-01", "is after"), ("1", "2001-01-01..2001-12-31", "no model was")],
)  # fmt: skip
def test_royalties_refuse_what_they_cannot_divide(house, pool, period, words):
    assert words in ask(house, "royalties", f"--pool={pool}", "--period", period, code=2)


def test_nearness_without_a_piece_is_refused(house):
    told = ask(house, "royalties", "--pool", "0", "--near", "5", "--period", PERIOD, code=2)
    assert "no nearness to divide by" in told


def test_models_retired_before_the_period_earn_nothing(house):
    ask(house, "retire", "--run", house.run, "--as", "cleo")
    ask(house, "royalties", "--pool", "1", "--period", PERIOD)  # in use until today
    later = "2091-01-01..2091-03-31"
    assert "no model was" in ask(house, "royalties", "--pool", "1", "--period", later, code=2)


def test_works_behind_the_model_that_one_began_with_count_too(house):
    first, *_, other = house.works
    recipe = json.dumps({"init": f"sha256:{'d1' * 32}"}, separators=(",", ":"))
    zeros, digest = "00" * 32, sha256_hex(recipe.encode())
    begin = Begin("tuned", "general_model", zeros, (other,), digest, 1, zeros, zeros, "a test",
                  None, recipe=recipe)  # fmt: skip
    run = begin_run(house.house, key_of("machine"), begin)
    tuned = ModelDigest("tuned", 1, "d4" * 32, "d5" * 32)
    end_run(house.house, key_of("machine"), End(run, 1, (tuned,)))
    house._follow_pin()
    ask(house, "retire", "--run", house.run, "--as", "cleo")
    found = ask_json(house, "royalties", "--pool", "100", "--period", PERIOD)
    assert found["works"] == sorted(house.works)
    ask(house, "terms", first, "--composer", "ana", "--allow", "general_model")
    assert f"{first}: ana grants no sampling" in ask(
        house, "may", "--run", run, "--use", "sampling", code=2
    )
    keep = "terms", first, "--composer", "ana", "--allow", "sampling", "--ask-first", "sampling"
    ask(house, *keep)
    ask(house, "may", "--run", run, "--use", "sampling", code=2)
    ask(house, "approve", "--run", run, "--use", "sampling", "--composer", "ana")
    ask(house, "may", "--run", run, "--use", "sampling")


# -- mine ----------------------------------------------------------------------------------------


def test_a_composer_sees_runs_pieces_near_and_what_is_new_once(house):
    write_like(house, 1, "a1" * 32)
    told = ask_json(house, "mine", "--composer", "ana")
    first, second, both, other = house.works
    assert {work["work"] for work in told["works"]} == {first, second, both}
    assert [run["index"] for run in told["impact"]["runs"]] == [house.run]
    (near,) = [each for each in told["nearest"] if each["work"] == first]
    assert near["receipt"] == "a1" * 32
    assert told["unread"] == []
    assert any(first in each["what"] for each in told["new"])
    assert not any(other in each["what"] for each in told["new"])
    assert ask_json(house, "mine", "--composer", "ana")["new"] == []
    (late,) = house.enter(9)  # somebody enters a work in her name
    words = ask(house, "mine", "--composer", "ana")
    assert words.startswith("in your name since act")
    assert f"entered in your name: {late.work}" in words
    assert ask_json(house, "mine", "--composer", "ben")["new"]
    assert "'eve' is not enrolled" in ask(house, "mine", "--composer", "eve", code=2)


def test_a_withdrawal_by_a_curator_is_said_to_the_composer(house):
    ask(house, "withdraw", house.works[0], "--as", "cleo", "--reason", "a letter")
    assert f"withdraw by cleo: {house.works[0]}" in ask(house, "mine", "--composer", "ana")


def test_of_what_is_near_only_the_works_that_it_needs_are_read(house, monkeypatch):
    """Others' works are read where they count for a part; what cannot be read is said."""
    first, _, both, _ = house.works
    read, kept = [], nearness.kept_work

    def reading(of, record):
        read.append(record.entry.work)
        return kept(of, record)

    monkeypatch.setattr(nearness, "kept_work", reading)
    write_like(house, 9, "a1" * 32)
    assert ask_json(house, "mine", "--composer", "ben")["nearest"] == []
    assert read == [both], "of ben the only one that the model learned from"
    write_like(house, 3, "a2" * 32)
    (house.folder / house.house.load(anew=True).works[first].entry.path).unlink()
    told = ask_json(house, "mine", "--composer", "ben")
    assert [one["work"] for one in told["nearest"]] == [both]
    (unread,) = told["unread"]
    assert unread.startswith(f"{first}: ")
    assert f"not compared with: {first}" in ask(house, "mine", "--composer", "ben")


# -- complaints ----------------------------------------------------------------------------------


def complained(house) -> int:
    words = "complain", "--from", "Harbour Songs", "--about", "tune-1.mid", "--text", "it is ours"
    return ask_json(house, *words)["act"]


def test_complaint_is_entered_answered_and_listed(house):
    at = complained(house)
    assert "not answered" in ask(house, "complain", "--open")
    ask(house, "complain", "--answer", at, "--text", "compared: nothing alike")
    words = ask(house, "complain", "--list")
    assert f"act {at}, " in words
    assert "Harbour Songs about tune-1.mid: it is ours" in words
    assert f"answered by cleo, act {at + 1}" in words
    assert ask(house, "complain", "--open").startswith("0 complaints")
    assert b"Harbour" not in (house.folder / "register.jsonl").read_bytes()


def test_changed_complaint_is_refused_and_an_erased_one_breaks_nothing(house):
    complained(house)
    (record,) = (house.folder / "complaints").iterdir()
    kept = record.read_bytes()
    record.write_bytes(kept.replace(b"it is ours", b"it is fine"))
    assert "was changed: the log names another" in ask(house, "complain", "--list", code=2)
    record.unlink()
    assert "(erased)" in ask(house, "complain", "--list")
    ask(house, "verify")
    assert ask_json(house, "audit")["seen"] == 4


@pytest.mark.parametrize(("where", "is_entered"), [("settle", True), ("key_of_head", False)])
def test_words_stay_exactly_where_the_log_has_their_digest(house, monkeypatch, where, is_entered):
    """Whether a disk is full, or somebody ends the command, after the act or before it."""

    def full(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(f"gen.provenance.houses.house.{where}", full)
        with pytest.raises(KeyboardInterrupt):
            complain(house.house, key_of("cleo"), "Harbour Songs", "it is ours", ())
    assert len(list((house.folder / "complaints").iterdir())) == is_entered
    assert ("it is ours" in ask(house, "complain", "--list")) == is_entered


def test_answers_need_a_complaint_and_a_curator(house):
    assert "is no complaint" in ask(house, "complain", "--answer", 0, "--text", "yes", code=2)
    at = complained(house)
    words = "complain", "--answer", at, "--text", "yes", "--as", "ana"
    assert "ana is no curator" in ask(house, *words, code=2)
    assert len(list((house.folder / "complaints").iterdir())) == 1
    assert "what is to be entered" in ask(house, "complain", code=2)


@pytest.mark.parametrize(("kind", "name"), [("complain", "record_sha256"), ("answer", "complaint")])
def test_complaints_that_were_changed_in_the_log_are_refused(house, kind, name):
    at = complained(house)
    ask(house, "complain", "--answer", at, "--text", "looked into")
    path = house.folder / "register.jsonl"
    lines = path.read_bytes().splitlines()
    (place,) = (i for i, line in enumerate(lines) if f'"act":"{kind}"'.encode() in line)
    act = json.loads(lines[place])
    act["data"][name] = 0 if name == "complaint" else "ee" * 32
    lines[place] = canonical(act)
    path.write_bytes(b"\n".join(lines) + b"\n")
    ask(house, "verify", code=2)


def test_drift_reads_the_pieces_of_the_log(house):
    for seed in (1, 2, 3):
        write_like(house, seed, f"{seed:02}" * 32)
    told = ask_json(house, "drift")
    assert [month["pieces"] for month in told["months"]] == [3]
    assert told["words"].startswith("nothing can be told")
    assert "nothing can be told" in ask(house, "drift")


# -- sales ---------------------------------------------------------------------------------------


def sold_piece(house, folder, name: str = "ab") -> Path:
    """A piece of the run in the log, and its file."""
    path = folder / f"piece-{name}.mid"
    path.write_bytes(name.encode())
    house.log_output(
        sha256_hex(name.encode()), run=house.run, checkpoint=CHECKPOINT, receipt=name * 32,
        sha256=sha256_hex(name.encode()), path=path.name,
    )  # fmt: skip
    return path


def test_a_sale_is_entered_and_divided_among_the_works_behind_its_model(house, tmp_path):
    piece = sold_piece(house, tmp_path)
    sold = ask_json(house, "sell", piece, "--for", "100.01")
    assert (sold["cents"], sold["receipt_sha256"], sold["day"]) == (10_001, "ab" * 32, TODAY)
    ask(house, "sell", piece, "--for", "50", "--day", "2020-01-01")  # of another period
    found = ask_json(house, "royalties", "--of-sales", 30, "--period", PERIOD)
    assert found["pools"]["sales"] == 3000  # 30 % of 10,001, rounded down
    lines = {(x["basis"], x["work"], x["person"]): x["cents"] for x in found["lines"]}
    first, second, both, _ = house.works
    assert lines == {
        ("sales", first, "ana"): 1000, ("sales", second, "ana"): 1000,
        ("sales", both, "ana"): 600, ("sales", both, "ben"): 400,
    }  # fmt: skip
    assert found["totals"] == {"ana": 2600, "ben": 400}
    (sale,) = found["sales"]
    assert lines_of(found) == recomputed(found)
    assert sale["works"] == sorted(house.works[:3])
    assert "sold: piece-ab.mid" in ask(house, "mine", "--composer", "ben")


def test_a_sale_that_terms_do_not_grant_is_refused(house, tmp_path):
    piece = sold_piece(house, tmp_path)
    ask(house, "terms", house.works[2], "--composer", "ben", "--allow", "general_model sampling")
    said = ask(house, "sell", piece, "--for", "5", code=2)
    assert f"{house.works[2]}: ben grants no sale" in said
    assert not house.load().sales


def test_only_pieces_of_the_log_are_sold_by_curators_and_producers_and_not_in_the_future(
    house, tmp_path
):
    piece = sold_piece(house, tmp_path)
    assert "a day to come" in ask(house, "sell", piece, "--for", "5", "--day", "2999-01-01", code=2)
    assert "no producer" in ask(house, "sell", piece, "--for", "5", "--as", "ana", code=2)
    other = tmp_path / "other.mid"
    other.write_bytes(b"MThd")
    assert "has no such piece" in ask(house, "sell", other, "--for", "5", code=2)
    with pytest.raises(RegisterError, match="no piece in the log has this receipt"):
        enter(house, "cleo", SELL, Sale("0f" * 32, 500, today_utc()))
    with pytest.raises(RegisterError, match="'ana' is no producer or curator"):
        enter(house, "ana", SELL, Sale("ab" * 32, 500, today_utc()))
    keep_machine_key()
    ask(house, "sell", piece, "--for", "5", "--as", "machine")


def test_a_sale_by_a_stolen_key_counts_for_nobody(house, tmp_path):
    piece = sold_piece(house, tmp_path)
    at = ask_json(house, "sell", piece, "--for", "10")["act"]
    change(house, lambda r: people.compromised(r, "cleo", at))
    pools = ("--of-sales", 50, "--pool", 1, "--period", PERIOD)
    assert f"no piece was sold in {PERIOD}" in ask(house, "royalties", *pools, code=2)


def test_royalties_that_were_entered_are_known_again_and_changed_ones_are_not(house, tmp_path):
    out = tmp_path / "money"
    words = ("royalties", "--pool", 10, "--period", PERIOD, "--out", out, "--enter")
    act = ask_json(house, *words)["act"]
    paper = out / "royalties.json"
    assert f"royalties, entered by cleo, {house.load().papers[0].time}, act {act}" in (
        check(house, paper)
    )
    said = json.loads(paper.read_bytes())
    line, other = said["lines"][0], said["lines"][-1]
    line["cents"], other["cents"] = line["cents"] - 1, other["cents"] + 1
    paper.write_text(json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    assert "changed since it was entered, or never" in check(house, paper, code=2)
    assert "nothing is to be divided" in ask(house, "royalties", "--period", PERIOD, code=2)
    words = ("royalties", "--pool", 1, "--period", PERIOD, "--enter")
    assert "add --out" in ask(house, *words, code=2)


def test_royalties_that_nobody_here_can_enter_are_not_written(house, tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSE_KEYS", str(tmp_path / "none"))
    out = tmp_path / "money"
    ask(house, "royalties", "--pool", 10, "--period", PERIOD, "--out", out, "--enter", code=2)
    assert not out.exists()


def check(house, paper: Path, code: int = 0) -> str:
    main = importlib.import_module("gen.cli.disclose").main
    done = CliRunner().invoke(main, ["check", str(paper), "--pin", str(house.pin.path)])
    assert done.exit_code == code, (done.output, done.exception)
    return done.output

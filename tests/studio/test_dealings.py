"""Sales by the interface: alone, and signed elsewhere."""

from __future__ import annotations

import pytest

from desks import Asker
from gen.provenance.records.run_acts import ModelDigest
from gen.provenance.signing.canonical import today_utc
from houses import TestHouse
from served import refused

FILE, RECEIPT = "5a" * 32, "ab" * 32
DAY = str(today_utc())


@pytest.fixture
def work(small_house: TestHouse) -> str:
    return small_house.entries[0].work


@pytest.fixture
def piece(small_house: TestHouse, work: str) -> int:
    """The act of a piece by a model that learned from the work."""
    model = ModelDigest("model.safetensors", 1, "b0" * 32, "b1" * 32)
    run = small_house.log_run([work], [model])
    more = {"checkpoint": model.file_sha256, "sha256": FILE, "receipt": RECEIPT}
    return small_house.log_output("c2" * 32, run=run, path="waltz-01.mid", **more)


def test_a_sale_is_entered_listed_and_told_to_its_composer(
    asker: Asker, small_house: TestHouse, work: str, piece: int
) -> None:
    asker.unlock("cleo")
    known = asker.get(f"/outputs/{FILE}")
    assert (known["act"], known["path"], known["receipt"]) == (piece, "waltz-01.mid", RECEIPT)
    assert known["not_for_sale"] == []
    assert asker.get("/sales") == {"sales": [], "in_all": 0}
    said = {"person": "cleo", "piece": FILE, "amount": "250.5", "day": DAY}
    found = asker.post("/sales", said)
    assert found == asker.get("/sales")
    (sale,) = found["sales"]
    assert (sale["piece"], sale["amount"], sale["day"]) == ("waltz-01.mid", "250.50", DAY)
    (kept,) = small_house.house.load(anew=True).sales
    assert (kept.by, kept.sale.receipt, kept.sale.cents) == ("cleo", RECEIPT, 25_050)
    account = asker.get("/composers/ana/account")
    assert (account["sales"], account["sales_in_all"]) == ([sale], 1)
    for wrong, words in (
        ({"piece": "00" * 32}, "no such piece"),
        ({"day": "2990-01-01"}, "a day to come"),
        ({"amount": "a lot"}, "25.50"),
        ({"person": "ana"}, "is no producer"),
    ):
        assert words in str(asker.post("/sales", {**said, **wrong}, 422))
    asker.get(f"/outputs/{'00' * 32}", 422)


def test_what_terms_do_not_grant_is_said_before_and_refused(
    asker: Asker, small_house: TestHouse, work: str, piece: int
) -> None:
    for person in ("ana", "cleo"):
        asker.unlock(person)
    asker.post(f"/works/{work}/terms", {"composer": "ana", "allow": "general_model sampling"})
    (lacking,) = asker.get(f"/outputs/{FILE}")["not_for_sale"]
    assert lacking.startswith(f"{work}: ana")
    said = {"person": "cleo", "piece": FILE, "amount": "25", "day": DAY}
    assert work in str(asker.post("/sales", said, 422))
    assert small_house.house.load(anew=True).sales == []


def test_a_sale_is_signed_where_the_key_is_and_by_who_may(
    hand, small_house: TestHouse, piece: int
) -> None:
    ana, cleo = hand("ana"), hand("cleo")
    body = cleo.sale(FILE, RECEIPT, "25.50", 2550, DAY)
    with refused(403):
        ana.post("/sales", {**body, "person": "ana"})
    size = small_house.house.load(anew=True).size
    with refused(409):
        cleo.post("/sales", {**body, "amount": "25.49"})
    assert small_house.house.load(anew=True).size == size
    (sale,) = cleo.post("/sales", body)["sales"]
    assert sale == ana.get("/sales")["sales"][0]
    (kept,) = small_house.house.load(anew=True).sales
    assert (kept.by, kept.sale.cents) == ("cleo", 2550)

"""An inbox that is looked at again: compared once, and still as it is now."""

from __future__ import annotations

import base64
import io
from urllib.parse import urlencode

import mido
import pytest

from desks import STATED, Asker, given
from gen.contribution import Recheck
from gen.studio.routes.curating import MOST_COMPARED
from houses import make_midi


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Works that were compared with the house, as often as they were."""
    works: list[str] = []
    real = Recheck.__call__

    def counted(self, item, register):
        works.append(item.work)
        return real(self, item, register)

    monkeypatch.setattr(Recheck, "__call__", counted)
    return works


def higher(seed: int) -> str:
    """The same music a semitone higher, in base64."""
    file = mido.MidiFile(file=io.BytesIO(make_midi(seed, 16)))
    for message in (message for track in file.tracks for message in track):
        if message.type in ("note_on", "note_off") and message.channel != 9:
            message.note += 1
    data = io.BytesIO()
    file.save(file=data)
    return base64.b64encode(data.getvalue()).decode()


def contribute(asker: Asker, seed: int, **changes: str) -> str:
    file = {**given(seed, name=f"rain {seed}{len(changes)}.mid"), **changes, "stated": STATED}
    done = asker.post("/contribute", {**file, "composer": "ana"})
    assert done["status"] in ("contributed", "needs review"), done
    return done["work"]


def compare(asker: Asker, works) -> dict[str, dict]:
    """Waiting works, compared, by their names."""
    query = urlencode([("work", work) for work in works])
    return {one["work"]: one for one in asker.get(f"/inbox/compared?{query}")}


def test_a_waiting_work_is_compared_once_until_the_house_changes(asker: Asker, compared) -> None:
    asker.unlock("ana")
    asker.unlock("cleo")
    works = {contribute(asker, 7), contribute(asker, 7, midi=higher(7)), contribute(asker, 9)}
    listed = asker.get("/inbox")
    assert {one["work"] for one in listed} == works
    assert not any(one["is_compared"] or one["verdict"] for one in listed)
    assert compared == [], "a list waits for no comparison"

    first = compare(asker, sorted(works))
    assert compared == sorted(works)
    assert asker.get("/inbox") == list(first.values())
    assert compare(asker, sorted(works)[1:2]) == dict([list(first.items())[1]])
    assert len(compared) == 3, "it was compared again"

    (alike,) = [one for one in first.values() if one["verdict"] == "review"]
    (other,) = [one for one in works - {alike["work"]} if one in str(alike["alike"])]
    asker.post(f"/inbox/{other}/reject", {"curator": "cleo", "reason": "it is there twice"})
    rest = {one["work"]: one for one in asker.get("/inbox")}
    assert (rest[alike["work"]]["verdict"], rest[alike["work"]]["alike"]) == ("clear", [])

    compared.clear()
    new = contribute(asker, 7)
    assert [one["is_compared"] for one in asker.get("/inbox")].count(False) == 1
    assert compare(asker, [*rest, new])[new]["verdict"] == "review"
    assert compared == [new], "those that were looked at are known, and not compared again"

    compared.clear()
    asker.post(f"/inbox/{new}/accept", {"curator": "cleo", "although_similar": True})
    compared.clear()
    assert not any(one["is_compared"] for one in asker.get("/inbox"))
    again = compare(asker, rest)
    assert sorted(compared) == sorted(again)
    assert again[alike["work"]]["verdict"] == "review", "it is like a work that is in the house now"


def test_what_is_no_waiting_work_is_told_beside_those_that_are(asker: Asker) -> None:
    asker.unlock("ana")
    work = contribute(asker, 7)
    found = compare(asker, [work, "gone-12345678", "../../roster", "../" * 60])
    assert {name: one["rule"] for name, one in found.items()} == {
        work: "", "gone-12345678": "missing-file", "../../roster": "bad-name",
        "../" * 60: "bad-name",
    }  # fmt: skip
    asker.get("/inbox/compared?" + "&".join(["work=a"] * (MOST_COMPARED + 1)), 422)
    asker.get("/inbox/compared?work=" + "a" * 201, 422)

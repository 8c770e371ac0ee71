"""An inbox that is looked at again: compared once, and still as it is now."""

from __future__ import annotations

import base64
import io

import mido
import pytest

from desks import STATED, Asker, given
from gen.contribution import Recheck
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


def test_a_waiting_work_is_compared_once_until_the_house_changes(asker: Asker, compared) -> None:
    asker.unlock("ana")
    asker.unlock("cleo")
    works = {contribute(asker, 7), contribute(asker, 7, midi=higher(7)), contribute(asker, 9)}
    first = asker.get("/inbox")
    assert sorted(compared) == sorted(works)
    assert asker.get("/inbox") == first
    assert asker.get("/inbox?first=1&most=1") == first[1:2]
    assert len(compared) == 3, "it was compared again"

    (alike,) = [one for one in first if one["verdict"] == "review"]
    (other,) = [one for one in works - {alike["work"]} if one in str(alike["alike"])]
    asker.post(f"/inbox/{other}/reject", {"curator": "cleo", "reason": "it is there twice"})
    rest = {one["work"]: one for one in asker.get("/inbox")}
    assert (rest[alike["work"]]["verdict"], rest[alike["work"]]["alike"]) == ("clear", [])

    compared.clear()
    new = contribute(asker, 7)
    assert {one["work"]: one["verdict"] for one in asker.get("/inbox")}[new] == "review"
    assert compared == [new], "those that were looked at are known, and not compared again"

    compared.clear()
    asker.post(f"/inbox/{new}/accept", {"curator": "cleo", "although_similar": True})
    compared.clear()
    again = {one["work"]: one["verdict"] for one in asker.get("/inbox")}
    assert sorted(compared) == sorted(again)
    assert again[alike["work"]] == "review", "it is like a work that is in the house now"

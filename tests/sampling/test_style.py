"""A composer's style is asked for where they allow it, and where the model was taught it."""

from __future__ import annotations

import pytest

from gen.errors import SettingError
from gen.piece import Piece
from gen.provenance.desk.works import set_consent
from gen.provenance.records.consent import Consent
from gen.sampling.job import job_of
from gen.sampling.planning.controls import Controls
from gen.sampling.planning.deciding import plan_of
from gen.sampling.request import FileTask, SampleRequest
from gen.sampling.run import sample
from gen.smf import write
from gen.tokens import vocabulary as v
from gen.tokens.vocabulary import Kind
from houses import EVERYTHING, key_of, make_piece
from music import FIRST
from studios import asking, make_studio

STYLES = {"styles": {"0": "ana", "3": "ben"}}


@pytest.fixture
def ask_in_style(tmp_path):
    house = make_studio(tmp_path, consent=f"{EVERYTHING} artist_model:ana", run=STYLES)

    def call(**settings: object):
        return sample(SampleRequest.of(asking(tmp_path, house, tmp_path / "out", n=1, **settings)))

    call.house = house
    return call


def test_the_style_stands_in_the_header_by_the_checkpoints_number():
    header = plan_of(Controls(key="C", style="ben"), 3).header
    assert [row[v.KIND] for row in header] == [Kind.BOS, Kind.KEY, Kind.STYLE]
    assert header[-1][v.VALUE] == FIRST["style"] + 3
    assert all(row[v.KIND] != Kind.STYLE for row in plan_of(Controls()).header)


@pytest.mark.parametrize(
    "settings",
    [{"continue": "song.mid"}, {"vary": "song.mid"}, {"accompany": "song.mid", "add": ["bass"]}],
)
def test_a_given_file_is_gone_on_with_in_that_style_too(settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "song.mid").write_bytes(write(make_piece(3)))
    bars = 4 if "continue" in settings else None
    draft = job_of(Controls(bars=bars, style="ben"), FileTask.of(settings), 3).draft([1])
    while draft.forced:
        draft.take(draft.forced.popleft())
    shown = [row for row in draft.prompt(256) if row[v.KIND] == Kind.STYLE]
    assert [row[v.VALUE] for row in shown] == [FIRST["style"] + 3]


def test_the_receipt_says_whose_style_was_asked_and_that_nobody_can_measure_it(ask_in_style):
    (result,) = ask_in_style(style="ana")
    assert isinstance(result.piece, Piece)
    assert result.record["settings"]["style"] == "ana"
    assert {"control": "style", "asked": "ana", "got": "not measured", "met": None} in (
        result.record["asked_and_got"]
    )


def test_another_style_gives_other_music(ask_in_style):
    (plain,), (styled,) = ask_in_style(), ask_in_style(style="ana")
    assert plain.record["music_sha256"] != styled.record["music_sha256"]


def test_a_style_nobody_taught_is_refused_with_the_nearest(ask_in_style, tmp_path):
    with pytest.raises(SettingError, match="did you mean 'ana'"):
        ask_in_style(style="anna")
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_without_styles_refuses(ask):
    with pytest.raises(SettingError, match="was not taught whose style is whose"):
        ask(style="ana")


@pytest.mark.parametrize("person", ["ana", "ben"])
def test_who_allows_no_model_of_themselves_now_is_not_imitated(ask_in_style, person):
    house = ask_in_style.house
    works = list(house.load().works)
    house.house = set_consent(house.house, works, Consent.parse(EVERYTHING), key_of("ana"))
    with pytest.raises(SettingError, match=f"{person} allows no model of themselves any more"):
        ask_in_style(style=person)

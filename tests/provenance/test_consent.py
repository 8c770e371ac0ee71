from datetime import date

import pytest

from gen.errors import SettingError
from gen.provenance.records.acts import ConsentChange
from gen.provenance.records.consent import Consent, check_scope
from gen.provenance.signing.canonical import StrictJsonError

DAY = date(2030, 6, 30)


def test_consent_is_written_and_read_back():
    text = "artist_model:ana@2030-06-30 evaluation general_model"
    consent = Consent.parse("general_model evaluation artist_model:ana@2030-06-30")
    assert str(consent) == text
    assert Consent.parse(text) == consent
    written = ConsentChange(consent.grants, "rain").to_dict()
    assert ConsentChange.from_dict(written).scopes == consent
    assert str(Consent.parse("")) == str(Consent.parse("nothing")) == "nothing"


def test_last_day_counts():
    consent = Consent.parse("general_model@2030-06-30")
    assert consent.allows("general_model", DAY)
    assert not consent.allows("general_model", date(2030, 7, 1))
    assert not consent.allows("evaluation", DAY)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("general_model evaluation", "evaluation", "evaluation"),
        ("evaluation", "evaluation@2030-01-01", "evaluation@2030-01-01"),
        ("evaluation@2031-01-01", "evaluation@2030-01-01", "evaluation@2030-01-01"),
        ("evaluation", "general_model", "nothing"),
    ],
)
def test_what_both_allow(one, other, both):
    first, second = Consent.parse(one), Consent.parse(other)
    assert str(first.narrowed_by(second)) == str(second.narrowed_by(first)) == both


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("generl_model", "did you mean 'general_model'"),
        ("artist_model:", "is no purpose"),
        ("artist_model:a/b", "is no purpose"),
        ("evaluation evaluation", "names 'evaluation' twice"),
        ("evaluation@soon", "'soon' is no day"),
    ],
)
def test_mistakes_are_named(text, words):
    with pytest.raises(SettingError, match=words):
        Consent.parse(text)


@pytest.mark.parametrize(
    "value",
    [
        {},
        [{"scope": "evaluation"}],
        [{"scope": "x", "until": None}],
        [{"scope": "evaluation", "until": "never"}],
        [{"scope": "general_model", "until": None}, {"scope": "evaluation", "until": None}],
    ],
)
def test_other_records_are_refused(value):
    with pytest.raises(StrictJsonError):
        _ = ConsentChange.from_dict({"consent": value, "work": "a"}).scopes


def test_scope_without_a_near_one():
    with pytest.raises(SettingError, match=r"'zzz' is no purpose\n"):
        check_scope("zzz")

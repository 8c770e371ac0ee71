import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.provenance.signing.canonical import (
    MAX_JSON_BYTES,
    StrictJsonError,
    canonical,
    canonical_json,
    from_base64,
    is_sha256_hex,
    strict_json,
    to_base64,
    utc_now,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)


@given(VALUES)
def test_every_value_has_one_spelling(value):
    spelled = canonical(value)
    assert canonical_json(spelled) == strict_json(spelled) == value
    loose = json.dumps(value, indent=1).encode()
    assert canonical(strict_json(loose)) == spelled


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"a":1,"a":1}', "the key 'a' appears twice"),
        (b'{"b":1,"a":1}', "canonical form"),
        (b'{"a": 1}', "canonical form"),
        (b'"\\u0041"', "canonical form"),
        (b"1.0", "1.0 is no whole number"),
        (b"NaN", "NaN is no whole number"),
        (b'{"a":1} ', "canonical form"),
        (b"{} {}", "not JSON"),
        (b'"\xff"', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"1" * 5000, "not JSON"),
        (b"0" * (MAX_JSON_BYTES + 1), "bytes of JSON, more than"),
    ],
)
def test_other_spellings_are_refused(text, words):
    with pytest.raises(StrictJsonError, match=re.escape(words)):
        canonical_json(text)


@pytest.mark.parametrize("text", [b'{"a":1,"a":1}', b"2.5", b"{", b" " * (MAX_JSON_BYTES + 1)])
def test_laid_out_text_is_still_unambiguous(text):
    with pytest.raises(StrictJsonError):
        strict_json(text)


@pytest.mark.parametrize("value", [float("nan"), {1: object()}, "\ud800"])
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(StrictJsonError, match="cannot be written"):
        canonical(value)


@given(st.binary())
def test_base64_has_one_spelling(data):
    assert from_base64(to_base64(data)) == data


@pytest.mark.parametrize("text", ["QQ", "QR==", "Q Q=", "Qé==", 7, "QQ==\n"])
def test_other_base64_is_refused(text):
    with pytest.raises(StrictJsonError):
        from_base64(text)


def test_digests_and_times_have_one_form():
    assert is_sha256_hex("0" * 64)
    assert not any(map(is_sha256_hex, ("A" * 64, "0" * 63, b"0" * 64, None)))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", utc_now())


def test_what_is_no_text_is_shown_with_how_to_say_it():
    with pytest.raises(StrictJsonError, match="no text in UTF-8") as refused:
        canonical({"about": ["song \udcff"]})
    assert "UTF-8" in refused.value.mend

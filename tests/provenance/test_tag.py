import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gen.errors import HouseError
from gen.provenance.records.tag import TagError, read_tag, sign_contribution
from gen.provenance.signing.dsse import Envelope, pre_authentication
from gen.smf import parse
from houses import LANTERN, key_of, make_midi, make_statement, tagged


def test_music_bytes_stay_as_they_were():
    midi = make_midi(1)
    data = tagged(midi)
    assert data.startswith(midi + b"HPRV")
    tag = read_tag(data)
    assert (tag.music, tag.encode()) == (midi, data)
    assert parse(data) == parse(midi)


def test_curators_signature_comes_after_the_composers():
    tag = read_tag(tagged(make_midi(1)))
    both = read_tag(tag.countersigned(key_of("cleo")))
    names = [key_of("ana").keyid, key_of("cleo").keyid]
    assert [s.keyid for s in both.envelope.signatures] == names
    assert both.envelope.payload == tag.envelope.payload
    assert both.uncountersigned() == tag.encode()
    assert read_tag(both.countersigned(key_of("dana"))).envelope.signatures[0].keyid == names[0]
    (anew,) = read_tag(both.signed_anew(key_of("ben"), LANTERN)).envelope.signatures
    assert anew.keyid == key_of("ben").keyid


def test_tagged_files_are_not_tagged_again():
    midi = make_midi(1)
    with pytest.raises(TagError, match="'HPRV' chunk already follows") as caught:
        sign_contribution(tagged(midi), make_statement(midi), key_of("ana"))
    assert caught.value.rule == "already-tagged"


def test_pre_authentication_is_that_of_the_specification():
    # Source: DSSE protocol.md, test vector
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pre_authentication("http://example.com/HelloWorld", b"hello world") == expected


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'{"payload":"","payloadType":"application/vnd.in-toto+json","signatures":[]}',
        b'{"payload":"!","payloadType":"application/vnd.in-toto+json",'
        b'"signatures":[{"keyid":"a","sig":""}]}',
        b'{"payload":"","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"a"}]}',
    ],
)
def test_other_envelopes_are_refused(text):
    with pytest.raises(HouseError):
        Envelope.decode(text)


@settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.binary(max_size=60), st.integers(0, 60))
def test_any_bytes_for_a_tag_are_refused_with_a_rule(noise, cut):
    data = tagged(make_midi(1))
    start = data.index(b"HPRV") + 8
    text = data[start : start + cut] + noise
    file = data[: start - 4] + len(text).to_bytes(4, "big") + text
    with pytest.raises(TagError) as caught:
        read_tag(file)
    assert caught.value.rule in ("bad-envelope", "wrong-payload-type")

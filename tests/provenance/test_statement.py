import pytest

from gen.errors import SettingError
from gen.provenance.records.statement import (
    Description,
    Statement,
    make_work_id,
    parse_composers,
)
from gen.provenance.signing.canonical import StrictJsonError, canonical_json, sha256_hex
from houses import make_midi, make_statement

SHA = "ab" * 32


def payload(**changes):
    return canonical_json(make_statement(make_midi(1), **changes).payload(SHA))


def test_statement_is_written_and_read_back():
    midi = make_midi(1)
    description = Description(
        "Für Ana", "waltz", "calm", "A minor", "Am | F", "A:1 B:5", ("bass", "", "drums")
    )
    statement = make_statement(
        midi, composers=(("ana", 60), ("ben", 40)), description=description
    ).stamped()
    read, digest = Statement.from_payload(canonical_json(statement.payload(sha256_hex(midi))))
    assert (read, digest) == (statement, sha256_hex(midi))
    assert read.software.startswith("gen ")


def test_payload_is_an_in_toto_statement():
    found = payload()
    assert found["_type"] == "https://in-toto.io/Statement/v1"
    assert found["subject"][0]["digest"] == {"sha256": SHA}
    assert found["subject"][0]["name"].endswith(".mid")


def changed(path, value):
    found = payload()
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["_type"], "https://in-toto.io/Statement/v2"),
        (["predicateType"], "urn:other"),
        (["subject"], []),
        (["subject", 0, "name"], "other.mid"),
        (["subject", 0, "digest"], {"sha256": "00"}),
        (["subject", 0, "digest"], {"sha512": SHA}),
        (["predicate", "extra"], 1),
        (["predicate", "work"], "Not An Id"),
        (["predicate", "composers"], []),
        (["predicate", "composers", 0, "share"], 99),
        (["predicate", "composers", 0, "share"], True),
        (["predicate", "musical_hash"], "00"),
        (["predicate", "screening_sha256"], "00"),
        (["predicate", "statements", "no_generative_model"], False),
        (["predicate", "description"], []),
        (["predicate", "description", "colour"], "blue"),
        (["predicate", "description", "roles"], [1]),
        (["predicate", "description", "title"], "two\nlines"),
        (["predicate", "consent"], [{"scope": "all", "until": None}]),
    ],
)
def test_other_payloads_are_refused(path, value):
    with pytest.raises(StrictJsonError):
        Statement.from_payload(changed(path, value))


def test_words_of_an_older_vocabulary_still_read():
    """Vocabularies change; what was signed years ago must still verify."""
    found = changed(["predicate", "description", "genre"], "polka")
    found["predicate"]["method"] = "carved"
    statement, _ = Statement.from_payload(found)
    assert (statement.description.genre, statement.method) == ("polka", "carved")
    with pytest.raises(SettingError, match="'carved' is unknown"):
        statement.stamped()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "sung"}, "method 'sung' is unknown"),
        ({"method": ""}, "method '\\?' is unknown"),
        ({"description": Description(genre="walz")}, "did you mean 'waltz'"),
        ({"description": Description(mood="calmm")}, "did you mean 'calm'"),
        ({"description": Description(roles=("bas",))}, "did you mean 'bass'"),
    ],
)
def test_unknown_words_are_not_signed(changes, words):
    with pytest.raises(SettingError, match=words):
        make_statement(make_midi(1), **changes).stamped()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"work": "Rain"}, "'Rain' is no work id"),
        ({"work": "a/../b"}, "is no work id"),
        ({"composers": (("Ana", 100),)}, "'Ana' is no person's id"),
        ({"composers": (("ana", 0), ("ben", 100))}, "ana's share is 0"),
        ({"composers": (("ana", 50), ("ana", 50))}, "sum to 100 over 1 people"),
        ({"composers": (("ana", 60), ("ben", 60))}, "sum to 120"),
        ({"musical_hash": "x"}, "musical_hash"),
        ({"screening_sha256": "x"}, "screening_sha256"),
        ({"no_third_party_material": False}, "the statement of origin"),
        ({"contract": "a\x00b"}, "control characters"),
    ],
)
def test_impossible_statements_are_refused(changes, words):
    with pytest.raises(SettingError, match=words):
        make_statement(make_midi(1), **changes)


def test_overlong_text_is_refused():
    with pytest.raises(SettingError, match="title has 20001 characters"):
        Description(title="x" * 20_001)


@pytest.mark.parametrize(
    ("text", "composers"),
    [
        ("ana", (("ana", 100),)),
        ("ana:60 ben:40", (("ana", 60), ("ben", 40))),
        ("ana:60, ben:40", (("ana", 60), ("ben", 40))),
    ],
)
def test_composers_are_read_as_people_write_them(text, composers):
    assert parse_composers(text) == composers


@pytest.mark.parametrize("text", ["ana ben", "ana:x", "ana:60 ben:50", "", "ana:²"])
def test_unclear_composers_are_refused(text):
    with pytest.raises(SettingError):
        parse_composers(text)


@pytest.mark.parametrize(
    ("title", "work"),
    [
        ("Paper Lanterns", "paper-lanterns-abababab"),
        ("  Für Élise!  ", "fur-elise-abababab"),
        ("雨", "work-abababab"),
        ("x" * 200, "x" * 48 + "-abababab"),
    ],
)
def test_work_ids_are_readable_and_safe(title, work):
    assert make_work_id(title, SHA) == work

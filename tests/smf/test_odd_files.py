"""What the gate admits, the tokenizer writes: files with anything in them, as training has them."""

from __future__ import annotations

from hypothesis import given

from gen.analysis import analyse
from gen.data.store import rows_with_echoes
from gen.smf import RuleBroken, normalise, parse
from gen.smf.second_reading import check_read_alike
from gen.tokens.encoding import Annotations
from gen.tokens.score import score_of
from gen.tokens.tokenizer import HouseTokenizer
from odd_files import odd_files
from thorough import examples

TOKENIZERS = (HouseTokenizer(), HouseTokenizer(timing="played"))


@given(odd_files())
@examples(120)
def test_whatever_is_taken_becomes_rows_and_is_read_alike(data: bytes) -> None:
    try:
        found = normalise(data)
    except RuleBroken as refusal:
        assert refusal.rule in ("too-long", "no-notes"), refusal  # noqa: PT017 - drawn
        return
    piece = parse(found.data)
    assert piece == found.piece
    assert normalise(found.data).data == found.data
    if not piece.note_count:
        return
    check_read_alike(found.data, piece)
    said = analyse(piece, found.cues)
    assert said.bars
    assert len(said.instruments) == len(said.roles) == sum(bool(t.notes) for t in piece.tracks)
    for tokenizer in TOKENIZERS:
        assert len(rows_with_echoes(tokenizer.events(score_of(piece), Annotations())))

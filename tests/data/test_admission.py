"""No accepted work stops a training run: what the gate admits, the tokenizer writes."""

from __future__ import annotations

from gen.data.admission import take_in
from gen.data.splits import SplitConfig
from gen.piece import Note, Piece, TimeSignature, Track
from gen.provenance.records.statement import Description
from gen.smf import write
from gen.tokens.tokenizer import HouseTokenizer
from houses import make_piece, tagged


def test_works_of_any_meter_size_and_wording_are_all_taken_in(house, own_keys) -> None:
    tracks = [
        Track(str(n), n * 2, notes=[Note(240 * (n + i), 240, 40 + n + i, 80) for i in range(4)])
        for n in range(40)
    ]
    meters = [TimeSignature(0, 4, 4), TimeSignature(2480, 17, 8), TimeSignature(9999, 5, 32)]
    plain = {number: write(make_piece(number)) for number in range(6)}
    odd = [
        write(Piece(480, tracks)),
        write(Piece(480, make_piece(9).tracks, time_signatures=meters)),
    ]
    # Another version of this software may know other keys and chords.
    strange = Description(title="Later", key="Q locrian", chords="C | ???", sections=f"A:{'9' * 9}")
    files = [tagged(midi) for midi in (*plain.values(), *odd)]
    files.append(tagged(write(make_piece(10)), description=strange))
    assert not [result for result in house.submit(*files) if result.rule]
    house.accept()
    assert len(house.admit().admitted) == 9
    tokenizer = HouseTokenizer()
    found = take_in(house.folder, house.pin, "general_model", SplitConfig(), tokenizer)
    assert sum(map(len, found.sides.values())) == 9


def test_a_work_without_notes_is_not_accepted(house) -> None:
    house.submit(tagged(write(Piece(480, [Track("silent")]))))
    (refused,) = house.accept().refused
    assert refused.rule == "no-notes"

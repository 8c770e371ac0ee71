"""Which instrument plays: what a file says on whatever track, what names say, what is asked."""

from __future__ import annotations

import pytest

from gen.errors import SettingError
from gen.piece import DRUM_PROGRAM, Pedal
from gen.smf import (
    RuleBroken,
    musical_hash,
    normalise,
    parse,
    read_instruments,
    with_instruments,
)
from gen.smf.channels import _mpe_zones
from gen.smf.general_midi import NAMES
from gen.smf.lenient import PORT_SHIFT
from gen.smf.naming import contradicts, instrument_in
from midi_files import END, chunk, event, header, meta, note, smf


def named(text: str) -> bytes:
    return meta(0, 0x03, text.encode())


def port(number: int) -> bytes:
    return meta(0, 0x21, bytes((number,)))


def program(number: int, channel: int = 0, delta: int = 0) -> bytes:
    return event(delta, 0xC0 | channel, number)


def bank(number: int, channel: int = 0, delta: int = 0) -> bytes:
    return event(delta, 0xB0 | channel, 0, number)


def system(*payload: int) -> bytes:
    return event(0, 0xF0, len(payload) + 1, bytes(payload), 0xF7)


def instruments(*bodies: bytes, file_format: int = 1) -> list[int]:
    return [t.instrument for t in normalise(smf(*bodies, file_format=file_format)).piece.tracks]


def advice(*bodies: bytes) -> str:
    return "\n".join(normalise(smf(*bodies)).advice)


# -- what the file says -----------------------------------------------------------------------


def test_a_program_holds_for_every_track_of_its_channel() -> None:
    assert instruments(program(73) + note(72), note(65)) == [73, 73]
    assert instruments(note(72), program(73) + note(65)) == [73, 73]


def test_channels_of_one_track_have_the_names_behind_their_prefixes() -> None:
    prefixed = [meta(0, 0x20, bytes((channel,))) + named(name)
                for channel, name in enumerate(("Flute", "Geige", "Keys"))]  # fmt: skip
    music = program(73) + note(72) + note(65, channel=1)
    found = normalise(smf(b"".join(prefixed) + music, file_format=0)).piece.tracks
    assert [(track.name, track.instrument) for track in found] == [("Flute", 73), ("Geige", 40)]


@pytest.mark.parametrize(
    ("name", "instrument"),
    [("Κιθάρα 1", 25), ("Μπάσο", 33), ("Τύμπανα", DRUM_PROGRAM), ("Βιολιά", 40), ("Keman", 40),
     ("Bağlama", 105), ("Vurmalı çalgılar", DRUM_PROGRAM), ("Yaylılar", 48)],
)  # fmt: skip
def test_greek_and_turkish_names_propose_an_instrument(name: str, instrument: int) -> None:
    assert instrument_in(name) == instrument


def test_a_later_program_of_another_track_holds_from_its_tick_on() -> None:
    found = normalise(smf(program(73) + note(72), program(40, delta=480) + note(60)))
    assert [(t.instrument, t.notes[0].onset_ticks) for t in found.piece.tracks] == [
        (73, 0), (40, 480),
    ]  # fmt: skip
    assert instruments(program(73) + note(72) + note(74, delta=480), program(40, delta=700)) == [
        73, 40,
    ]  # fmt: skip


def test_of_programs_at_one_moment_a_tracks_own_counts() -> None:
    assert instruments(program(73) + note(72), program(40) + note(65)) == [73, 40]


def test_a_program_at_the_tick_of_a_note_holds_for_it_whichever_comes_first() -> None:
    body = event(0, 0x90, 60, 80) + program(40) + event(480, 0x80, 60, 0) + note(62)
    assert instruments(b"", body) == [40]


def test_ports_are_further_sets_of_channels() -> None:
    first = port(0) + program(73) + note(72)
    other = port(1) + program(40) + note(60)
    assert instruments(first, other, port(0) + note(64), port(1) + note(55)) == [73, 40, 73, 40]
    assert instruments(first, port(2) + program(44) + program(40, 1) + note(76, channel=1)) == [
        73, 40,
    ]  # fmt: skip


def test_a_port_may_change_within_a_track() -> None:
    setup = port(0) + program(73) + port(1) + program(40)
    assert instruments(setup, port(1) + note(60), port(0) + note(72)) == [40, 73]


def test_a_pedal_reaches_every_track_of_its_channel_but_not_of_another_port() -> None:
    pedal = event(0, 0xB0, 64, 127) + event(480, 0xB0, 64, 0)
    bodies = (program(0) + pedal, program(0) + note(60), program(0) + note(64), port(1) + note(67))
    found = normalise(smf(*bodies)).piece.tracks
    assert [track.pedals for track in found] == [[Pedal(0, 480)], [Pedal(0, 480)], []]


def test_strict_tracks_that_share_a_channel_and_say_the_same_stay_byte_for_byte() -> None:
    data = smf(b"", program(73) + note(72), program(73) + note(65))
    assert normalise(data).data == data
    shared = smf(b"", program(73) + note(72), note(65))
    found = normalise(shared)
    assert found.data != shared
    assert parse(found.data) == found.piece
    assert "programs and pedals of a channel brought to every track" in "\n".join(found.changes)


@pytest.mark.parametrize(
    "setup",
    [
        bank(120) + program(0),
        bank(127) + program(0),
        system(0x43, 0x10, 0x4C, 0x08, 0x00, 0x07, 0x02),
        system(0x41, 0x10, 0x42, 0x12, 0x40, 0x11, 0x15, 0x01, 0x19),
    ],
)
def test_drums_are_drums_on_any_channel_where_bank_or_message_say_so(setup: bytes) -> None:
    assert instruments(b"", setup + note(36)) == [DRUM_PROGRAM]
    assert "plays drums on channel 1, as its bank or a system message says" in advice(
        b"", setup + note(36)
    )


def test_a_bank_that_is_selected_while_a_program_plays_waits_for_the_next_one() -> None:
    played = program(65) + note(60) + bank(127, delta=10) + note(62)
    assert instruments(b"", played) == [65]
    assert instruments(b"", played + program(0) + note(36)) == [65, DRUM_PROGRAM]
    assert instruments(b"", program(65) + bank(127) + note(36)) == [DRUM_PROGRAM]


def test_in_a_gs_file_bank_127_is_no_drum_kit_and_channel_10_may_be_melodic() -> None:
    gs_reset = system(0x41, 0x10, 0x42, 0x12, 0x40, 0x00, 0x7F, 0x00, 0x41)
    assert instruments(gs_reset, bank(127) + program(5) + note(60)) == [5]
    melodic = system(0x41, 0x10, 0x42, 0x12, 0x40, 0x10, 0x15, 0x00, 0x1B)
    assert instruments(melodic, program(40, 9) + note(60, channel=9)) == [40]


# -- one line over many channels --------------------------------------------------------------


def spread(channels: list[int], count: int = 24) -> bytes:
    return b"".join(note(60 + n % 7, channel=channels[n % len(channels)]) for n in range(count))


ZONE = event(0, 0xB0, 101, 0) + event(0, 0xB0, 100, 6) + event(0, 0xB0, 6, 15)


@pytest.mark.parametrize("file_format", [0, 1])
@pytest.mark.parametrize("setup", [b"", ZONE])
def test_a_line_over_fifteen_channels_is_one_line_again(setup: bytes, file_format: int) -> None:
    bodies = [setup + spread([*range(1, 16)])]
    found = normalise(smf(*[b""] * file_format, *bodies, file_format=file_format))
    assert [(t.instrument, len(t.notes)) for t in found.piece.tracks] == [(0, 24)]
    assert any("spread over 15 channels (MPE) joined" in change for change in found.changes)


def test_a_zone_of_few_channels_leaves_the_others_alone_and_plays_its_masters_program() -> None:
    setup = ZONE[:-1] + bytes((3,)) + program(81)
    body = setup + spread([1, 2, 3]) + program(33, 5) + note(40, channel=5)
    assert instruments(b"", body) == [81, 33]


def zones(*setups: tuple[int, int, int]) -> dict[int, int]:
    """Of these status bytes, controllers and values."""
    return _mpe_zones(iter([(0, *setup) for setup in setups]))


@pytest.mark.parametrize("master", [0, 15])
def test_a_zone_is_set_by_controllers_of_its_master_alone(master: int) -> None:
    control = 0xB0 | master
    asked = ((control, 101, 0), (control, 100, 6), (control, 6, 4))
    assert zones(*asked) == {master: 4}
    for place, (_, first, second) in enumerate(asked):
        for status in (0x80 | master, 0xA0 | master, 0xC0 | master, 0xE0 | master, 0xB1, 0xBE):
            others = [*asked[:place], (status, first, second), *asked[place + 1 :]]
            assert not zones(*others), (place, status)
    assert not zones((control, 101, 0), (control, 100, 0), (control, 6, 4))
    assert not zones(*((0xB1, *rest) for _, *rest in asked))
    assert zones(*asked, (control, 6, 0)) == {master: 0}
    assert zones(*asked[:2], (control, 6, 16)) == {master: 15}
    second_port = 1 << PORT_SHIFT
    on_it = [(second_port | status, *rest) for status, *rest in asked]
    assert zones(*on_it) == {second_port | master: 4}


def test_a_choir_of_four_channels_stays_four_parts() -> None:
    ons = b"".join(event(0, 0x90 | c, 60 + c, 80) for c in range(4))
    offs = event(480, 0x80, 60, 0) + b"".join(event(0, 0x80 | c, 60 + c, 0) for c in (1, 2, 3))
    assert len(instruments((ons + offs) * 8, file_format=0)) == 4


# -- what names say ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "instrument"),
    [
        ("Violins I", 40), ("Fingered Bass", 33), ("Kit", 128), ("Vln. II", 40), ("Kl.", 71),
        ("Fag.", 70), ("Cb.", 43), ("Pos.", 57), ("Querflöte", 73), ("Bratschen", 41),
        ("Schlagzeug", 128), ("Hautbois", 68), ("Cor anglais", 69), ("Clarinette basse", 71),
        ("Batterie", 128), ("Flauto traverso", 73), ("Archi", 48), ("Contrabbasso", 43),
        ("Guitarra eléctrica", 27), ("Trompeta 1", 56), ("Violão", 24), ("Cravo", 6),
        ("Strijkers", 48), ("Dwarsfluit", 73), ("Skrzypce", 40), ("Wiolonczela", 42),
        ("Trąbka", 56), ("バイオリン", 40), ("第1ヴァイオリン", 40), ("ドラム", 128),
        ("Скрипка", 40), ("钢琴", 0), ("Soloviolinen", 40), ("Contrabass Clarinet", 71),
        ("12-string Guitar", 25),
        ("Vln1", 40), ("FrenchHorn", 60), ("E-Bass", 33), ("Bass Drum", 128), ("DX7", 5),
        ("Alto", 52), ("Alto Sax", 65), ("Track 1", None), ("MIDI 01", None), ("Melody", None),
        ("", None), ("???", None), ("Audio", None),
    ],
)  # fmt: skip
def test_a_name_proposes_an_instrument_in_many_languages(name: str, instrument) -> None:
    assert instrument_in(name) == instrument


def test_general_midis_own_names_mean_themselves() -> None:
    assert [instrument_in(name.title()) for name in NAMES] == [*range(128)]


def test_names_contradict_other_kinds_of_instruments_only() -> None:
    assert contradicts("Violin", 56)
    assert contradicts("Flute", DRUM_PROGRAM)
    assert not contradicts("Violin", 48)  # a string ensemble
    assert not contradicts("Bass", 58)  # a tuba has the bass
    assert not contradicts("Lead", 40)


@pytest.mark.parametrize(
    ("name", "first", "last"), [("Violin", 40, 45), ("Trumpet", 56, 63), ("Clarinet", 64, 71)]
)
def test_a_family_ends_where_general_midis_does(name: str, first: int, last: int) -> None:
    assert not any(contradicts(name, program) for program in range(first, last + 1))
    assert contradicts(name, first - 1)
    assert contradicts(name, last + 1)


def test_without_a_program_the_name_chooses_and_it_is_said() -> None:
    bodies = [named(n) + note(60) for n in ("Violins I", "Trumpet", "Kit", "Something")]
    found = normalise(smf(b"", *bodies))
    assert [t.instrument for t in found.piece.tracks] == [40, 56, DRUM_PROGRAM, 0]
    assert [t.name for t in found.piece.tracks] == ["Violins I", "Trumpet", "Kit", "Something"]
    assert found.unsure == (0, 1, 2, 3)
    assert "4 track(s) with notes and no program change, taken by their names" in found.advice[0]
    assert "'Violins I' as violin" in found.advice[0]
    assert "'Kit' as drums on channel 1" in found.advice[0]
    assert len(found.advice) == 1
    assert parse(found.data) == found.piece


def test_names_that_tell_and_those_that_do_not_are_told_apart() -> None:
    said = advice(b"", *(named(n) + note(60) for n in ("FLEX", "Retro Bass", "Patch 7")))
    assert "3 track(s) with notes and no program change" in said
    assert "taken by its name: 'Retro Bass' as fingered bass" in said
    assert "taken as General MIDI does: 'FLEX' as acoustic grand piano, 'Patch 7' as" in said


def test_drums_of_one_kind_are_told_in_one_line() -> None:
    names = ("Kick", "Snare", "HH", "Tom 1", "Tom 2")
    found = normalise(smf(b"", *(named(n) + note(36, channel=c) for c, n in enumerate(names))))
    assert found.advice == (
        "5 track(s) with notes and no program change, taken by their names: 'Kick' as drums on "
        "channel 1, 'Snare' as drums on channel 2, 'HH' as drums on channel 3, 'Tom 1' as drums on "
        "channel 4, 1 more; if that is wrong, state the instruments (--instruments, or a column of "
        "that name)",
    )
    assert found.unsure == (0, 1, 2, 3, 4)


def test_a_piano_that_plays_what_a_kit_plays_wants_a_look() -> None:
    struck = b"".join(
        event(0, 0x90, low, 80) + event(0, 0x90, 42, 70) + event(60, 0x80, low, 0)
        + event(0, 0x80, 42, 0)
        for low in (36, 38) * 8
    )  # fmt: skip
    assert "plays what a drum kit plays" in advice(b"", named("Inst 3") + struck)
    assert "plays what a drum kit plays" in advice(b"", named("Inst 3") + program(0) + struck)
    for other in (named("Piano") + struck, program(33) + struck):
        assert "plays what a drum kit plays" not in advice(b"", other)
    bass = b"".join(note(pitch) for pitch in (36, 38, 40, 42, 36, 38, 40, 42))
    assert "plays what a drum kit plays" not in advice(b"", bass)


def test_the_instrument_text_of_a_track_counts_where_its_name_says_nothing() -> None:
    assert instruments(b"", named("Staff 2") + meta(0, 0x04, b"Oboe") + note(70)) == [68]


def test_what_the_file_chooses_stays_against_its_name_and_wants_a_look() -> None:
    body = named("Violin") + program(56) + note(60)
    assert instruments(b"", body) == [56]
    assert "'Violin' is named like a violin, but the file makes it a trumpet" in advice(b"", body)
    assert not advice(b"", named("Violin") + program(48) + note(60))


def test_drums_named_so_on_a_melodic_channel_want_a_look() -> None:
    said = advice(b"", named("Drums") + program(0) + note(36))
    assert "'Drums' is named like drums, but plays on channel 1" in said


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (named("Violin") + program(40, 9) + note(60, channel=9), "its name says violin"),
        (program(41, 9) + note(60, channel=9), "its program is viola"),
        (note(96, channel=9), "most of its notes are no kit's"),
        (program(40, 9) + note(64, channel=9), "most of its notes are no kit's"),
    ],
)
def test_what_is_no_drum_kit_on_channel_10_wants_a_look(body: bytes, why: str) -> None:
    assert instruments(b"", body) == [DRUM_PROGRAM]
    assert f"plays on channel 10, which is the drums', but {why}" in advice(b"", body)
    assert not advice(b"", named("Kit") + program(0, 9) + note(36, channel=9))


def test_names_are_not_asked_where_the_file_says_all() -> None:
    found = normalise(smf(b"", named("Flute") + program(73) + note(72)))
    assert (found.advice, found.unsure, found.changes) == ((), (), ())


# -- what a person states ---------------------------------------------------------------------


def test_stated_instruments_are_written_into_the_file() -> None:
    found = normalise(smf(b"", named("A") + note(36), named("B") + note(60, channel=9)))
    stated = with_instruments(found, read_instruments("drums, Geige"))
    assert [t.instrument for t in stated.piece.tracks] == [DRUM_PROGRAM, 40]
    assert parse(stated.data) == stated.piece
    assert "instruments set as stated: 'A' drums, 'B' violin" in stated.changes
    assert stated.unsure == ()
    assert musical_hash(stated.piece) != musical_hash(found.piece)


def test_what_is_stated_as_it_is_changes_nothing() -> None:
    found = normalise(smf(b"", program(73) + note(72)))
    assert with_instruments(found, (73,)) == found


def test_an_unknown_instrument_is_refused_with_the_nearest() -> None:
    assert read_instruments("electric piano 1; Drums") == (4, DRUM_PROGRAM)
    with pytest.raises(SettingError, match="'trumpett' is no instrument; did you mean 'trumpet'"):
        read_instruments("violin, trumpett")


# -- more tracks than the model holds ---------------------------------------------------------


def test_empty_tracks_go_before_tracks_are_counted() -> None:
    tracks = [named(f"Track {n}") + note(60 + n % 5) * (n % 25 == 0) for n in range(99)]
    assert len(instruments(b"", *tracks)) == 4
    with_controllers = [event(0, 0xB0 | n % 16, 7, 100) for n in range(99)]
    assert len(instruments(b"", *with_controllers, note(60))) == 1


def test_tracks_of_one_instrument_are_joined_until_the_model_holds_them() -> None:
    bodies = [program(n % 20) + named(f"Part {n}") + note(60 + n, delta=n) for n in range(30)]
    found = normalise(smf(b"", *bodies))
    assert len(found.piece.tracks) == 24
    assert found.piece.note_count == 30
    assert len({t.instrument for t in found.piece.tracks}) == 20
    assert any("tracks of one instrument joined, 30 to 24" in change for change in found.changes)
    assert parse(found.data) == found.piece


def test_more_instruments_than_the_model_holds_are_refused_with_their_number() -> None:
    with pytest.raises(RuleBroken, match=r"25 tracks of 25 instruments; the model holds") as no:
        normalise(smf(*[program(n) + note() for n in range(25)]))
    assert "join tracks that one instrument can play" in no.value.mend


def test_no_refusal_at_contribution_advises_to_contribute() -> None:
    data = header(1) + chunk(b"MTrk", event(0, 60, 80) + END)
    with pytest.raises(RuleBroken) as refusal:
        normalise(data)
    assert "contribute.py" not in refusal.value.mend


def test_a_first_program_a_little_late_holds_from_the_beginning() -> None:
    assert instruments(b"", note(60) + note(62), program(73, delta=10)) == [73]
    assert instruments(b"", note(60) + note(62), program(73, delta=240)) == [0, 73]


def test_tracks_without_notes_are_left_out_and_counted_when_the_file_is_written_anew() -> None:
    found = normalise(smf(b"", event(0, 0xB0, 7, 100), note(60), end=b"")).changes
    assert "1 track(s) without notes left out" in found


def test_in_a_gm2_file_the_melody_bank_is_no_drum_kit_on_channel_10() -> None:
    on = system(0x7E, 0x7F, 0x09, 0x03)
    melody = bank(121, 9) + program(48, 9) + note(60, channel=9)
    assert instruments(on, melody) == [48]
    assert instruments(b"", melody) == [DRUM_PROGRAM]


def test_any_name_of_a_track_may_propose_its_instrument() -> None:
    assert instruments(b"", named("Track 3") + named("Cello") + note(48)) == [42]
    assert instruments(b"", named("Track 3") + meta(0, 0x08, b"Nylon Guitar") + note(48)) == [24]


def test_lines_of_a_track_that_nobody_named_are_told_by_their_channels() -> None:
    found = normalise(smf(note(60) + note(60, channel=4) + note(64), file_format=0))
    assert "'acoustic grand piano' (channel 5)" in found.advice[0]


def test_a_metronome_is_told() -> None:
    clicks = named("Click Track") + program(115) + note(76)
    assert "'Click Track' is named as a metronome" in advice(b"", clicks)
    both = advice(b"", clicks, named("Metronome") + program(115) + note(77))
    assert "'Click Track', 'Metronome' are named as metronomes: if they only click" in both
    assert "metronome" not in advice(b"", named("Clicquot") + program(0) + note())

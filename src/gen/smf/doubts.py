"""Which instruments of a file a person should look at, and why: one sentence for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gen.piece import DRUM_PROGRAM
from gen.smf.general_midi import instrument_name
from gen.smf.naming import KIT_SOUNDS, contradicts
from gen.smf.parts import TrackPart
from gen.smf.walk import DRUM_CHANNEL

_KITS = frozenset({0, 8, 16, 24, 25, 26, 32, 40, 48, 49, 50, 51, 52, 53, 56, 57, 126, 127})
"""Programs that call a drum kit in General MIDI 2, GS or XG."""
_LOWEST_DRUM, _HIGHEST_DRUM = 35, 59
"""The pitches of kick, snare, toms and cymbals: a kit plays mostly these."""
_OFTEN_STRUCK = frozenset().union(*KIT_SOUNDS, {37, 39, 49, 53, 57, 59})
_SHOWN = 4
STATE = "state the instruments (--instruments, or a column of that name)"


def look_at_instruments(parts: Sequence[TrackPart]) -> list[str]:
    """What a person should look at before trusting the instruments, one sentence a kind."""
    unsaid = [part for part in parts if not part.is_told]
    found = [_about_unsaid(unsaid)] if unsaid else []
    for kind in _KINDS:
        doubtful = [part for part in parts if kind.has(part)]
        if doubtful:
            said = kind.one(doubtful[0]) if len(doubtful) == 1 else kind.several(doubtful)
            found.append(f"{said}, {STATE}")
    return found


def unsure(parts: Sequence[TrackPart]) -> tuple[int, ...]:
    """The tracks, counted from 0, whose instrument a person should confirm."""
    return tuple(
        place
        for place, part in enumerate(parts)
        if not part.is_told or any(kind.has(part) for kind in _KINDS)
    )


def _about_unsaid(parts: list[TrackPart]) -> str:
    named = [part for part in parts if part.named is not None]
    others = [part for part in parts if part.named is None]
    how = "by its name" if len(named) == 1 else "by their names"
    taken = [f"taken {how}: {_first_few(map(_as_instrument, named))}"] if named else []
    default = "taken as General MIDI does: "
    taken += [f"{default}{_first_few(map(_as_instrument, others))}"] if others else []
    how = "; ".join(taken)
    return (
        f"{len(parts)} track(s) with notes and no program change, {how}; if that is wrong, {STATE}"
    )


def _as_instrument(part: TrackPart) -> str:
    place = f" on channel {_channel(part)}" if _is_kit_elsewhere(part) else ""
    return f"{part.label} as {instrument_name(part.track.instrument)}{place}"


def _first_few(words: Iterable[str]) -> str:
    listed = list(words)
    more = [f"{len(listed) - _SHOWN} more"] if len(listed) > _SHOWN else []
    return ", ".join([*listed[:_SHOWN], *more])


def _labels(parts: Iterable[TrackPart]) -> str:
    return _first_few(part.label for part in parts)


def _channel(part: TrackPart) -> int:
    return (part.channels[0] & 15) + 1


def _is_kit_elsewhere(part: TrackPart) -> bool:
    return part.track.is_drum and _channel(part) != DRUM_CHANNEL + 1


def _is_told_kit_elsewhere(part: TrackPart) -> bool:
    """Drums away from channel 10 by a bank or a message; those by a name are unsaid already."""
    return part.is_told and _is_kit_elsewhere(part)


def _kit_elsewhere(part: TrackPart) -> str:
    return (
        f"{part.label} plays drums on channel {_channel(part)}, as its bank or a system message "
        "says; if it is no drum kit"
    )


def _kits_elsewhere(parts: list[TrackPart]) -> str:
    return (
        f"{_labels(parts)} play drums away from channel 10, as banks or system messages say; if "
        "they are no drums"
    )


def _is_named_like_drums(part: TrackPart) -> bool:
    return part.named == DRUM_PROGRAM and not part.track.is_drum


def _named_like_drums(part: TrackPart) -> str:
    return (
        f"{part.label} is named like drums, but plays on channel {_channel(part)} as "
        f"{instrument_name(part.track.instrument)}, not on channel 10, the drums': if it is a "
        "drum kit"
    )


def _all_named_like_drums(parts: list[TrackPart]) -> str:
    return (
        f"{len(parts)} tracks are named like drums, but play away from channel 10, the drums': "
        f"{_first_few(map(_as_instrument, parts))}; if they are drums"
    )


def _is_no_kit(part: TrackPart) -> bool:
    return part.track.is_drum and len(part.channels) == 1 and bool(_why_no_kit(part))


def _no_kit(part: TrackPart) -> str:
    return (
        f"{part.label} plays on channel 10, which is the drums', but {_why_no_kit(part)}: if "
        "it is no drum kit"
    )


def _no_kits(parts: list[TrackPart]) -> str:
    told = _first_few(f"{part.label}: {_why_no_kit(part)}" for part in parts)
    return f"{len(parts)} tracks play as drums, but seem to be none ({told}): if they are none"


def _why_no_kit(part: TrackPart) -> str:
    if part.named not in (None, DRUM_PROGRAM):
        return f"its name says {instrument_name(part.named or 0)}"
    if part.program is not None and part.program not in _KITS:
        return f"its program is {instrument_name(part.program)}"
    notes = part.track.notes
    beyond = sum(not _LOWEST_DRUM <= note.pitch <= _HIGHEST_DRUM for note in notes)
    is_kit = part.named == DRUM_PROGRAM or beyond <= len(notes) / 2
    return "" if is_kit else "most of its notes are no kit's"


def _is_like_a_kit(part: TrackPart) -> bool:
    """Whether a piano that nobody named strikes kick, snare, cymbals, and next to nothing else."""
    if part.track.is_drum or part.named is not None or part.track.program:
        return False
    pitches = {note.pitch for note in part.track.notes}
    if not all(pitches & sounds for sounds in KIT_SOUNDS):
        return False
    of_a_kit = sum(note.pitch in _OFTEN_STRUCK for note in part.track.notes)
    onsets = {note.onset_ticks for note in part.track.notes}
    return of_a_kit >= 0.9 * len(part.track.notes) >= 0.9 * 1.1 * len(onsets)


def _like_a_kit(part: TrackPart) -> str:
    return (
        f"{part.label} plays what a drum kit plays (kick, snare, hi-hat), but as "
        f"{instrument_name(part.track.instrument)}: if it is a drum kit"
    )


def _like_kits(parts: list[TrackPart]) -> str:
    return (
        f"{_labels(parts)} play what a drum kit plays (kick, snare, hi-hat), but as "
        f"{instrument_name(parts[0].track.instrument)}: if they are drum kits"
    )


def _a(instrument: str) -> str:
    return f"{'an' if instrument[0] in 'aeiou' else 'a'} {instrument}"


def _is_contradicted(part: TrackPart) -> bool:
    instrument = part.track.instrument
    is_about_drums = DRUM_PROGRAM in (part.named, instrument)
    return part.is_told and not is_about_drums and contradicts(part.track.name, instrument)


def _contradicted(part: TrackPart) -> str:
    return (
        f"{part.label} is named like {_a(instrument_name(part.named or 0))}, but the file makes it "
        f"{_a(instrument_name(part.track.instrument))}: if the name is right"
    )


def _all_contradicted(parts: list[TrackPart]) -> str:
    listed = _first_few(
        f"{part.label} is {_a(instrument_name(part.track.instrument))}" for part in parts
    )
    return f"{len(parts)} tracks have names of other instruments ({listed}): if the names are right"


@dataclass(frozen=True, slots=True)
class _Doubt:
    """One kind: whether a part has it, and the sentence of one and of several such parts."""

    has: Callable[[TrackPart], bool]
    one: Callable[[TrackPart], str]
    several: Callable[[list[TrackPart]], str]


_KINDS: Final = (
    _Doubt(_is_told_kit_elsewhere, _kit_elsewhere, _kits_elsewhere),
    _Doubt(_is_named_like_drums, _named_like_drums, _all_named_like_drums),
    _Doubt(_is_no_kit, _no_kit, _no_kits),
    _Doubt(_is_like_a_kit, _like_a_kit, _like_kits),
    _Doubt(_is_contradicted, _contradicted, _all_contradicted),
)

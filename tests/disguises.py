"""What somebody may do to a piece so that it is not known again, by code."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from gen.piece import Note, Piece, Tempo, Track

Disguise = Callable[[Piece], Piece]


def _each(piece: Piece, change: Callable[[list[Note]], list[Note]], drums: bool = False) -> Piece:
    """`change` the notes of every pitched track."""
    tracks = [
        track if track.is_drum and not drums else replace(track, notes=sorted(change(track.notes)))
        for track in piece.tracks
    ]
    return replace(piece, tracks=tracks)


def _moved(note: Note, **changes: int) -> Note:
    pitch = changes.get("pitch", note.pitch)
    while pitch > 127:
        pitch -= 12
    while pitch < 0:
        pitch += 12
    return replace(note, **{**changes, "pitch": pitch})


def transposed(piece: Piece, semitones: int = 5) -> Piece:
    return _each(piece, lambda notes: [_moved(n, pitch=n.pitch + semitones) for n in notes])


def at_another_tempo(piece: Piece) -> Piece:
    return replace(piece, tempos=[Tempo(0, 777_000)])


def rhythm_doubled(piece: Piece) -> Piece:
    """Every onset and length twice as long."""

    def double(notes: list[Note]) -> list[Note]:
        return [replace(n, onset_ticks=2 * n.onset_ticks, duration_ticks=2 * n.duration_ticks)
                for n in notes]  # fmt: skip

    return _each(piece, double, drums=True)


def one_velocity_changed(piece: Piece) -> Piece:
    def change(notes: list[Note]) -> list[Note]:
        return [*notes[:-1], replace(notes[-1], velocity=notes[-1].velocity % 127 + 1)]

    return _each(piece, change, drums=True)


def one_note_more(piece: Piece) -> Piece:
    first = piece.tracks[0]
    more = replace(first.notes[0], onset_ticks=piece.end_ticks + 60)
    return replace(piece, tracks=[replace(first, notes=[*first.notes, more]), *piece.tracks[1:]])


def silent_high_notes(piece: Piece) -> Piece:
    """A note that nobody hears on top of each onset."""

    def add(notes: list[Note]) -> list[Note]:
        onsets = {n.onset_ticks for n in notes}
        return notes + [Note(onset, 30, 120 + onset // 60 % 5, 1) for onset in onsets]

    return _each(piece, add)


def loud_high_notes(piece: Piece) -> Piece:
    """As `silent_high_notes`, and one hears them."""

    def add(notes: list[Note]) -> list[Note]:
        onsets = sorted({n.onset_ticks for n in notes})
        rng = random.Random(7)  # noqa: S311
        return notes + [Note(onset, 30, rng.randrange(96, 120), 80) for onset in onsets]

    return _each(piece, add)


def merged(piece: Piece) -> Piece:
    """All pitched tracks in one."""
    notes = sorted(n for t in piece.tracks if not t.is_drum for n in t.notes)
    return replace(piece, tracks=[Track("all", 0, False, None, notes)])


def ornamented(piece: Piece) -> Piece:
    """A short upper neighbour before the end of every fourth note."""

    def add(notes: list[Note]) -> list[Note]:
        return notes + [
            Note(n.onset_ticks + max(n.duration_ticks * 3 // 4, 1), max(n.duration_ticks // 5, 1),
                 min(n.pitch + 2, 127), n.velocity)
            for n in notes[::4]
        ]  # fmt: skip

    return _each(piece, add)


def octaves(piece: Piece) -> Piece:
    """Every fifth note an octave up."""
    return _each(
        piece,
        lambda notes: [_moved(n, pitch=n.pitch + 12 * (i % 5 == 0)) for i, n in enumerate(notes)],
    )


def bars_shuffled(piece: Piece) -> Piece:
    starts = [start for start, _ in piece.bar_starts()]
    order = list(range(len(starts)))
    random.Random(3).shuffle(order)  # noqa: S311
    bar = starts[1] - starts[0] if len(starts) > 1 else 1

    def deal(notes: list[Note]) -> list[Note]:
        def place(onset: int) -> int:
            number = min(onset // bar, len(order) - 1)
            return order[number] * bar + onset - number * bar

        return [replace(n, onset_ticks=place(n.onset_ticks)) for n in notes]

    return _each(piece, deal, drums=True)


def _tonic(piece: Piece) -> tuple[int, bool]:
    from gen.analysis.key import infer_key

    key, _ = infer_key(piece)
    return key.tonic, key.is_minor


def other_mode(piece: Piece) -> Piece:
    """Major made minor, minor made major."""
    tonic, is_minor = _tonic(piece)
    lower = {4: -1, 9: -1, 11: -1}
    raise_ = {3: 1, 8: 1, 10: 1}
    change = raise_ if is_minor else lower
    return _each(
        piece,
        lambda notes: [
            _moved(n, pitch=n.pitch + change.get((n.pitch - tonic) % 12, 0)) for n in notes
        ],
    )


def inverted(piece: Piece) -> Piece:
    return _each(piece, lambda notes: [_moved(n, pitch=128 - n.pitch) for n in notes])


def backwards(piece: Piece) -> Piece:
    end = piece.end_ticks
    return _each(
        piece, lambda notes: [replace(n, onset_ticks=end - n.end_ticks) for n in notes], drums=True
    )


def melody_as_drums(piece: Piece) -> Piece:
    """The first track on a kit, the others gone."""
    return replace(piece, tracks=[replace(_melody(piece), program=0, is_drum=True)])


def _melody(piece: Piece) -> Track:
    named = [t for t in piece.tracks if t.role == "main_melody"]
    return (named or [t for t in piece.tracks if not t.is_drum])[0]


def first_bars(piece: Piece, bars: int = 4) -> Piece:
    """Of the music: bars before anything sounds do not count."""
    first = min(n.onset_ticks for t in piece.tracks if not t.is_drum for n in t.notes)
    starts = [start for start, _ in piece.bar_starts()]
    place = max(i for i, start in enumerate(starts) if start <= first)
    end = starts[place + bars] if place + bars < len(starts) else piece.end_ticks
    return _each(piece, lambda notes: [n for n in notes if n.onset_ticks < end], drums=True)


def humanised(piece: Piece) -> Piece:
    rng = random.Random(5)  # noqa: S311
    return _each(
        piece,
        lambda notes: [replace(n, onset_ticks=n.onset_ticks + rng.randint(0, 14)) for n in notes],
    )


def thinned(piece: Piece) -> Piece:
    """Every eighth note left out."""
    return _each(piece, lambda notes: [n for i, n in enumerate(notes) if i % 8 != 5])


COMING_HOME: dict[str, Disguise] = {
    "as it was": lambda piece: piece,
    "transposed": transposed,
    "another tempo": at_another_tempo,
    "rhythm doubled": rhythm_doubled,
    "humanised": humanised,
    "a silent high note on each onset": silent_high_notes,
    "a loud high note on each onset": loud_high_notes,
    "tracks merged into one": merged,
    "ornaments on every fourth note": ornamented,
    "every fifth note an octave up": octaves,
    "every eighth note left out": thinned,
    "bars shuffled": bars_shuffled,
    "major made minor": other_mode,
    "inverted": inverted,
    "backwards": backwards,
    "melody as drums": melody_as_drums,
    "the first four bars": first_bars,
    "merged, transposed, ornamented": lambda p: merged(transposed(ornamented(p), -3)),
}


def excerpt(
    piece: Piece, bars: int = 8, seed: int = 0, *, least: int | None = None, tune: bool = True
) -> Piece:
    """Some bars of a piece that hold `least` notes (three a bar), from their first tick on.

    Notes of its melody count where they are to hold a tune, else those of all pitched tracks.
    """
    pitched = [n for t in piece.tracks if not t.is_drum for n in t.notes]
    counted, least = _melody(piece).notes if tune else pitched, least or 3 * bars
    starts = [start for start, _ in piece.bar_starts()]
    rng = random.Random(seed)  # noqa: S311
    first = starts[0]
    for _ in range(100):
        place = rng.randrange(max(len(starts) - bars, 1))
        first, end = starts[place], starts[min(place + bars, len(starts) - 1)]
        if sum(first <= n.onset_ticks < end for n in counted) >= least:
            break
    tracks = [
        replace(
            t,
            notes=[
                replace(n, onset_ticks=n.onset_ticks - first)
                for n in t.notes
                if first <= n.onset_ticks < end
            ],
        )
        for t in piece.tracks
    ]
    return replace(piece, tracks=[t for t in tracks if t.notes])


def planted(host: Piece, stolen: Piece, change: Disguise, at_bar: int = 8) -> Piece:
    """The melody of `stolen`, disguised, in place of the host's own from a bar on."""
    melody = replace(_melody(stolen), name="Lead", program=73)
    line = change(replace(stolen, tracks=[melody])).tracks[0]
    shift = [start for start, _ in host.bar_starts()][at_bar]
    scale = host.ticks_per_quarter / stolen.ticks_per_quarter
    moved = [
        replace(n, onset_ticks=shift + round(n.onset_ticks * scale),
                duration_ticks=max(round(n.duration_ticks * scale), 1))
        for n in line.notes
    ]  # fmt: skip
    end = max(n.end_ticks for n in moved)
    own = _melody(host)
    rest = [n for n in own.notes if not shift <= n.onset_ticks < end]
    tracks = [
        replace(t, program=73, notes=sorted([*rest, *moved])) if t is own else t
        for t in host.tracks
    ]
    return replace(host, tracks=tracks)


PLANTED: dict[str, Disguise] = {
    "as it was": lambda piece: piece,
    "transposed": lambda piece: transposed(piece, 7),
    "an octave lower, transposed": lambda piece: transposed(piece, -15),
    "inserted notes": ornamented,
    "left-out notes": thinned,
    "rhythm doubled": rhythm_doubled,
    "all at once": lambda p: rhythm_doubled(thinned(ornamented(transposed(p, 4)))),
}

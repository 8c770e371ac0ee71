"""The published corpus as the register tells it, measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from gen.harmony import Chord, parse_progression
from gen.piece import Note, Piece, TimeSignature, Track
from gen.provenance.houses.house import House
from gen.provenance.records.acts import Entry
from gen.provenance.records.pin import find_pin
from gen.provenance.records.statement import Description
from gen.provenance.records.tag import read_tag
from gen.smf import parse, write
from starter.catalogue import Commission, sidecar_row
from starter.instruments import playing_range
from starter.leadsheet import LeadSheet
from starter.meters import strong_onsets
from starter.voicing import parallels

DRUM_RANGE = (27, 87)
LEAST_RUN = 8
"""Shared interval runs shorter than this are common to all tonal music."""


@dataclass(frozen=True)
class Work:
    """A work with what its tag says, or will say, of it."""

    title: str
    description: Description
    piece: Piece

    @property
    def theme(self) -> str:
        """The lead sheet's title: the work's title without its arrangement."""
        return self.title.rsplit(" (", 1)[0]

    @property
    def seconds(self) -> float:
        return self.piece.seconds_at(self.piece.end_ticks)

    @property
    def key_name(self) -> str:
        """Tonic with major or minor, modes counted with the one whose third they share."""
        tonic, mode = self.description.key.split()
        return f"{tonic} {'minor' if mode in ('minor', 'dorian', 'phrygian') else 'major'}"

    @property
    def meter(self) -> str:
        first = self.piece.time_signatures[0]
        return f"{first.numerator}/{first.denominator}"

    @cached_property
    def bars(self) -> list[tuple[int, TimeSignature]]:
        return self.piece.bar_starts()

    @cached_property
    def chords(self) -> list[list[Chord | None]]:
        return parse_progression(self.description.chords)

    def tracks(self, role: str) -> list[Track]:
        """Note-bearing tracks of a role, by the description."""
        bearing = [t for t in self.piece.tracks if t.notes]
        roles = self.description.roles
        return [t for t, r in zip(bearing, roles, strict=True) if r == role]

    def chord_at(self, bar: int, share: float) -> Chord | None:
        """The chord at a share (0 to 1) of a bar, counted from 0."""
        cell = self.chords[min(bar, len(self.chords) - 1)]
        return cell[min(int(share * len(cell)), len(cell) - 1)]


@dataclass(frozen=True)
class HouseWork(Work):
    """A registered work, read from its file."""

    entry: Entry
    file_bytes: int


def written_work(commission: Commission) -> Work:
    """A work before it is published, as its sidecar will describe it."""
    made = commission.realise()
    row = sidecar_row(commission, made)
    words = ("genre", "mood", "key", "chords", "sections")
    description = Description(
        **{word: row[word] for word in words}, roles=tuple(row["roles"].split())
    )
    return Work(made.title, description, parse(write(made.piece)))


def read_house(folder: Path) -> Iterator[HouseWork]:
    """Every live work of a house, in the register's order.

    Raises:
        HouseError: no pin, or a file that cannot be read.
    """
    register = House(find_pin(folder)).load()
    for record in register.live_works():
        data = (folder / record.entry.path).read_bytes()
        tagged = read_tag(data)
        described, piece = tagged.statement.description, parse(tagged.music)
        yield HouseWork(record.entry.title, described, piece, record.entry, len(data))


@dataclass
class Harmony:
    """Strong-beat melody notes: how many are in the chord as described."""

    inside: int = 0
    total: int = 0

    @property
    def share(self) -> float:
        return self.inside / max(self.total, 1)


def strong_beats(work: Work) -> Harmony:
    """Melody notes struck on strong beats against the described chord (tensions dropped)."""
    found = Harmony()
    ticks = work.piece.ticks_per_quarter
    grid = ticks // 12
    notes = sorted(n for t in work.tracks("main_melody") for n in t.notes)
    by_place: dict[int, list[Note]] = {}
    for note in notes:
        by_place.setdefault(round(note.onset_ticks / grid) * grid, []).append(note)
    for number, (start, signature) in enumerate(work.bars):
        length = work.piece.bar_ticks(signature)
        for offset in strong_onsets((signature.numerator, signature.denominator)):
            offset = offset * ticks // 480
            chord = work.chord_at(number, offset / length)
            for note in by_place.get(start + offset, []):
                found.total += 1
                found.inside += chord is not None and note.pitch % 12 in (
                    *chord.pitch_classes,
                    chord.bass,
                )
    return found


def outer_parallels(work: Work) -> tuple[int, int]:
    """Parallel fifths and octaves between the first melody and the first bass, and all moves."""
    melody, bass = work.tracks("main_melody"), work.tracks("bass")
    if not melody or not bass:
        return 0, 0
    near = work.piece.ticks_per_quarter // 16  # humanised onsets this close are one moment
    moments = {round(n.onset_ticks / near) * near for t in (melody[0], bass[0]) for n in t.notes}
    pairs = [
        (above, below)
        for tick in sorted(moments)
        if (above := _sounding(melody[0], tick + near))
        and (below := _sounding(bass[0], tick + near))
    ]
    upper, lower = [a for a, _ in pairs], [b for _, b in pairs]
    return parallels(upper, lower), max(len(upper) - 1, 0)


def _sounding(track: Track, tick: int) -> int | None:
    """The highest pitch that sounds at a tick."""
    return max((n.pitch for n in track.notes if n.onset_ticks <= tick < n.end_ticks), default=None)


def outside_range(work: Work) -> int:
    """Notes outside their instrument's playing range."""
    count = 0
    for track in work.piece.tracks:
        low, high = DRUM_RANGE if track.is_drum else playing_range(track.program)
        count += sum(not low <= n.pitch <= high for n in track.notes)
    return count


@dataclass
class Originality:
    """The longest runs of intervals that melodies of different themes share."""

    longest: int = 0
    pairs: list[tuple[int, str, str]] = field(default_factory=list)


def themes_originality(sheets: Iterable[LeadSheet]) -> Originality:
    """Compare the melodies as written in the lead sheets, each part of each theme."""
    import numpy as np

    from gen.likeness.passages import PassageIndex
    from gen.likeness.voices import Voice

    index = PassageIndex()
    owners: list[str] = []
    best: Counter[tuple[str, str]] = Counter()
    for sheet in sheets:
        notes = [note.pitch for letter in sheet.form for note in sheet.parts[letter].notes]
        pitches = [p for i, p in enumerate(notes) if i == 0 or p != notes[i - 1]]
        empty = np.zeros(len(pitches), dtype=np.int32)
        voice = Voice(sheet.title, True, np.array(pitches, dtype=np.int16), empty)
        for run in index.shared_runs(voice, LEAST_RUN):
            first, second = sorted((owners[run.voice], sheet.title))
            best[first, second] = max(best[first, second], run.length)
        index.extend([voice])
        owners.append(sheet.title)
    pairs = [(length, *names) for names, length in best.most_common(8)]
    return Originality(pairs[0][0] if pairs else 0, pairs)


def originality(works: Sequence[Work]) -> Originality:
    """Compare the first melody of every work with those of all other themes."""
    from gen.likeness.passages import PassageIndex
    from gen.likeness.voices import voices_of

    index = PassageIndex()
    owners: list[str] = []
    best: Counter[tuple[str, str]] = Counter()
    for work in works:
        voices = voices_of(work.piece, work.description.roles)
        label = work.tracks("main_melody")[0].name
        for voice in (v for v in voices if v.label == label):
            for run in index.shared_runs(voice, LEAST_RUN):
                if owners[run.voice] != work.theme:
                    first, second = sorted((owners[run.voice], work.theme))
                    best[first, second] = max(best[first, second], run.length)
            index.extend([voice])
            owners.append(work.theme)
    pairs = [(length, *names) for names, length in best.most_common(8)]
    return Originality(pairs[0][0] if pairs else 0, pairs)

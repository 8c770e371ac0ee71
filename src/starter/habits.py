"""What works have in common that no genre asks for: how they begin, move, speak and end.

A count that is high for every genre alike is a habit of the program that wrote the works, which
a model learns as if it were style. `table` sets volumes beside each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from gen.harmony import parse_key
from gen.piece import Note
from starter.corpus import Work, outer_parallels, outside_range, strong_beats
from starter.keys import idiomatic_shifts

FEW_NOTES = 2
"""Bass notes a bar that only mark the harmony."""
COMMON_RHYTHMS = 10
HANDOVERS = 3
"""Times the melody passes to another instrument before a work counts as a dialogue."""
CLOSING_BARS = 8

Volumes = Sequence[tuple[str, Sequence[Work]]]


def table(volumes: Volumes) -> list[str]:
    """Each count of `ROWS` for each volume, as a Markdown table.

    Args:
        volumes: a name and the works of each.
    """
    rows = [f"| {name} | " + " | ".join(count(works) for _, works in volumes) + " |"
            for name, count in ROWS]  # fmt: skip
    head = "| | " + " | ".join(name for name, _ in volumes) + " |"
    return [head, "|---|" + "---|" * len(volumes), *rows]


def sections(work: Work) -> list[tuple[str, int]]:
    """(name, first bar from 1) as the tag states them."""
    found = (text.rsplit(":", 1) for text in work.description.sections.split())
    return [(name, int(bar)) for name, bar in found]


def _share(holds: Callable[[Work], bool]) -> Callable[[Sequence[Work]], str]:
    def count(works: Sequence[Work]) -> str:
        found = sum(map(holds, works))
        return f"{found} of {len(works)} ({found / max(len(works), 1):.0%})"

    return count


def begins_with_intro(work: Work) -> bool:
    """Its first section is an introduction."""
    return sections(work)[0][0] == "intro"


def has_intro_of_four(work: Work) -> bool:
    """Its first section is an introduction of four bars."""
    found = sections(work)
    return found[0][0] == "intro" and len(found) > 1 and found[1][1] == 5


def states_a_at_five(work: Work) -> bool:
    """The theme's first part begins with bar 5."""
    return ("A", 5) in sections(work)


def begins_with_pickup(work: Work) -> bool:
    """The first bar holds nothing but a melody in its second half."""
    start, signature = work.bars[0]
    half = start + work.piece.bar_ticks(signature) * 3 // 8
    return min(n.onset_ticks for t in work.piece.tracks for n in t.notes) >= half


def begins_with_riff(work: Work) -> bool:
    """A riff sounds for two bars or more before the melody enters."""
    riffs = [n.onset_ticks for t in work.tracks("riff") for n in t.notes]
    lead = [n.onset_ticks for t in work.tracks("main_melody") for n in t.notes]
    return bool(riffs) and min(riffs) + work.bars[2][0] <= min(lead, default=0)


def closing(work: Work) -> tuple[float, ...]:
    """How it slows down over its last bars: tempi as shares of the tempo before them."""
    start = work.bars[-min(CLOSING_BARS, len(work.bars))][0]
    tempos = [(t.onset_ticks, t.quarters_per_minute) for t in work.piece.tempos]
    pace = [qpm for tick, qpm in tempos if tick < start or tick == 0][-1]
    found: tuple[float, ...] = ()
    for tick, qpm in tempos:
        if tick >= start and tick and qpm >= pace:  # another section's pace: begin anew
            pace, found = qpm, ()
        elif tick >= start and tick:
            found += (round(qpm / pace, 2),)
    return found


def _commonest_closing(works: Sequence[Work]) -> str:
    shapes = Counter(closing(work) for work in works)
    none = shapes.pop((), 0)
    most = max(shapes.values(), default=0)
    return f"{len(shapes)} shapes; the commonest in {most}, none in {none}"


def changes_key_late(work: Work) -> bool:
    """The key is another after half of the work than at its beginning."""
    keys = work.piece.key_signatures
    late = [k for k in keys if k.onset_ticks >= work.piece.end_ticks // 2]
    return any((k.fifths, k.is_minor) != (keys[0].fifths, keys[0].is_minor) for k in late)


def changes_tempo(work: Work) -> bool:
    """It is faster or slower for a while before it closes."""
    start = work.bars[-min(CLOSING_BARS, len(work.bars))][0]
    return any(0 < t.onset_ticks < start for t in work.piece.tempos)


def is_idiomatic(work: Work) -> bool:
    """Its key is one that players of the genre like."""
    return 0 in idiomatic_shifts(work.description.genre, parse_key(work.description.key))


def handovers(work: Work) -> int:
    """How often the melody passes from one instrument to another from one bar to the next.

    Counted from bar to bar where just one of the melodic tracks strikes twice or more.
    """
    tracks = [*work.tracks("main_melody"), *work.tracks("sub_melody")]
    counts = [_onsets_by_bar(work, t.notes) for t in tracks]
    alone = []
    for bar in range(len(work.bars)):
        speaking = [i for i, found in enumerate(counts) if len(found[bar]) > 1]
        silent = all(not found[bar] for i, found in enumerate(counts) if i not in speaking)
        if len(speaking) == 1 and silent:
            alone.append(speaking[0])
    return sum(a != b for a, b in pairwise(alone))


def _onsets_by_bar(work: Work, notes: Sequence[Note]) -> list[list[int]]:
    """Onsets of each bar, from its line, on the grid of twelve a quarter."""
    grid = work.piece.ticks_per_quarter // 12
    starts = [start for start, _ in work.bars]
    made: list[list[int]] = [[] for _ in starts]
    bar = 0
    for note in sorted(notes):
        onset = round(note.onset_ticks / grid) * grid
        while bar + 1 < len(starts) and starts[bar + 1] <= onset:
            bar += 1
        made[bar].append((onset - starts[bar]) // grid)
    return made


def _common_rhythms(works: Sequence[Work]) -> str:
    rhythms: Counter[tuple[object, ...]] = Counter()
    for work in works:
        for track in work.tracks("main_melody"):
            bars = _onsets_by_bar(work, track.notes)
            rhythms.update((s.numerator, s.denominator, *sorted(set(found)))
                           for found, (_, s) in zip(bars, work.bars, strict=True)
                           if found)  # fmt: skip
    most = sum(count for _, count in rhythms.most_common(COMMON_RHYTHMS))
    return f"{most / max(rhythms.total(), 1):.0%} of {rhythms.total():,}"


def _still_basses(works: Sequence[Work]) -> str:
    bars = [
        len(found)
        for work in works
        for track in work.tracks("bass")
        for found in _onsets_by_bar(work, track.notes)
        if found
    ]
    return f"{sum(n <= FEW_NOTES for n in bars) / max(len(bars), 1):.0%} of {len(bars):,}"


def clashes(works: Sequence[Work]) -> float:
    """Share of sounding sixteenths in which two parts stand a semitone apart."""
    clashing = total = 0
    for work in works:
        step = work.piece.ticks_per_quarter // 4
        sounding: list[set[tuple[int, int]]] = [set() for _ in range(work.piece.end_ticks // step)]
        for number, track in enumerate(t for t in work.piece.tracks if not t.is_drum):
            for note in track.notes:
                first = round(note.onset_ticks / step)
                last = max(round(note.end_ticks / step), first + 1)
                for at in range(first, min(last, len(sounding))):
                    sounding[at].add((note.pitch, number))
        for heard in sounding:
            total += bool(heard)
            clashing += any(a[1] != b[1] and abs(a[0] - b[0]) == 1 for a in heard for b in heard)
    return clashing / max(total, 1)


def _strong(works: Sequence[Work]) -> str:
    found = [strong_beats(work) for work in works]
    return f"{sum(h.inside for h in found) / max(sum(h.total for h in found), 1):.1%}"


def _parallels(works: Sequence[Work]) -> str:
    found = [outer_parallels(w) for w in works if w.description.genre == "chorale"]
    return f"{sum(p for p, _ in found)} in {sum(m for _, m in found):,}"


ROWS: tuple[tuple[str, Callable[[Sequence[Work]], str]], ...] = (
    ("works", lambda works: str(len(works))),
    ("themes", lambda works: str(len({w.theme for w in works}))),
    ("begin with an introduction", _share(begins_with_intro)),
    ("… of four bars", _share(has_intro_of_four)),
    ("A at bar 5", _share(states_a_at_five)),
    ("begin with a pick-up", _share(begins_with_pickup)),
    ("a riff before the melody", _share(begins_with_riff)),
    ("slowing down at the end", _commonest_closing),
    ("another tempo on the way", _share(changes_tempo)),
    ("another key in the second half", _share(changes_key_late)),
    ("key that players of the genre like", _share(is_idiomatic)),
    (f"melody passes to and fro, {HANDOVERS} times or more",
     _share(lambda work: handovers(work) >= HANDOVERS)),
    (f"melody bars on the {COMMON_RHYTHMS} commonest rhythms", _common_rhythms),
    (f"bass bars of one or {FEW_NOTES} notes", _still_basses),
    ("sixteenths with a semitone between two parts", lambda works: f"{clashes(works):.3f}"),
    ("strong-beat melody notes in the chord", _strong),
    ("parallel fifths and octaves in chorales, moves", _parallels),
    ("notes outside their instrument's range",
     lambda works: str(sum(outside_range(w) for w in works))),
)  # fmt: skip

"""Measures screening, by hand: `python tests/likeness/measure.py songs|home [N]`.

`songs`: the curve of false reviews among N honest songs by code, and of planted excerpts found,
over the bits from which a passage is looked at. `home`: how often a piece that a model of the house
wrote is known again, whatever was done to it, and how often an honest work is taken for one; the
outputs are songs by code and works of the starter house (a work of another theme is honest).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from disguises import COMING_HOME, PLANTED, excerpt, planted
from gen.likeness.fingerprint import NewPiece
from gen.likeness.screening import (
    ACCOMPANIMENT_FACTOR,
    BLOCK,
    CLEAR,
    OUTPUT,
    REVIEW,
    WORK,
    Known,
    Match,
    Screen,
    Thresholds,
)
from gen.piece import Piece
from gen.provenance.tag import read_tag
from gen.smf import parse
from pop_songs import pop_song

STARTER = Path(__file__).parents[2] / "data" / "house_midi"
LOOKED_AT = (30, 35, 40, 45, 50, 55, 60, 65, 70, 80, 90, 100)
EXCERPTS = 60


def main() -> None:
    what, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300
    {"songs": measure_songs, "home": measure_home}[what](count)


def measure_songs(count: int) -> None:
    """False reviews as the house grows by the songs one after the other; then the curve."""
    screen, open_screen = Screen(), Screen(Thresholds(review_bits=1, block_bits=10_000))
    verdicts, honest = Counter[str](), []
    for number in range(count):
        piece, known = NewPiece.of(pop_song(number)), Known(WORK, str(number), (f"c{number}",))
        verdicts[screen.compare(piece, known.composers).verdict] += 1
        honest.append(most(open_screen.compare(piece).matches))
        for each in (screen, open_screen):
            each.add(known, piece.fingerprint)
    print(f"{count} honest songs, compared as they come: {dict(verdicts)}")
    limits = screen.compare(NewPiece.of(pop_song(count))).limits
    print(f"calibrated: review {limits.review:.0f}, block {limits.block:.0f} bits")
    found = {name: [] for name in PLANTED}
    for name, change in PLANTED.items():
        for number in range(EXCERPTS):
            victim = number * 7 % count
            stolen = excerpt(pop_song(victim), 8, number)
            piece = NewPiece.of(planted(pop_song(10_000 + number), stolen, change))
            matches = open_screen.compare(piece).matches
            found[name].append(most(m for m in matches if m.known.name == str(victim)))
    print("looked at from (bits) | honest % |", " | ".join(f"{name} %" for name in found))
    for bits in LOOKED_AT:
        shares = [share(honest, bits), *(share(scores, bits) for scores in found.values())]
        print(bits, *(f"{100 * s:.1f}" for s in shares), sep=" | ")


def most(matches: Iterator[Match] | tuple[Match, ...]) -> float:
    """The bits of the best passage; those of accompaniments count for less."""
    return max((m.passage.bits / (1 if m.passage.is_tune else ACCOMPANIMENT_FACTOR)
                for m in matches if m.passage), default=0.0)  # fmt: skip


def share(scores: list[float], bits: float) -> float:
    return sum(score >= bits for score in scores) / len(scores)


def measure_home(count: int) -> None:
    measure_coming_home("starter works", list(starter(count)))
    measure_coming_home("songs by code", list(songs(count)))


def songs(count: int) -> Iterator[tuple[str, Piece, tuple[str, ...]]]:
    for number in range(count):
        yield str(number), pop_song(number), ()


def starter(count: int) -> Iterator[tuple[str, Piece, tuple[str, ...]]]:
    """Theme, music and roles of the starter house's works, evenly taken."""
    paths = sorted(STARTER.glob("*/*.mid"))
    for path in paths[:: max(len(paths) // count, 1)]:
        tagged = read_tag(path.read_bytes())
        description = tagged.statement.description
        yield description.title.rsplit(" (", 1)[0], parse(tagged.music), description.roles


def measure_coming_home(name: str, pieces: list[tuple[str, Piece, tuple[str, ...]]]) -> None:
    """All pieces are outputs; each is honest to those of other themes.

    The house has works too, of which it learns what is common: other songs, or these works.
    """
    screen = Screen()
    new = [NewPiece.of(piece, roles) for _, piece, roles in pieces]
    for (theme, _, _), piece in zip(pieces, new, strict=True):
        screen.add(Known(OUTPUT, theme), piece.fingerprint)
    others = pieces if pieces[0][2] else [("", pop_song(n), ()) for n in range(5000, 5150)]
    for number, (_, piece, roles) in enumerate(others):
        screen.add(Known(WORK, f"work {number}"), NewPiece.of(piece, roles).fingerprint)
    alarms = Counter[str]()
    for (theme, _, _), piece in zip(pieces, new, strict=True):
        report = screen.compare(piece)
        matches = [m for m in report.matches if m.known.kind == OUTPUT and m.known.name != theme]
        alarms[matches[0].verdict if matches else CLEAR] += 1
        if matches and matches[0].verdict == BLOCK:
            print("  alarm", theme, "|", matches[0].known.name, matches[0].passage, matches[0].bars)
    print(f"{name}: {len(pieces)} honest ones against all outputs of others: {dict(alarms)}",
          f"(from {report.limits.output:.0f} bits on)", flush=True)  # fmt: skip
    for disguise, change in COMING_HOME.items():
        verdicts = Counter[str]()
        for theme, piece, roles in pieces[:: max(len(pieces) // 40, 1)]:
            changed = change(piece)
            given = roles if len(changed.tracks) == len(piece.tracks) else ()
            report = screen.compare(NewPiece.of(changed, given))
            own = [m.verdict for m in report.matches if m.known.name == theme]
            verdicts[own[0] if own else CLEAR] += 1
        total = sum(verdicts.values())
        print(f"  {disguise:36} refused {100 * verdicts[BLOCK] / total:5.1f} %"
              f"  looked at {100 * verdicts[REVIEW] / total:5.1f} %", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

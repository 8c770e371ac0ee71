"""Measures screening, by hand: `python tests/likeness/measure.py songs|home|letter [N [DRAW]]`.

`songs`: the curve of false reviews among N honest songs by code, and of planted excerpts found,
over the bits from which a passage is looked at. `home`: how often a piece that a model of the house
wrote is known again, whatever was done to it, and how often an honest work is taken for one; the
outputs are songs by code and works of the starter house (a work of another theme is honest).
`letter`: of how many of a hundred works, changed in each way and listed, a letter is told that the
house has them, and of how many of N foreign songs by code (docs/letter.md has the table).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from disguises import (
    COMING_HOME,
    PLANTED,
    Disguise,
    at_another_tempo,
    excerpt,
    ornamented,
    planted,
    rhythm_doubled,
    transposed,
)
from gen.analysis import infer_roles
from gen.likeness.fingerprint import NewPiece
from gen.likeness.lookup import MATCH, PrintIndex
from gen.likeness.prints import prints_of
from gen.likeness.report import BLOCK, CLEAR, OUTPUT, REVIEW, WORK, Known
from gen.likeness.screening import Screen
from gen.piece import Piece
from gen.provenance.records.tag import read_tag
from gen.smf import parse
from idiomatic_songs import KINDS, idiomatic_song
from pop_songs import pop_song

STARTER = Path(__file__).parents[2] / "data" / "house_midi"
LOOKED_AT = (30, 33, 36, 39, 42, 45, 50, 55, 60, 65, 70, 80, 90, 100)
EXCERPTS = 60
ALL_KINDS = (*KINDS, "pop")


def main() -> None:
    what, *numbers = sys.argv[1], *map(int, sys.argv[2:] or (300,))
    {"songs": measure_songs, "home": measure_home, "letter": measure_letter}[what](*numbers)


def measure_songs(count: int, draw: int = 0) -> None:
    """False reviews as the house grows by the songs one after the other; then the curve.

    The first draw is what the measure was made with; another has other songs and excerpts.
    """
    first, screen, honest, verdicts = draw * 1_000_000, Screen(), [], []
    for number in range(count):
        piece = heard(song(first + number))
        verdicts.append(screen.compare(piece).verdict)
        honest.append(weight_in(screen, piece))
        screen.add(Known(WORK, str(number), (f"c{number}",)), piece.fingerprint)
        if not (number + 1) % 100:
            print(f"{number + 1} of {count} compared", file=sys.stderr)
    screen.keep_up()
    limits = screen.calibration.limits()
    print(f"{count} honest songs of {len(ALL_KINDS)} kinds, compared as they come; for review:")
    for place, kind in enumerate(ALL_KINDS):
        of_kind = verdicts[place :: len(ALL_KINDS)]
        print(f"  {kind}: {sum(v != CLEAR for v in of_kind)} of {len(of_kind)}")
    print(f"calibrated: review {limits.review:.0f}, block {limits.block:.0f} bits;",
          screen.calibration.in_words(limits.review), flush=True)  # fmt: skip
    found = {}
    for name, change in PLANTED.items():
        print(f"{EXCERPTS} excerpts, {name}", file=sys.stderr)
        found[name] = measure_planted(screen, count, first, change)
    print("looked at from (bits) | honest % |", " | ".join(f"{name} %" for name in found))
    for bits in LOOKED_AT:
        shares = [share(honest, bits), *(share(scores, bits) for scores in found.values())]
        print(bits, *(f"{100 * s:.1f}" for s in shares), sep=" | ")
    at_limit = {name: share(scores, limits.review) for name, scores in found.items()}
    print("at the limit:", share(honest, limits.review), at_limit)
    draw_curve(honest, found, limits.review)


def song(number: int) -> Piece:
    """The kinds take turns."""
    kind = ALL_KINDS[number % len(ALL_KINDS)]
    return pop_song(number) if kind == "pop" else idiomatic_song(kind, number)


def heard(piece: Piece) -> NewPiece:
    """A piece with the roles that a contribution would have."""
    return NewPiece.of(piece, infer_roles(piece))


def weight_in(screen: Screen, piece: NewPiece, victim: int | None = None) -> float:
    """The bits of the passage that weighs most, with one known piece or any."""
    found = screen.shared.find(piece)
    return max((each.weight for each in found if victim in (None, each.piece)), default=0.0)


def measure_planted(screen: Screen, count: int, first: int, change: Disguise) -> list[float]:
    """What is found of eight bars of a known melody inside another song."""
    scores = []
    for number in range(EXCERPTS):
        victim = number * 7 % count
        stolen = excerpt(song(first + victim), 8, number)
        host = planted(song(first + 10_000 + 3 * number), stolen, change)
        scores.append(weight_in(screen, heard(host), victim))
    return scores


def draw_curve(honest: list[float], found: dict[str, list[float]], limit: float) -> None:
    """The curve as a picture, in the folder that one is in."""
    from matplotlib.figure import Figure

    axes = (figure := Figure(figsize=(9, 4.5), layout="constrained")).subplots()
    bits = list(range(20, 121))
    for name, scores in found.items():
        axes.plot(bits, [100 * share(scores, b) for b in bits], label=name, lw=1)
    axes.plot(bits, [100 * share(honest, b) for b in bits], "k", lw=2, label="honest songs")
    axes.axvline(limit, color="grey", ls=":")
    axes.set(xlabel="looked at from (bits)", ylabel="looked at (%)")
    axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    figure.savefig("screening-curve.svg")


WEIGHTS = (7, 8, 9, MATCH, 10, 11, 12)


def measure_letter(count: int, draw: int = 0) -> None:
    """The second draw, 1, has other works, excerpts and songs: no limit was chosen by it."""
    works = [piece for _, piece, _ in starter(1_000)]
    index = PrintIndex(map(prints_of, works))
    for name, change in LISTED.items():
        found = []
        for number in range(100):
            work = ((7 + 4 * draw) * number + 3 + 2 * draw) % len(works)
            shared = index.shared(prints_of(change(works[work], number + 1_000 * draw)))
            found.append(max((s.weight for s in shared if s.piece == work), default=0.0))
        say_weights(name, found)
    first = 5_000 + 45_000 * draw
    foreign = [index.shared(prints_of(song(first + number))) for number in range(count)]
    say_weights("foreign songs", [shared[0].weight if shared else 0.0 for shared in foreign])


LISTED: dict[str, Callable[[Piece, int], Piece]] = {
    "transposed": lambda piece, _: transposed(piece),
    "at another tempo": lambda piece, _: at_another_tempo(piece),
    "every note twice as long": lambda piece, _: rhythm_doubled(piece),
    "an ornament on every fourth note": lambda piece, _: ornamented(piece),
    "eight bars with a tune": lambda piece, seed: excerpt(piece, 8, seed),
    "any eight bars": lambda piece, seed: excerpt(piece, 8, seed, least=30, tune=False),
    "eight bars with a tune, transposed, an ornament on every fourth note": lambda piece, seed: (
        ornamented(transposed(excerpt(piece, 8, seed)))
    ),
    "any eight bars, transposed, an ornament on every fourth note": lambda piece, seed: ornamented(
        transposed(excerpt(piece, 8, seed, least=30, tune=False))
    ),
}


def say_weights(name: str, weights: list[float]) -> None:
    counts = " ".join(f"{least}: {sum(w >= least for w in weights)}" for least in WEIGHTS)
    least, most = min(weights), max(weights)
    print(f"{name}: of {len(weights)} from weight {counts}; {least:.1f} to {most:.1f}", flush=True)


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
          f"(from {report.limits.output_block:.0f} bits on)", flush=True)  # fmt: skip
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

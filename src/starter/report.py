"""The quality report: numbers into REPORT.md, pictures beside it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

from gen.harmony import GENRES
from starter import abc, plots
from starter.catalogue import LEADSHEETS, SECOND
from starter.corpus import (
    Harmony,
    HouseWork,
    originality,
    outer_parallels,
    outside_range,
    read_house,
    strong_beats,
    themes_originality,
)
from starter.datasheet import write_croissant, write_datasheet
from starter.habits import table

REVIEW_RUN = 12
"""Shared interval runs from here on are looked at by a person."""


def report(
    house: Path,
    folder: Path,
    say: Callable[[str], None],
    *,
    pictures: bool = True,
    audio: Path | None = None,
) -> None:
    """Measure the published corpus and write everything under `folder`.

    Args:
        house: the published house.
        folder: for REPORT.md, SOUND.md, DATASHEET.md, croissant.json and the pictures.
        say: called with what happens, a line at a time.
        pictures: draw them anew; else the former ones stay.
        audio: render one work a genre there and check it; None leaves the former result.
    """
    works = list(read_house(house))
    say(f"{len(works)} works read")
    shares = _strong_beats(works)
    if pictures:
        _draw(works, shares, folder, say)
    lines = [
        *_totals(works), *_spreads(works), *_harmony(works, shares), *_habits(works),
        *_originality(works), *_structure(), *_rolls(sorted((folder / "rolls").glob("*.png"))),
    ]  # fmt: skip
    (folder / "REPORT.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_datasheet(works, folder / "DATASHEET.md")
    write_croissant(works, house, folder / "croissant.json")
    if audio:
        heard = _listen(_spread(works, 1), audio, say)
        (folder / "SOUND.md").write_text("\n".join([*_SOUND, *heard]) + "\n", encoding="utf-8")
    say(f"report in {folder}")


def _draw(
    works: list[HouseWork], shares: dict[str, Harmony], folder: Path, say: Callable[[str], None]
) -> None:
    (folder / "rolls").mkdir(parents=True, exist_ok=True)
    for old in (folder / "rolls").glob("*.png"):
        old.unlink()
    plots.distributions(works, folder / "distributions.png")
    plots.harmony({g: h.share for g, h in shares.items()}, folder / "harmony.png")
    plots.self_similarity(_spread(works, 1)[:12], folder / "self_similarity.png")
    say("pictures of the corpus drawn; piano rolls next")
    plots.rolls(_spread(works, 2), folder / "rolls")


def _spread(works: list[HouseWork], per_genre: int) -> list[HouseWork]:
    """Some works of every genre, from different themes and arrangements."""
    chosen = []
    for genre in GENRES:
        mine = [w for w in works if w.description.genre == genre]
        chosen += [mine[i * len(mine) // per_genre + i] for i in range(per_genre) if mine]
    return chosen


def _strong_beats(works: list[HouseWork]) -> dict[str, Harmony]:
    shares: dict[str, Harmony] = defaultdict(Harmony)
    for work in works:
        found = strong_beats(work)
        shares[work.description.genre].inside += found.inside
        shares[work.description.genre].total += found.total
    return shares


def _totals(works: list[HouseWork]) -> list[str]:
    notes = sum(w.piece.note_count for w in works)
    hours = sum(w.seconds for w in works) / 3600
    tracks = [len(w.piece.tracks) for w in works]
    bars = [len(w.bars) for w in works]
    rows = [
        ("works", f"{len(works)}"),
        ("themes", f"{len({w.theme for w in works})}"),
        ("hours", f"{hours:.1f}"),
        ("notes", f"{notes:,}"),
        ("tracks a work", f"{min(tracks)} to {max(tracks)}"),
        ("bars a work", f"{min(bars)} to {max(bars)}, mean {sum(bars) / len(bars):.0f}"),
        ("signed files", f"{sum(w.file_bytes for w in works) / 1e6:.1f} MB"),
        ("tracks without a role", f"{sum(_roleless(w) for w in works)}"),
        ("notes outside their instrument's range", f"{sum(outside_range(w) for w in works)}"),
    ]
    head = ["# Quality of the starter corpus", "",
            "Measured from the register by `python scripts/starter_house.py report`.",
            ""]  # fmt: skip
    return [*head, "| | |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows), ""]


def _roleless(work: HouseWork) -> int:
    return sum(bool(t.notes) for t in work.piece.tracks) - len(work.description.roles)


def _spreads(works: list[HouseWork]) -> list[str]:
    keys = Counter(w.key_name for w in works)
    meters = Counter(w.meter for w in works)
    tempi = sorted(w.piece.tempos[0].quarters_per_minute for w in works)
    modes = Counter(w.description.key.split()[1] for w in works)
    return [
        "## Distributions", "", "![distributions](distributions.png)", "",
        f"- Keys: {len(keys)} of 24 used, "
        f"{min(keys.values())} to {max(keys.values())} works each; "
        f"modes: {_listed(modes)}.",
        f"- Meters at the beginning: {_listed(meters)}.",
        f"- Tempi: {tempi[0]:.0f} to {tempi[-1]:.0f} quarters a minute, "
        f"half of them {tempi[len(tempi) // 4]:.0f} to {tempi[3 * len(tempi) // 4]:.0f}.",
        f"- Genres: {_listed(Counter(w.description.genre for w in works))}.",
        f"- Moods: {_listed(Counter(w.description.mood for w in works))}.", "",
    ]  # fmt: skip


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def _harmony(works: list[HouseWork], shares: dict[str, Harmony]) -> list[str]:
    inside = sum(h.inside for h in shares.values())
    total = sum(h.total for h in shares.values())
    found = [outer_parallels(w) for w in works if w.description.genre == "chorale"]
    parallels, moves = sum(p for p, _ in found), sum(m for _, m in found)
    return [
        "## Harmony", "", "![strong beats](harmony.png)", "",
        f"- Strong-beat melody notes that belong to the chord as described (tensions are dropped "
        f"there, so a ninth in jazz counts as outside): {inside / total:.1%} of {total:,}.",
        f"- Parallel fifths and octaves between melody and bass in chorales, where the style "
        f"forbids them: {parallels} in {moves:,} moves.", "",
    ]  # fmt: skip


def _habits(works: list[HouseWork]) -> list[str]:
    """What works have in common, volume beside volume as far as they are published."""
    titles = {sheet.title for sheet in abc.load(SECOND)}
    second = [w for w in works if w.theme in titles]
    first = [w for w in works if w.theme not in titles]
    volumes = [("first volume", first), ("second volume", second), ("both", works)]
    return ["## Habits", "", "What no genre asks for, and how often it is there.", "",
            *table(volumes if second else [("works", works)]), ""]  # fmt: skip


def _originality(works: list[HouseWork]) -> list[str]:
    themes = themes_originality([*abc.load(LEADSHEETS), *abc.load(SECOND)])
    played = originality(works)
    return [
        "## Originality within the corpus", "",
        "The longest run of intervals (transposition and rhythm left out, repeated notes counted "
        f"once) that two themes share; review begins at {REVIEW_RUN}.", "",
        f"- As written in the lead sheets: {themes.longest}.",
        f"- As played by the first melody of each work, ornaments and variations included: "
        f"{played.longest}.", "",
        "| | run | theme | theme |", "|---|---|---|---|",
        *(f"| written | {n} | {a} | {b} |" for n, a, b in themes.pairs[:5]),
        *(f"| played | {n} | {a} | {b} |" for n, a, b in played.pairs[:5]), "",
    ]  # fmt: skip


def _structure() -> list[str]:
    return ["## Structure", "", "Bar against bar: returns stand as diagonals, changed ones paler.",
            "", "![self-similarity](self_similarity.png)", "",
            "How it sounds: [SOUND.md](SOUND.md).", ""]  # fmt: skip


_SOUND = (
    "# How the corpus sounds", "",
    "One work a genre, rendered with the General MIDI SoundFont by",
    "`python scripts/starter_house.py report --audio out/starter-audio`.", "",
    "| work | peak | quietest 2 s inside, dBFS | clipped samples |", "|---|---|---|---|",
)  # fmt: skip


def _listen(works: list[HouseWork], folder: Path, say: Callable[[str], None]) -> list[str]:
    """Render and measure: peak, the quietest stretch between first and last note, clipping."""
    import numpy as np
    from scipy.io import wavfile

    from gen.rendering import audio

    rows = []
    for work in works:
        rate, data = wavfile.read(audio(work.piece, folder / f"{work.entry.work}.wav"))
        wave = np.abs(np.asarray(data, dtype=np.float64) / 32768)
        wave = wave.max(axis=1) if wave.ndim == 2 else wave
        size = 2 * rate
        count = int(work.seconds // 2)
        loud = [float(np.sqrt(np.mean(wave[i * size : (i + 1) * size] ** 2))) for i in range(count)]
        quiet = 20 * np.log10(max(min(loud[:-1], default=1e-6), 1e-6))
        clipped = int((wave >= 0.9999).sum())
        rows.append(f"| {work.entry.title} | {wave.max():.2f} | {quiet:.0f} | {clipped} |")
        say(rows[-1])
    return rows


def _rolls(paths: list[Path]) -> list[str]:
    lines = ["## Piano rolls, two works a genre", ""]
    for path in paths:
        lines += [f"![{path.stem}](rolls/{path.name})", ""]
    return lines

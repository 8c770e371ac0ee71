"""The pictures of the quality report."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from gen.harmony import GENRES
from gen.smf import instrument_name
from starter.corpus import HouseWork

INK = "#27496d"


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Any, path: Path, dpi: int = 80) -> None:
    figure.savefig(path, format="png", dpi=dpi, metadata={"Software": None})


def distributions(works: list[HouseWork], path: Path) -> None:
    """Keys, meters, tempi, genres, instruments, densities, lengths, ranges, ensembles."""
    figure = _figure(17, 12)
    axes = figure.subplots(3, 3).ravel()
    _bars(axes[0], Counter(w.key_name for w in works), "keys (modes by their third)", by_name=True)
    _bars(axes[1], Counter(w.meter for w in works), "meters")
    _histogram(
        axes[2], [w.piece.tempos[0].quarters_per_minute for w in works], "tempo, quarters/min"
    )
    genres = Counter(w.description.genre for w in works)
    _bars(axes[3], Counter({g: genres[g] for g in GENRES}), "genres")
    _bars(axes[4], _instruments(works), "tracks by instrument (the 36 most used)")
    _histogram(axes[5], [w.piece.note_count / w.seconds for w in works], "notes per second")
    _histogram(axes[6], [w.seconds for w in works], "length, seconds")
    _ranges(axes[7], works)
    _bars(axes[8], Counter(str(len(w.piece.tracks)) for w in works), "tracks a work", by_name=True)
    _save(figure, path)


def _instruments(works: list[HouseWork]) -> Counter[str]:
    counts = Counter(instrument_name(t.instrument) for w in works for t in w.piece.tracks)
    return Counter(dict(counts.most_common(36)))


def _bars(axis: Any, counts: Counter[str], title: str, by_name: bool = False) -> None:
    items = sorted(counts.items()) if by_name else counts.most_common()
    axis.bar([name for name, _ in items], [count for _, count in items], color=INK)
    axis.set_title(title)
    axis.tick_params(axis="x", rotation=90, labelsize=8)


def _histogram(axis: Any, values: list[float], title: str) -> None:
    axis.hist(values, bins=30, color=INK)
    axis.set_title(title)


def _ranges(axis: Any, works: list[HouseWork]) -> None:
    roles = ("main_melody", "sub_melody", "riff", "accompaniment", "pad", "bass")
    pitches = [[n.pitch for w in works for t in w.tracks(r) for n in t.notes] for r in roles]
    axis.boxplot(pitches, whis=(1, 99), showfliers=False)
    axis.set_xticks(range(1, len(roles) + 1), roles, rotation=20, fontsize=8)
    axis.set_title("pitch by role (box: quarters, whiskers: 1 % and 99 %)")


def harmony(shares: dict[str, float], path: Path) -> None:
    """Strong-beat melody notes in the chord, by genre."""
    figure = _figure(9, 3.6)
    axis = figure.subplots()
    names = [g for g in GENRES if g in shares]
    axis.bar(names, [shares[g] for g in names], color=INK)
    axis.set_ylim(0, 1)
    axis.tick_params(axis="x", rotation=60, labelsize=8)
    axis.set_title("share of strong-beat melody notes in the described chord")
    _save(figure, path)


def self_similarity(works: list[HouseWork], path: Path) -> None:
    """Bar against bar, dark where alike: phrases that return stand as diagonals."""
    figure = _figure(14, 11)
    for axis, work in zip(figure.subplots(3, 4).ravel(), works, strict=False):
        axis.imshow(_likeness(work), cmap="Blues", vmin=0, vmax=1)
        axis.set_title(f"{work.entry.title[:44]}\n{work.description.genre}", fontsize=8)
        starts = [s.rsplit(":", 1) for s in work.description.sections.split()]
        axis.set_xticks([int(b) - 1 for _, b in starts], [n for n, _ in starts], fontsize=6)
        axis.tick_params(axis="x", rotation=90)
        axis.tick_params(axis="y", labelsize=6)
    _save(figure, path)


def _likeness(work: HouseWork) -> Any:
    """(bars, bars) cosine likeness of what is played: pitch, place in the bar and track."""
    import numpy as np

    starts = [start for start, _ in work.bars]
    bars: list[Counter[tuple[int, int, int]]] = [Counter() for _ in starts]
    step = work.piece.ticks_per_quarter // 4
    for number, track in enumerate(work.piece.tracks):
        for note in track.notes:
            place = int(np.searchsorted(starts, note.onset_ticks + 12, side="right")) - 1
            offset = round((note.onset_ticks - starts[place]) / step)
            bars[place][number, note.pitch, offset] += 1
    keys = {key: i for i, key in enumerate(sorted({k for bar in bars for k in bar}))}
    matrix = np.zeros((len(bars), len(keys)))
    for row, bar in enumerate(bars):
        for key, count in bar.items():
            matrix[row, keys[key]] = count
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
    return matrix @ matrix.T


def rolls(works: list[HouseWork], folder: Path) -> list[Path]:
    """A piano roll of each work, at the size a page shows."""
    from PIL import Image

    from gen.rendering import piano_roll

    made = []
    for work in works:
        path = folder / f"{work.description.genre}-{work.entry.work}.png"
        piano_roll(work.piece, path, title=work.entry.title)
        with Image.open(path) as image:
            small = image.convert("P", palette=Image.Palette.ADAPTIVE, colors=32)
        small.save(path, optimize=True)
        made.append(path)
    return made

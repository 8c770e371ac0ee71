"""A piece as a picture: piano roll in systems, drums below, sections and chords above."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gen.errors import HouseError
from gen.piece import Marker, Note, Piece, TimeSignature
from gen.png import png_of
from gen.rendering import files, labels
from gen.rendering.colours import INK, PAPER, Tints, track_colours
from gen.rendering.lettering import FONT, printable, put_text, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 128
WIDTH_INCHES = 15.0
_GUTTER, _MARGIN = 1.12, 0.32  # left of the rolls for lane names; right, in inches
_SIGNS, _GAP, _LANE = 0.46, 0.2, 0.135  # heights: signs over a system, under it, a drum lane
_SEMITONE = (0.052, 0.062, 0.10)  # height of a pitch: in long pieces, else at least, at most
_ROLL = (1.25, 3.0)  # height of a roll
_LEGEND_ROW = 0.24
_QUARTERS = (8, 32)  # length of a system in quarter notes, while it makes at most…
_MOST_SYSTEMS = 12
_BLACK_KEYS = frozenset({1, 3, 6, 8, 10})


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; `number` from 1."""

    number: int
    start_ticks: int
    end_ticks: int
    signature: TimeSignature


@dataclass(frozen=True, slots=True)
class _Layout:
    """What all systems share. Heights and widths in inches."""

    piece: Piece
    systems: list[list[Bar]]
    lowest: int
    highest: int
    roll_height: float
    lanes: list[str]
    ticks_per_inch: float
    colours: list[Tints]
    signs: labels.Signs

    @property
    def strip_height(self) -> float:
        return _LANE * len(self.lanes)

    @property
    def system_height(self) -> float:
        return _SIGNS + self.roll_height + self.strip_height + _GAP


def piano_roll(piece: Piece, path: Path | str, *, title: str = "") -> Path:
    """Write the piece's piano roll as PNG, 1920 pixels wide, wrapped into systems.

    Raises:
        HouseError: the piece has no notes, or the folder cannot be written.
    """
    drawn = png_of(lambda: figure(piece, title=title), dpi=DPI, facecolor=PAPER)
    return files.write(Path(path), drawn)


def figure(piece: Piece, *, title: str = "") -> Figure:
    """The drawn figure. Note collections carry the gid `notes:TRACK`, in track order.

    Raises:
        HouseError: the piece has no notes.
    """
    from matplotlib.figure import Figure

    if not piece.note_count:
        raise HouseError("the piece has no notes, so there is nothing to draw")
    layout = _layout(piece)
    legend = _legend(piece)
    head = 0.72 + _LEGEND_ROW * (1 + max(item.row for item in legend))
    height = head + len(layout.systems) * layout.system_height + 0.06
    drawn = Figure(figsize=(WIDTH_INCHES, height), dpi=DPI, facecolor=PAPER)
    _draw_head(drawn, layout, legend, title or "Untitled piece")
    for index, bars in enumerate(layout.systems):
        _draw_system(drawn, layout, bars, top=height - head - index * layout.system_height)
    return drawn


def bars_of(piece: Piece) -> list[Bar]:
    """The piece's bars with their ends; a bar cut short by a new signature ends there."""
    starts = piece.bar_starts()
    ends = [start for start, _ in starts[1:]]
    ends.append(starts[-1][0] + piece.bar_ticks(starts[-1][1]))
    return [
        Bar(number, start, end, signature)
        for number, ((start, signature), end) in enumerate(zip(starts, ends, strict=True), 1)
    ]


def systems_of(piece: Piece) -> list[list[Bar]]:
    """Bars in lines of 4, 8, 12 … bars, at most 32 quarters long.

    Lines grow longer where that made more than 12 of them. A last line of one bar (a final
    note that rings on) joins the line before it.
    """
    bars = bars_of(piece)
    quarters = [(bar.end_ticks - bar.start_ticks) / piece.ticks_per_quarter for bar in bars]
    longest = max(_QUARTERS[1], sum(quarters) / _MOST_SYSTEMS)
    fill = max(1, int(longest / max(quarters) + 1e-9))
    fill -= fill % 4 if fill > 4 else 0
    lines = [bars[at : at + fill] for at in range(0, len(bars), fill)]
    if len(lines) > 1 and len(lines[-1]) == 1 < fill:
        lines[-2:] = [lines[-2] + lines[-1]]
    return lines


def _layout(piece: Piece) -> _Layout:
    systems = systems_of(piece)
    longest = max(line[-1].end_ticks - line[0].start_ticks for line in systems)
    longest = max(longest, _QUARTERS[0] * piece.ticks_per_quarter)
    pitches = [n.pitch for t in piece.tracks if not t.is_drum for n in t.notes]
    hits = {n.pitch for t in piece.tracks if t.is_drum for n in t.notes}
    lowest, highest = (min(pitches) - 2, max(pitches) + 2) if pitches else (60, 60)
    height = (highest - lowest + 1) * _SEMITONE[len(systems) <= 4]
    height = min(max(height, _ROLL[0]), _ROLL[1], (highest - lowest + 1) * _SEMITONE[2])
    return _Layout(
        piece,
        systems,
        lowest,
        highest,
        height if pitches else 0.0,
        labels.drum_lanes(hits),
        longest / (WIDTH_INCHES - _GUTTER - _MARGIN),
        track_colours(piece.tracks),
        labels.signs(piece),
    )


class _LegendItem(NamedTuple):
    track: int
    label: str
    left: float  # inches
    row: int


def _legend(piece: Piece) -> list[_LegendItem]:
    """A label for each track with notes, flowing into rows; text widths are estimates."""
    items: list[_LegendItem] = []
    left, row = _GUTTER, 0
    for index, track in enumerate(piece.tracks):
        if not track.notes:
            continue
        label = shortened(labels.legend_label(track), 60)
        width = 0.27 + 0.069 * len(label)
        if left > _GUTTER and left + width > WIDTH_INCHES - _MARGIN:
            left, row = _GUTTER, row + 1
        items.append(_LegendItem(index, label, left, row))
        left += width + 0.28
    return items


def _draw_head(drawn: Figure, layout: _Layout, legend: list[_LegendItem], title: str) -> None:
    from matplotlib.patches import Rectangle

    height = drawn.get_figheight()
    x = _GUTTER / WIDTH_INCHES
    name, facts = shortened(title, 70), _facts(layout.piece)
    put_text(drawn, x, 1 - 0.30 / height, name, size=15, weight="bold", color=INK.text)
    put_text(drawn, x, 1 - 0.56 / height, facts, size=9, color=INK.soft)
    for item in legend:
        base = height - 0.82 - _LEGEND_ROW * item.row
        swatch = Rectangle(
            (item.left / WIDTH_INCHES, (base - 0.055) / height), 0.2 / WIDTH_INCHES, 0.11 / height,
            facecolor=layout.colours[item.track].fill, linewidth=0, transform=drawn.transFigure,
        )  # fmt: skip
        drawn.add_artist(swatch)
        at = ((item.left + 0.27) / WIDTH_INCHES, base / height)
        put_text(drawn, *at, item.label, size=8.5, color=INK.text)


def _facts(piece: Piece) -> str:
    seconds = round(piece.seconds_at(piece.end_ticks))
    bars = len(piece.bar_starts())
    parts = [labels.key_name(piece), labels.meter_name(piece), labels.tempo_name(piece)]
    parts += [f"{bars} bar{'s' * (bars != 1)}", f"{seconds // 60}:{seconds % 60:02d}"]
    parts += [f"{piece.note_count:,} notes"]
    return "   ·   ".join(part for part in parts if part)


def _draw_system(drawn: Figure, layout: _Layout, bars: list[Bar], *, top: float) -> None:
    """One line of the picture; `top` is its upper edge in inches from the figure's foot."""
    height = drawn.get_figheight()
    width = (bars[-1].end_ticks - bars[0].start_ticks) / layout.ticks_per_inch
    left = _GUTTER / WIDTH_INCHES
    roll_foot = top - _SIGNS - layout.roll_height
    axes = []
    if layout.roll_height:
        box = (left, roll_foot / height, width / WIDTH_INCHES, layout.roll_height / height)
        axes.append(drawn.add_axes(box, gid="roll"))
        _draw_pitches(axes[-1], layout)
    if layout.lanes:
        foot = (roll_foot - layout.strip_height) / height
        box = (left, foot, width / WIDTH_INCHES, layout.strip_height / height)
        axes.append(drawn.add_axes(box, gid="drums"))
        _draw_lanes(axes[-1], layout)
    sections = _within(layout.signs.sections, bars)
    for one in axes:
        _draw_grid(one, layout.piece, bars)
        _lines(one, [s.onset_ticks for s in sections], INK.text, linewidth=1.1, zorder=2)
        one.set_xlim(bars[0].start_ticks, bars[-1].end_ticks)
    _draw_notes(axes, layout, bars)
    _draw_signs(axes[0], layout, bars)


def _bare(axes: Axes) -> None:
    axes.set_facecolor("white")
    axes.set_xticks([])
    axes.tick_params(length=0, pad=4)
    for side in axes.spines.values():
        side.set_color(INK.rule)
        side.set_linewidth(0.6)


def _draw_pitches(axes: Axes, layout: _Layout) -> None:
    _bare(axes)
    axes.set_ylim(layout.lowest - 0.5, layout.highest + 0.5)
    pitches = range(layout.lowest, layout.highest + 1)
    _shade(axes, [pitch for pitch in pitches if pitch % 12 in _BLACK_KEYS])
    octaves = [pitch for pitch in pitches if pitch % 12 == 0]
    for pitch in octaves:
        axes.axhline(pitch - 0.5, color=INK.rule, linewidth=0.6, zorder=1)
    names = [f"C{pitch // 12 - 1}" for pitch in octaves]
    axes.set_yticks(octaves, names, fontsize=7, fontfamily=FONT, color=INK.soft)


def _draw_lanes(axes: Axes, layout: _Layout) -> None:
    _bare(axes)
    count = len(layout.lanes)
    axes.set_ylim(-0.5, count - 0.5)
    _shade(axes, range(0, count, 2))
    axes.set_yticks(range(count), layout.lanes, fontsize=6.5, fontfamily=FONT, color=INK.soft)


def _draw_grid(axes: Axes, piece: Piece, bars: list[Bar]) -> None:
    beats: list[int] = []
    for bar in bars:
        beat = piece.ticks_per_quarter * 4 // bar.signature.denominator
        beats.extend(range(bar.start_ticks + beat, bar.end_ticks, beat))
    _lines(axes, beats, INK.faint, linewidth=0.5, zorder=1)
    _lines(axes, [bar.start_ticks for bar in bars], INK.line, linewidth=0.8, zorder=1.5)


def _lines(axes: Axes, ticks: Sequence[int], colour: str, **style: float) -> None:
    """Lines from top to bottom; as one collection they take a tenth of the time."""
    from matplotlib.collections import LineCollection

    lines = LineCollection(
        [[(tick, 0), (tick, 1)] for tick in ticks], colors=colour,
        transform=axes.get_xaxis_transform(), **style,
    )  # fmt: skip
    axes.add_collection(lines, autolim=False)


def _shade(axes: Axes, rows: Iterable[int]) -> None:
    """Bands from left to right, each one unit high."""
    from matplotlib.collections import PolyCollection

    bands = [[(0, y - 0.5), (1, y - 0.5), (1, y + 0.5), (0, y + 0.5)] for y in rows]
    shaded = PolyCollection(
        bands, facecolors=INK.shade, linewidths=0, zorder=0, transform=axes.get_yaxis_transform()
    )
    axes.add_collection(shaded, autolim=False)


def _draw_notes(axes: list[Axes], layout: _Layout, bars: list[Bar]) -> None:
    """Notes that begin in this system, and the rest of those held over from the last."""
    from matplotlib.collections import PolyCollection

    begin, end = bars[0].start_ticks, bars[-1].end_ticks
    order = sorted(range(len(layout.piece.tracks)), key=lambda i: _depth(layout, i))
    for depth, index in enumerate(order):
        track = layout.piece.tracks[index]
        pane = axes[-1] if track.is_drum else axes[0]
        fresh = [n for n in track.notes if begin <= n.onset_ticks < end]
        held = [n for n in track.notes if n.onset_ticks < begin < n.end_ticks]
        for notes, gid in ((fresh, f"notes:{index}"), (held, f"held:{index}")):
            if not notes or (track.is_drum and gid.startswith("held")):
                continue
            shape = _hits(notes, layout) if track.is_drum else _boxes(notes, begin, end)
            fill = [layout.colours[index].at(note.velocity) for note in notes]
            drawn = PolyCollection(
                list(shape), facecolors=fill, edgecolors=[layout.colours[index].edge],
                linewidths=0.35, zorder=3 + depth / 100, gid=gid,
            )  # fmt: skip
            pane.add_collection(drawn, autolim=False)


def _depth(layout: _Layout, index: int) -> int:
    """Drawing order: sustained pads at the back, melodies in front."""
    order = ("pad", "accompaniment", None, "bass", "riff", "sub_melody", "main_melody", "drums")
    role = layout.piece.tracks[index].role
    return order.index(role) if role in order else order.index(None)


def _boxes(notes: Iterable[Note], begin: int, end: int) -> Iterator[list[tuple[float, float]]]:
    for note in notes:
        left, right = max(note.onset_ticks, begin), min(note.end_ticks, end)
        low, high = note.pitch - 0.46, note.pitch + 0.46
        yield [(left, low), (right, low), (right, high), (left, high)]


def _hits(notes: Iterable[Note], layout: _Layout) -> Iterator[list[tuple[float, float]]]:
    """Drum hits have no length worth showing: a flag at the onset, the same size for all."""
    width = 0.085 * layout.ticks_per_inch
    for note in notes:
        lane = layout.lanes.index(labels.drum_lane(note.pitch))
        left, right = note.onset_ticks, note.onset_ticks + width
        yield [(left, lane - 0.38), (right, lane), (left, lane + 0.38)]


def _draw_signs(axes: Axes, layout: _Layout, bars: list[Bar]) -> None:
    """Bar numbers, chord symbols and section names over a system."""
    top = axes.get_ylim()[1]
    for bar in bars:
        _sign(axes, bar.start_ticks, top, str(bar.number), rise=3, size=6.5, color=INK.soft)
    _draw_chords(axes, layout, _within(layout.signs.chords, bars), top)
    for marker in _within(layout.signs.sections, bars):
        box = {"boxstyle": "round,pad=0.28", "facecolor": INK.text, "edgecolor": "none"}
        name = shortened(marker.text, 24)
        _sign(
            axes, marker.onset_ticks, top, name, rise=25, size=7.5, color="white", bbox=box,
            weight="bold", right=3,
        )  # fmt: skip


def _draw_chords(axes: Axes, layout: _Layout, chords: list[Marker], top: float) -> None:
    """Chord symbols; one that would run into its neighbour is set smaller, then left out."""
    free_from = -math.inf
    for index, marker in enumerate(chords):
        text = shortened(marker.text, 12)
        room = math.inf
        if index + 1 < len(chords):
            room = (chords[index + 1].onset_ticks - marker.onset_ticks) / layout.ticks_per_inch
        size = 8.5 if room > 0.075 * len(text) + 0.05 else 6.5
        if marker.onset_ticks < free_from:
            continue
        free_from = marker.onset_ticks + 0.052 * len(text) * layout.ticks_per_inch
        _sign(axes, marker.onset_ticks, top, text, rise=12, size=size, color=INK.text)


def _within(markers: Iterable[Marker], bars: list[Bar]) -> list[Marker]:
    begin, end = bars[0].start_ticks, bars[-1].end_ticks
    return [marker for marker in markers if begin <= marker.onset_ticks < end]


def _sign(
    axes: Axes, tick: int, top: float, text: str, *, rise: float, right: float = 0, **style: Any
) -> None:
    """A text `rise` points over the axes at a tick."""
    drawn = axes.annotate(
        printable(text), (tick, top), xytext=(right, rise), textcoords="offset points",
        va="center", ha="left", fontfamily=FONT, annotation_clip=False, **style,
    )  # fmt: skip
    drawn.set_parse_math(False)

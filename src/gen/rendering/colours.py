"""Colours of tracks by role, told apart by colour-blind eyes too.

Source: M. Okabe and K. Ito, "Color Universal Design", 2008; darker where a thin note of
the original yellow or sky blue would be lost on white.
"""

from __future__ import annotations

import colorsys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gen.piece import Track

PAPER = "#fcfbf9"
_ROLES = {
    "main_melody": "#d14a00",
    "sub_melody": "#c2609a",
    "accompaniment": "#3f9fd8",
    "bass": "#0a4f8f",
    "pad": "#12977a",
    "riff": "#dd9400",
    "drums": "#3d3a45",
}
_UNNAMED = ("#7a5cc0", "#8c6d3f", "#5f7480", "#a03a55")


class _Ink(NamedTuple):
    text: str = "#22201d"
    soft: str = "#77726a"
    line: str = "#b9b4ab"
    rule: str = "#cfcac1"
    faint: str = "#e9e5de"
    shade: str = "#f6f4f0"


INK = _Ink()


@dataclass(frozen=True, slots=True)
class Tints:
    """A track's colour; red, green and blue are 0 to 1."""

    red: float
    green: float
    blue: float

    @property
    def fill(self) -> tuple[float, float, float]:
        return self.red, self.green, self.blue

    @property
    def edge(self) -> tuple[float, float, float, float]:
        """A hairline that keeps repeated notes apart."""
        return self.red * 0.55, self.green * 0.55, self.blue * 0.55, 0.75

    def at(self, velocity: int) -> tuple[float, float, float, float]:
        """The colour with a velocity's opacity: 0.3 at the softest, 1 at the loudest."""
        return self.red, self.green, self.blue, 0.3 + 0.7 * (velocity - 1) / 126


def track_colours(tracks: Sequence[Track]) -> list[Tints]:
    """One colour a track: its role's, lighter and darker for further tracks of that role."""
    seen: dict[str, int] = defaultdict(int)
    colours = []
    for track in tracks:
        role = "drums" if track.is_drum else track.role or ""
        turn, seen[role] = seen[role], seen[role] + 1
        base = _ROLES.get(role, _UNNAMED[turn % len(_UNNAMED)])
        shift = turn if role in _ROLES else turn // len(_UNNAMED)
        colours.append(_shifted(base, shift))
    return colours


def _shifted(colour: str, turn: int) -> Tints:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, light, strength = colorsys.rgb_to_hls(red, green, blue)
    move = (0.0, 0.17, -0.13, 0.26, -0.2)[turn % 5]
    return Tints(*colorsys.hls_to_rgb(hue, max(0.15, min(0.8, light + move)), strength))

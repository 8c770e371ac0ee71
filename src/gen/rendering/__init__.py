"""A piece to look at, to listen to and to play from: PNG, WAV, MusicXML, one offline page.

Importing this loads neither matplotlib nor scipy; the functions do when they are called.
"""

from gen.rendering.playing import Playing
from gen.rendering.renderer import Rendered, Renderer
from gen.rendering.report import PieceEntry, Row, page
from gen.rendering.roll import piano_roll
from gen.rendering.score import musicxml
from gen.rendering.sound import AudioSettings, audio

__all__ = [
    "AudioSettings", "PieceEntry", "Playing", "Rendered", "Renderer", "Row", "audio", "musicxml",
    "page", "piano_roll",
]  # fmt: skip

"""Standard MIDI Files: the strict walker, the writer, the normaliser and the musical hash."""

from gen.smf.chunks import GENERATED_CHUNK, TAG_CHUNK, Chunk, Chunks, split_chunks
from gen.smf.general_midi import instrument_name
from gen.smf.hashing import musical_hash
from gen.smf.normalise import Normalised, bar_number, normalise, note_name, with_instruments
from gen.smf.parts import read_instruments
from gen.smf.rules import RULES, RuleBroken
from gen.smf.text import read_text
from gen.smf.walk import parse
from gen.smf.writer import write

__all__ = [
    "GENERATED_CHUNK",
    "RULES",
    "TAG_CHUNK",
    "Chunk",
    "Chunks",
    "Normalised",
    "RuleBroken",
    "bar_number",
    "instrument_name",
    "musical_hash",
    "normalise",
    "note_name",
    "parse",
    "read_instruments",
    "read_text",
    "split_chunks",
    "with_instruments",
    "write",
]

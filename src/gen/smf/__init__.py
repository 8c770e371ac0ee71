"""Standard MIDI Files: the strict walker, the writer, the normaliser and the musical hash."""

from gen.smf.chunks import GENERATED_CHUNK, TAG_CHUNK, Chunk, Chunks, split_chunks
from gen.smf.general_midi import instrument_name
from gen.smf.hashing import musical_hash
from gen.smf.normalise import Normalised, bar_number, normalise, note_name
from gen.smf.rules import RULES, RuleBroken
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
    "split_chunks",
    "write",
]

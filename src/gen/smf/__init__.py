"""Standard MIDI Files: the strict walker, the writer, the normaliser and the musical hash."""

from gen.smf.chunks import GENERATED_CHUNK, TAG_CHUNK, Chunk, Chunks, split_chunks
from gen.smf.hashing import musical_hash
from gen.smf.rules import RULES, RuleBroken
from gen.smf.walk import parse
from gen.smf.writer import write

__all__ = [
    "GENERATED_CHUNK",
    "RULES",
    "TAG_CHUNK",
    "Chunk",
    "Chunks",
    "RuleBroken",
    "musical_hash",
    "parse",
    "split_chunks",
    "write",
]

"""A tokenizer: one of MidiTok's, to be changed."""

from __future__ import annotations

from miditok import TSD


class PlainTSD(TSD):
    """MidiTok's TSD as it is: override what is to be other.

    It is made with the settings that all tokenizations here have (`miditok_config` in
    `gen.tokens.miditok_tokens`), so that bits per note compare.
    """

"""The house tokenizer: a MidiTok tokenizer whose tokens are whole events.

It is used like any of MidiTok's multi-vocabulary tokenizers (`encode`, `decode`, `vocab`,
`save`); the work is done on arrays by `events`, three to four times fewer steps a piece than
one token for each field.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from miditok import MusicTokenizer, TokenizerConfig, TokSequence
from symusic import Score

from gen.piece import Piece
from gen.tokens import vocabulary as v
from gen.tokens.columns import Events
from gen.tokens.encoding import Annotations, encode
from gen.tokens.grid import to_grid
from gen.tokens.reading import decode
from gen.tokens.score import score_of as score_of


def house_config() -> TokenizerConfig:
    """MidiTok's settings for what the house tokenizer keeps."""
    return TokenizerConfig(
        pitch_range=(0, 127),
        beat_res={(0, 16): v.STEPS_PER_QUARTER},
        num_velocities=len(v.VELOCITIES),
        special_tokens=["PAD", "BOS", "EOS"],
        use_programs=True,
        one_token_stream_for_programs=True,
        use_tempos=True,
        num_tempos=len(v.TEMPOS),
        tempo_range=(30, 240),
        use_time_signatures=True,
        time_signature_range={
            d: [n for n, other in v.TIME_SIGNATURES if other == d] for d in (2, 4, 8, 16)
        },
        use_sustain_pedals=True,
        sustain_pedal_duration=True,
        use_pitchdrum_tokens=True,
    )


class HouseTokenizer(MusicTokenizer):
    """Compound events for whole multi-track pieces; see `vocabulary` for the language."""

    def __init__(
        self, tokenizer_config: TokenizerConfig | None = None, params: Any | None = None
    ) -> None:
        if tokenizer_config is None and params is None:
            tokenizer_config = house_config()
        super().__init__(tokenizer_config, params)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the vocabulary: equal fingerprints, equal ids."""
        return v.fingerprint()

    def events(self, midi: bytes, notes: Annotations | None = None) -> Events:
        """Turn verified MIDI bytes into events, (T, 5) int16.

        Raises:
            HouseError: a time signature or the number of tracks is beyond the vocabulary.
        """
        return encode(to_grid(Score.from_midi(midi)), notes)

    def piece(self, events: Events) -> Piece:
        """Turn events into a piece of 480 ticks a quarter."""
        return decode(events)

    # What MidiTok asks of a tokenizer -------------------------------------------------

    def preprocess_score(self, score: Any) -> Any:
        """Leave the score as it is: `events.to_grid` puts it on the grid in one step."""
        return score

    def _score_to_tokens(
        self, score: Any, attribute_controls_indexes: object = None
    ) -> TokSequence:
        ids = encode(to_grid(score)).tolist()
        return TokSequence(ids=ids, tokens=self._ids_to_tokens(ids))

    def _tokens_to_score(self, tokens: TokSequence, programs: object = None) -> Any:
        return score_of(decode(np.asarray(tokens.ids, dtype=np.int16)))

    def _add_time_events(self, events: list[Any], time_division: int) -> list[Any]:
        """Nothing to add: every event carries its own time."""
        return events

    def _create_base_vocabulary(self) -> list[list[str]]:
        return v.words()

    def _create_token_types_graph(self) -> dict[str, set[str]]:
        """Which kind of event may follow which (see `grammar` for the exact rule)."""
        header = {"Kind_Genre", "Kind_Mood", "Kind_Key", "Kind_Style", "Kind_Track"}
        plan = {"Kind_Section", "Kind_Tempo", "Kind_Chord"}
        inside = {"Kind_Note", "Kind_Pedal"}
        after_bar = {"Kind_Bar", "Kind_Cell", "Kind_Hole", "Kind_Fill"}
        followers = [
            (header, header | {"Kind_Bar"}),
            (plan | {"Kind_Bar"}, plan | after_bar),
            ({"Kind_Hole"}, after_bar),
            ({"Kind_Cell", "Kind_Fill"}, inside),
            (inside, inside | after_bar),
        ]
        return {kind: set(after) for kinds, after in followers for kind in kinds}

    def _tokens_errors(self, tokens: list[str | list[str]]) -> int:
        """Count events whose kind may not follow the one before."""
        kinds = [token[0] for token in tokens]
        return sum(not self._may_follow(*pair) for pair in itertools.pairwise(kinds))

    def _may_follow(self, kind: str, after: str) -> bool:
        """MidiTok's graph calls a special token `BOS` here and `BOS_None` there."""
        short = {word: word.partition("_")[0] for word in v.SPECIALS}
        allowed = self.tokens_types_graph[short.get(kind, kind)]
        return after in allowed or short.get(after, after) in allowed

"""The house tokenizer: a MidiTok tokenizer whose tokens are whole events.

It is one of MidiTok's multi-vocabulary tokenizers: `encode`, `decode`, `vocab`, `save_pretrained`
and `from_pretrained` do what they do there, and what the model learns goes through them. The work
is done on arrays (`encoding`, `reading`), three to four times fewer steps a piece than one token
for each field.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, Self

import numpy as np
from miditok import MusicTokenizer, TokenizerConfig, TokSequence

from gen.disk.reading import MEBIBYTE, FileKind, read_json
from gen.errors import HouseError
from gen.harmony import nearest
from gen.piece import Piece
from gen.tokens import timing as off_grid
from gen.tokens import vocabulary as v
from gen.tokens.choice import GRID, PLAYED, TIMINGS
from gen.tokens.encoding import Annotations, annotated, encode
from gen.tokens.events import Events, Ints
from gen.tokens.grid import TICKS_PER_QUARTER, TICKS_PER_STEP, to_grid
from gen.tokens.reading import decode
from gen.tokens.score import score_of as score_of

FILE = "tokenizer.json"
_ANOTHER = "use the file that this version's `save_pretrained` writes, or HouseTokenizer() itself"


SHARED: dict[str, Any] = {
    "pitch_range": (0, 127),
    "special_tokens": ["PAD", "BOS", "EOS"],
    "use_programs": True,
    "one_token_stream_for_programs": True,
    "use_tempos": True,
    "num_tempos": len(v.TEMPOS),
    "tempo_range": (30, 240),
    "use_time_signatures": True,
    "time_signature_range": {
        d: [n for n, other in v.TIME_SIGNATURES if other == d] for d in (2, 4, 8, 16)
    },
    "use_sustain_pedals": True,
    "sustain_pedal_duration": True,
    "use_pitchdrum_tokens": True,
}
"""Of MidiTok's settings those of whatever is to keep what the house tokenizer keeps."""


def house_config(timing: str = GRID) -> TokenizerConfig:
    """MidiTok's settings for what the house tokenizer keeps.

    Args:
        timing: `choice.PLAYED` with what is off the grid, of which MidiTok has no setting.
    """
    return TokenizerConfig(
        **SHARED,
        beat_res={(0, 16): v.STEPS_PER_QUARTER},
        num_velocities=len(v.VELOCITIES) if timing == GRID else 127,
        **({} if timing == GRID else {"timing": timing}),
    )


class EventTokens(TokSequence):
    """Events as MidiTok knows sequences: `ids` are their rows, `tokens` the words of each.

    Both are lists, made when somebody asks for them.
    """

    house_events: Events | None = None  # `events` are MidiTok's own
    _ids: list[Any]
    _tokens: list[Any]

    @classmethod
    def of(cls, events: Events) -> Self:
        """The tokens of events."""
        sequence = cls()
        sequence.house_events = events
        sequence._ticks_bars = (events.bar_starts[:-1] * TICKS_PER_STEP).tolist()
        sequence._ticks_beats = _beats(events).tolist()
        return sequence

    @property
    def ids(self) -> list[Any]:
        """A row of ids for each event."""
        if not self._ids and self.house_events is not None:
            self._ids = self.house_events.tolist()
        return self._ids

    @ids.setter
    def ids(self, ids: list[Any]) -> None:
        self._ids, self.house_events = ids, None

    @property
    def tokens(self) -> list[Any]:
        """The words of each event, field by field."""
        if not self._tokens and len(self.ids):
            self._tokens = [
                [words[word] for words, word in zip(_WORDS, row, strict=False)] for row in self.ids
            ]
        return self._tokens

    @tokens.setter
    def tokens(self, tokens: list[Any]) -> None:
        self._tokens = tokens

    def split_per_bars(self) -> list[Self]:
        """The events of each bar; the header stands with the first."""
        edges = [0, *events_of(self).bar_rows[1:].tolist(), len(self)]
        return [self[first:last] for first, last in itertools.pairwise(edges)]

    def split_per_beats(self) -> NoReturn:
        """Not to be had: in a bar, events stand track by track, not beat by beat."""
        raise HouseError("events stand track by track in their bar", mend="use split_per_bars()")


def events_of(tokens: TokSequence) -> Events:
    """The events that a sequence of tokens is."""
    known: Events | None = getattr(tokens, "house_events", None)
    return Events.of(tokens.ids) if known is None else known


def _beats(events: Events) -> Ints:
    """Tick of each beat, which the denominator of the bar's time signature tells."""
    length = TICKS_PER_QUARTER * 4 // _DENOMINATORS[events.number[events.bar_rows]]
    counts = events.bar_steps * TICKS_PER_STEP // length  # whole beats: a bar has `numerator`
    first = np.repeat(np.cumsum(counts) - counts, counts)
    starts = np.repeat(events.bar_starts[:-1] * TICKS_PER_STEP, counts)
    ticks: Ints = starts + (np.arange(len(starts)) - first) * np.repeat(length, counts)
    return ticks


_DENOMINATORS = np.array([denominator for _, denominator in v.TIME_SIGNATURES])
_WORDS = [[*v.SPECIALS, *words] for words in off_grid.words()]


class HouseTokenizer(MusicTokenizer):
    """Compound events for whole multi-track pieces; see `vocabulary` for the language.

    Args:
        tokenizer_config: `house_config()`, which need not be given: the language is fixed.
        params: a file that it was saved to.
        timing: `choice.PLAYED` to keep what is off the grid, see `timing`; a file says it itself.

    Raises:
        HouseError: other settings, or the file of another tokenizer or of another version.
    """

    def __init__(
        self,
        tokenizer_config: TokenizerConfig | None = None,
        params: str | Path | None = None,
        timing: str = GRID,
    ) -> None:
        if params is not None:
            timing = _timing_of(Path(params))
        elif tokenizer_config == house_config(PLAYED):
            timing = PLAYED
        nearest(timing, TIMINGS, setting="timing")
        config, self.timing = house_config(timing), timing
        if tokenizer_config is not None and tokenizer_config != config:
            raise HouseError(
                f"the house tokenizer has its own settings: {_differing(config, tokenizer_config)}",
                mend="leave them out: HouseTokenizer()",
            )
        super().__init__(config)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the vocabulary: equal fingerprints, equal ids."""
        return off_grid.fingerprint() if self.timing == PLAYED else v.fingerprint()

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields of a row."""
        return off_grid.FIELDS if self.timing == PLAYED else v.FIELDS

    def events(self, music: Any, annotations: Annotations | None = None) -> Events:
        """Turn a piece, or a `symusic.Score` of it, into events.

        Args:
            music: a `Piece`, or a score.
            annotations: what is known of it besides.

        Raises:
            HouseError: no note, more tracks than the vocabulary has, or a key, chord or style that
                is beyond the vocabulary.
        """
        score = score_of(music) if isinstance(music, Piece) else music
        events = events_of(self.encode(score))
        return annotated(events, annotations) if annotations else events

    def piece(self, events: Events) -> Piece:
        """Turn events into a piece of 480 ticks a quarter."""
        return decode(events)

    # Files --------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """What a saved tokenizer tells."""
        return {**super().to_dict(), "fingerprint": self.fingerprint}

    @classmethod
    def from_pretrained(cls, path: str | Path, **_: Any) -> HouseTokenizer:
        """Read what `save_pretrained` left in a folder; nothing is fetched from anywhere."""
        path = Path(path)
        return cls(params=path / FILE if path.is_dir() else path)

    # What MidiTok asks of a tokenizer -------------------------------------------------

    def preprocess_score(self, score: Any) -> Any:
        """Leave the score as it is: `grid.to_grid` puts it on the grid in one step."""
        return score

    def _score_to_tokens(
        self, score: Any, attribute_controls_indexes: object = None
    ) -> TokSequence:
        grid = to_grid(score)
        return EventTokens.of(encode(grid, timed=grid.timing if self.timing == PLAYED else GRID))

    def _tokens_to_score(self, tokens: TokSequence, programs: object = None) -> Any:
        return score_of(decode(events_of(tokens)))

    def _add_time_events(self, events: list[Any], time_division: int) -> list[Any]:
        """Nothing to add: every event carries its own time."""
        return events

    def _create_base_vocabulary(self) -> list[list[str]]:
        return off_grid.words() if self.timing == PLAYED else v.words()

    def _create_token_types_graph(self) -> dict[str, set[str]]:
        """Which kind of event may follow which (see `sampling` for the exact rule)."""
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


_SAVED = {
    "config", "tokenization", "fingerprint",
    "miditok_version", "symusic_version", "hf_tokenizers_version",
}  # fmt: skip


def _timing_of(path: Path) -> str:
    """The timing that a saved tokenizer keeps.

    Raises:
        HouseError: it is that of another tokenizer, or of another version of this one.
    """
    saved = read_json(path, FileKind("saved tokenizer", 4 * MEBIBYTE, _ANOTHER))
    saved = saved if isinstance(saved, Mapping) else {}
    kind = saved.get("tokenization")
    if kind != HouseTokenizer.__name__:
        raise HouseError(f"is of the tokenizer {kind!r}", where=str(path), mend=_ANOTHER)
    if foreign := sorted(saved.keys() - _SAVED):
        what = f"holds {', '.join(foreign)}, which no house tokenizer has"
        raise HouseError(what, where=str(path), mend=_ANOTHER)
    for timing, ours in ((GRID, v.fingerprint()), (PLAYED, off_grid.fingerprint())):
        config = json.loads(json.dumps(_as_saved(house_config(timing))))
        if saved.get("fingerprint") == ours and saved.get("config") == config:
            return timing
    raise HouseError("is of another version of the language", where=str(path), mend=_ANOTHER)


def _as_saved(config: TokenizerConfig) -> dict[str, Any]:
    saved: dict[str, Any] = config.to_dict(serialize=True)
    return saved


def _differing(config: TokenizerConfig, other: TokenizerConfig) -> str:
    ours, theirs = config.to_dict(), other.to_dict()
    names = sorted(name for name in ours if ours[name] != theirs.get(name))
    return ", ".join(f"{name} is {theirs.get(name)!r}, not {ours[name]!r}" for name in names)

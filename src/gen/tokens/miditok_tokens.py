"""MidiTok's own tokenizations of a house's works, with byte-pair encoding where it is asked for.

Each is given the works as the house's events hold them, on the same grid and with the same
velocities and tempos, so that bits per note compare: what is paid for is the same music. MidiTok
joins tracks of one instrument, and counts its grid in beats, so that a half-note beat has half as
many places.

T rows, F fields.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from miditok import REMI, TSD, MusicTokenizer, Octuple, TokenizerConfig, TokSequence
from miditok.constants import CHR_ID_START
from numpy.typing import NDArray

from gen.errors import HouseError, SettingError
from gen.tokens import choice
from gen.tokens import vocabulary as v
from gen.tokens.choice import TokenizerChoice, TokenizerPlugin
from gen.tokens.events import Events
from gen.tokens.reading import decode
from gen.tokens.score import score_of
from gen.tokens.tokenization import Ids
from gen.tokens.tokenizer import HouseTokenizer, house_config

FORMAT: Final = 1
"""Raised whenever an id changes its meaning; part of the fingerprint."""
MOST_BARS: Final = 512
"""Bars that Octuple has a name for."""
PAD, BOS, EOS = range(3)
_KINDS: Final[Mapping[str, type[MusicTokenizer]]] = {
    choice.REMI: REMI, choice.TSD: TSD, choice.OCTUPLE: Octuple,
}  # fmt: skip
_SOUNDS: Final = ("Pitch", "PitchDrum")
_TRAINED: Final = ("_model", "_vocab_base", "_vocab_base_byte_to_token")
_ANOTHER: Final = "is no tokenizer that this version writes"


def miditok_config(name: str) -> TokenizerConfig:
    """MidiTok's settings: what the house's events keep, as far as a tokenization can."""
    more = {"max_bar_embedding": MOST_BARS} if name == choice.OCTUPLE else {}
    own = house_config().to_dict()
    del own["additional_params"]
    own |= {"log_tempos": True, "encode_ids_split": "no", "drums_pitch_range": (0, 127)}
    return TokenizerConfig(**own, **more)


class MidiTokTokens:
    """One of MidiTok's tokenizations.

    Args:
        name: one of `choice.NAMES` but the house's own; of a plug-in, the plug-in's.
        tokenizer: MidiTok's, with its byte-pair encoding; None for one without.
        plugin: what is called in place of MidiTok's own; None for those.

    Attributes:
        base: which of MidiTok's it is, or is a kind of.
    """

    is_house = False
    context_sizes: tuple[int, ...] = ()
    first_bar_id = 0

    def __init__(
        self,
        name: str,
        tokenizer: MusicTokenizer | None = None,
        plugin: TokenizerPlugin | None = None,
    ) -> None:
        self.name, self.plugin = name, plugin
        self.kind: type[MusicTokenizer] = plugin.kind if plugin else _KINDS[name]
        self.base = _base_of(self.kind)
        self.tokenizer = tokenizer or self.kind(miditok_config(self.base))
        found = self.tokenizer.vocab
        vocabs = found if self.is_compound else [found]
        self.words: list[list[str]] = [sorted(words, key=words.get) for words in vocabs]
        self.fields: tuple[str, ...] = ("token",)
        if self.is_compound:
            types = self.tokenizer.vocab_types_idx  # of Octuple
            self.fields = tuple(t.lower() for t in sorted(types, key=types.__getitem__))
        self.parts = self._parts()
        first = len(self.parts) if self.parts else len(self.words[0])
        self.field_sizes = (first, *(len(words) for words in self.words[1:]))
        sounds = np.array([w.partition("_")[0] in _SOUNDS for w in self.words[0]], dtype=np.int64)
        self.notes: NDArray[np.int64] = (
            np.array([int(sounds[list(ids)].sum()) for ids in self.parts]) if self.parts else sounds
        )

    @property
    def is_compound(self) -> bool:
        """Whether a row has several fields."""
        return bool(self.tokenizer.is_multi_voc)

    def _parts(self) -> list[tuple[int, ...]]:
        """The base ids that each id of byte-pair encoding stands for; empty without it."""
        if not self.tokenizer.is_trained:
            return []
        words = sorted(self.tokenizer.vocab_model.items(), key=lambda item: item[1])
        return [tuple(ord(char) - CHR_ID_START for char in word) for word, _ in words]

    # Music to rows and back ------------------------------------------------------------------

    def base_rows(self, events: Events) -> tuple[Ids, Ids]:
        """A work without byte-pair encoding, from BOS to EOS.

        Returns:
            Its rows (T, F), and the bar that each stands in (T,).

        Raises:
            HouseError: more bars than the tokenization has names for.
        """
        if self.base == choice.OCTUPLE and len(events.bar_rows) > MOST_BARS:
            raise HouseError(
                f"has {len(events.bar_rows)} bars, {self.name} names {MOST_BARS}",
                mend="use another tokenizer for works that long",
            )
        tokens = self.tokenizer.encode(score_of(decode(events)), encode_ids=False)
        ids = np.array(tokens.ids, dtype=np.int16).reshape(-1, len(self.fields))
        if self.is_compound:
            bars = ids[:, self.fields.index("bar")] - len(v.SPECIALS)
        else:
            lengths = [len(part) for part in tokens.split_per_bars()]
            bars = np.repeat(np.arange(len(lengths), dtype=np.int16), lengths)
        ends = np.full((1, len(self.fields)), BOS, dtype=np.int16)
        rows = np.concatenate([ends, ids, np.full_like(ends, EOS)])
        return rows, np.concatenate([bars[:1], bars, bars[-1:]])

    def encoded(self, rows: Ids, bars: Ids, least: int | None = None) -> tuple[Ids, Ids]:
        """Rows with byte-pair encoding, bar by bar, so that no word crosses a bar line.

        Args:
            rows: (T, F) without it.
            bars: (T,) the bar that each stands in.
            least: how many are wanted; bars beyond are left out. None for all.

        Returns:
            The same without byte-pair encoding; else rows (T', 1) and their bars (T',).
        """
        if not self.parts:
            return rows, bars
        edges = [0, *(np.flatnonzero(np.diff(bars)) + 1).tolist(), len(rows)]
        found: list[int] = []
        places: list[int] = []
        for first, stop in itertools.pairwise(edges):
            ids = self._joined(rows[first:stop, 0].tolist())
            found += ids
            places += [int(bars[first])] * len(ids)
            if least is not None and len(found) >= least:
                break
        return np.array(found, dtype=np.int16)[:, None], np.array(places, dtype=np.int16)

    def _joined(self, ids: list[int]) -> list[int]:
        """One bar's ids with byte-pair encoding; BOS and EOS stay by themselves."""
        first, stop = int(ids[0] == BOS), len(ids) - int(ids[-1] == EOS)
        inside = ids[first:stop]
        words, text = self.words[0], "".join(chr(i + CHR_ID_START) for i in inside)
        tokens = TokSequence(ids=inside, tokens=[words[i] for i in inside], bytes=text)
        if inside:
            self.tokenizer.encode_token_ids(tokens)
        return [*ids[:first], *tokens.ids, *ids[stop:]]

    def base_ids(self, rows: Sequence[Sequence[int]]) -> list[Any]:
        """Rows as MidiTok takes them: plain ids, or rows where there are fields."""
        if self.is_compound:
            return [list(row) for row in rows]
        if not self.parts:
            return [row[0] for row in rows]
        return [part for row in rows for part in self.parts[row[0]]]

    def events(self, rows: Sequence[Sequence[int]]) -> Events:
        """What rows say, as the house's events; special tokens are passed over.

        Raises:
            HouseError: they hold no note.
        """
        ids = [i for i in self.base_ids(rows) if (i[0] if self.is_compound else i) > EOS]
        score = self.tokenizer.decode(TokSequence(ids=ids)) if ids else None
        if score is None or not any(len(track.notes) for track in score.tracks):
            raise HouseError("the tokens hold no note")
        return HouseTokenizer().events(score)

    # Variation -------------------------------------------------------------------------------

    @cached_property
    def _spans(self) -> dict[str, tuple[int, int, int]]:
        """Field, first id and end of the words of each type that variation moves."""
        found: dict[str, tuple[int, int, int]] = {}
        for field, words in enumerate(self.words):
            types = [word.partition("_")[0] for word in words]
            for kind in ("Pitch", "Velocity", "Tempo"):
                if kind in types:
                    first = types.index(kind)
                    found[kind] = field, first, first + types.count(kind)
        return found

    def pitches(self, rows: Ids) -> NDArray[np.int64]:
        """The melodic pitches in rows without byte-pair encoding."""
        field, first, stop = self._spans["Pitch"]
        ids = rows[:, field].astype(np.int64)
        return ids[(ids >= first) & (ids < stop)] - first

    def varied(self, rows: Ids, **shifts: int) -> Ids:
        """Rows without byte-pair encoding whose words of some types are moved, clipped to the last.

        Args:
            rows: (T, F).
            shifts: by how many words, by type: Pitch, Velocity, Tempo.
        """
        result = rows.copy()
        for kind, shift in shifts.items():
            field, first, stop = self._spans[kind]
            ids = result[:, field]
            chosen = (ids >= first) & (ids < stop)
            result[chosen, field] = np.clip(ids[chosen] + shift, first, stop - 1)
        return result

    # Learning and keeping --------------------------------------------------------------------

    def learned(self, works: Iterable[tuple[Ids, Ids]], vocab_size: int) -> MidiTokTokens:
        """The same with byte-pair encoding that has learned from these works.

        Args:
            works: rows and bars of each, as `base_rows` has them.
            vocab_size: words it is to have, at most.

        Raises:
            SettingError: fewer than there are without it.
        """
        if vocab_size <= len(self.words[0]):
            raise SettingError(
                f"{vocab_size} words, and {self.name} has {len(self.words[0])} by itself",
                where="tokenizer.vocab_size", mend=f"more than that, such as {2 * vocab_size}",
            )  # fmt: skip
        if self.is_compound:
            raise SettingError(
                f"{self.name} has several fields a row, which byte-pair encoding cannot join",
                where="tokenizer.vocab_size", mend="null",
            )  # fmt: skip
        texts = [text for rows, bars in works for text in _texts(rows[1:-1, 0], bars[1:-1])]
        tokenizer = self.kind(miditok_config(self.base))
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # what cuts windows may fork
        with _silenced():
            tokenizer.train(vocab_size=vocab_size, model="BPE", iterator=texts)
        return MidiTokTokens(self.name, tokenizer, self.plugin)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the words, the settings and what was joined."""
        config = self.tokenizer.config.to_dict(serialize=True)
        what = [FORMAT, self.name, self.words, config, self.parts]
        what += [self.plugin.sha256] if self.plugin else []
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Its name, and MidiTok's own `tokenizer.json`."""
        return {"name": self.name, "miditok": self.tokenizer.to_dict()}

    @classmethod
    def of(cls, chosen: TokenizerChoice, plugin: TokenizerPlugin | None = None) -> MidiTokTokens:
        """That of a run's settings, before it has learned to join anything.

        Args:
            chosen: the settings.
            plugin: that they name.
        """
        return cls(chosen.plugin or chosen.name, plugin=plugin)

    @classmethod
    def from_dict(
        cls, saved: Mapping[str, Any], plugin: TokenizerPlugin | None = None
    ) -> MidiTokTokens:
        """Read what `to_dict` gave.

        Nothing in it is believed: all but what byte-pair encoding has joined is this version's own.

        Args:
            saved: from the checkpoint.
            plugin: that the checkpoint's manifest names; None where there is none.

        Raises:
            HouseError: it is another tokenizer, or one of other settings.
        """
        is_known = isinstance(saved, Mapping) and (plugin or saved.get("name") in _KINDS)
        if not is_known or not isinstance(saved["name"], str):
            raise HouseError(_ANOTHER, mend="use the checkpoint that train.py wrote")
        found = cls(saved["name"], plugin=plugin)
        stored = saved.get("miditok")
        if not isinstance(stored, Mapping) or set(saved) != {"name", "miditok"}:
            raise HouseError(_ANOTHER, mend="use the checkpoint that train.py wrote")
        own = found.tokenizer.to_dict()
        for name in ("tokenization", "config"):
            if stored.get(name) != json.loads(json.dumps(own[name])):
                raise HouseError(f"{_ANOTHER}: its {name} differs", mend="train anew")
        if set(stored) == set(own):
            return found
        if set(stored) != {*own, *_TRAINED}:
            raise HouseError(_ANOTHER, mend="use the checkpoint that train.py wrote")
        return cls(found.name, _read(found, stored), plugin)


def _base_of(kind: type[MusicTokenizer]) -> str:
    """Which of MidiTok's tokenizations a class is a kind of.

    Raises:
        SettingError: of none of them.
    """
    found = [
        name for name, base in _KINDS.items() if isinstance(kind, type) and issubclass(kind, base)
    ]
    if not found:
        raise SettingError(
            f"{kind!r:.100} is no class that derives from MidiTok's REMI, TSD or Octuple",
            where="plugins.tokenizer",
        )
    return found[0]


def _texts(ids: Ids, bars: Ids) -> list[str]:
    """The characters that stand for each bar's ids."""
    edges = np.flatnonzero(np.diff(bars)) + 1
    return ["".join(chr(i + CHR_ID_START) for i in part) for part in np.split(ids, edges)]


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Keep the blank lines of a progress bar that is not shown out of what a command prints."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _read(fresh: MidiTokTokens, stored: Mapping[str, Any]) -> MusicTokenizer:
    """A trained tokenizer from its own JSON, once that holds nothing but words of this version.

    Raises:
        HouseError: it does.
    """
    words = fresh.words[0]
    base = {word: i for i, word in enumerate(words)}
    chars = {chr(i + CHR_ID_START): word for i, word in enumerate(words)}
    if stored["_vocab_base"] != base or stored["_vocab_base_byte_to_token"] != chars:
        raise HouseError(f"{_ANOTHER}: its words differ", mend="train anew")
    _check_model(stored["_model"], chars)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokenizer.json"
        own = {"_vocab_base": base, "_vocab_base_byte_to_token": chars}  # in their order
        path.write_text(json.dumps({**stored, **own}), "utf-8")
        try:
            return type(fresh.tokenizer)(params=path)
        except Exception as error:  # whatever Rust says of merges that do not fit
            raise HouseError(f"{_ANOTHER}: {error}", mend="train anew") from error


def _check_model(text: Any, chars: Mapping[str, str]) -> None:
    """Whether byte-pair encoding joins words of this version, and does nothing else."""
    try:
        saved = json.loads(text)
        model = saved["model"]
        vocab = model["vocab"]
        plain = all(not saved[name] for name in _NOTHING) and model["type"] == "BPE"
        ids = sorted(vocab.values()) == list(range(len(vocab)))
        known = all(word and set(word) <= chars.keys() for word in vocab)
        first = [vocab[char] for char in chars] == list(range(len(chars)))
        fits = len(vocab) <= choice.MOST_WORDS
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise HouseError(_ANOTHER, mend="train anew") from error
    if not (plain and ids and known and first and fits):
        raise HouseError(f"{_ANOTHER}: what it joins are not its words", mend="train anew")


_NOTHING: Final = (
    "normalizer",
    "pre_tokenizer",
    "post_processor",
    "decoder",
    "truncation",
    "padding",
)

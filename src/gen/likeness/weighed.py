"""Known lines, and what each of their notes says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gen.disk.arrays import State
from gen.likeness.columns import Column, Voices
from gen.likeness.surprise import OwnLines, Said, Surprise
from gen.likeness.voices import Ints, Voice

_STRUCK_AGAIN_BITS = 0.5


class WeighedLines:
    """Lines of pieces by number, and what they say; grows by `add`."""

    def __init__(self, surprise: Surprise) -> None:
        self._surprise = surprise
        self.voices = Voices()
        self._first, self._end = Column(np.int32), Column(np.int32)  # of each voice's piece
        self._said: dict[int, Said] = {}
        self._own: dict[int, OwnLines] = {}  # by the first line of a piece

    def add(self, voices: Sequence[Voice]) -> Iterator[tuple[int, Voice]]:
        """Keep the lines of one more piece; each with its number, also with its repeated notes."""
        first, count = len(self.voices), len(voices)
        self._first.extend([first] * count)
        self._end.extend([first + count] * count)
        for number, voice in enumerate(voices, start=first):
            self.voices.append(voice)
            yield number, voice
            if len(voice.again):
                yield number, voice.struck()

    def ask_again(self) -> None:
        """The model has learned more."""
        self._said, self._own = {}, {}

    def said_by(self, number: int) -> Said:
        """What each note of a line says, repeated ones too; its own piece does not count."""
        if number not in self._said:
            voice, said = self.voices[number], self._by_its_own(number)
            self._said[number] = self._in_their_tracks(number, said) if voice.is_together else said
        return self._said[number]

    def _by_its_own(self, number: int) -> Said:
        piece = self._piece_of(number)
        if piece.start not in self._own:
            self._own[piece.start] = self._surprise.own(self.voices[piece.start : piece.stop])
        return self._surprise.of(self.voices[number], self._own[piece.start])

    def _piece_of(self, number: int) -> range:
        """Numbers of the lines of the same piece."""
        return range(int(self._first[number]), int(self._end[number]))

    def _in_their_tracks(self, number: int, said: Said) -> Said:
        """What the notes of all tracks together say, no more than they do in their own tracks."""
        line, others = self.voices[number].struck(), self._piece_of(number)
        numbers = [n for n in others if not self.voices[n].is_together]
        tracks, own = (
            [self.voices[n].struck() for n in numbers],
            [self.said_by(n) for n in numbers],
        )
        keys = np.concatenate([_keys(track) for track in tracks])
        bits = np.concatenate([each.bits for each in own])
        earlier = np.concatenate(
            [np.where(each.earlier >= 0, track.onsets[each.earlier], -1)
             for track, each in zip(tracks, own, strict=True)]
        )  # fmt: skip
        order = np.lexsort((bits, keys))
        wanted = _keys(line)
        places = order[np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)]
        is_there = keys[places] == wanted
        # The last time in its own track, as a place in this line.
        before = np.searchsorted(line.onsets, earlier[places], side="right") - 1
        return Said(
            np.where(is_there, np.minimum(bits[places], said.bits), _STRUCK_AGAIN_BITS),
            np.maximum(said.earlier, np.where(is_there & (earlier[places] >= 0), before, -1)),
        )

    def state(self) -> State:
        """All of it but the model, for `of_state`."""
        pieces = {"first": self._first.all, "end": self._end.all}
        return {"voices": self.voices.state(), **pieces}

    @staticmethod
    def of_state(state: State, surprise: Surprise) -> WeighedLines:
        lines = WeighedLines(surprise)
        lines.voices = Voices.of_state(state["voices"])
        lines._first = Column(np.int32, state["first"])
        lines._end = Column(np.int32, state["end"])
        return lines


def _keys(voice: Voice) -> Ints:
    return voice.onsets.astype(np.int64) * 128 + voice.pitches

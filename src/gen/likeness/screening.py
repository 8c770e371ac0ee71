"""Screening: is a contribution too close to something known?

Compared with the house's works, the log of generated pieces, and fingerprints that
rights-holders supplied: whole pieces by the Jaccard similarity of their interval shingles
(sketches find the candidates), excerpts by the longest shared run of intervals.

A finding is a reason to look, never a verdict about authorship; composer and curator see both
passages. `block` stops a contribution; `review` lets it through to the curator, marked.

What softens a finding to `review`: it is a composer's own earlier work (arrangements share
their theme), or only accompaniments and broken chords agree (stock patterns do).
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gen.disk.reading import FINGERPRINTS, read_json
from gen.errors import HouseError, SettingError
from gen.likeness.passages import GUARANTEED_RUN, PassageIndex, SharedRun
from gen.likeness.sketches import Sketches
from gen.likeness.voices import Hashes, Voice, shingles_of, unpack_voices
from gen.smf import note_name

WORK, OUTPUT, FINGERPRINT = "work", "output", "fingerprint"
CLEAR, REVIEW, BLOCK = "clear", "review", "block"

_STEP_SEMITONES = 2
_TUNE_STEPS_SHARE = 0.25
_NOTES_SHOWN = 24


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a human looks (review) and when the contribution stops (block).

    Runs are counted by `passages.counted_length`; similarities are Jaccard, 0 to 1. `review_run`
    and `block_run` are for tunes; accompaniments and broken chords share long runs by nature
    (unrelated starter works: 1 pair in 2,000 from 32 on) and are never blocked for a run. To
    be recalibrated on the house's own works.
    """

    review_similarity: float = 0.2
    block_similarity: float = 0.5
    review_run: int = 12
    block_run: int = 16
    review_accompaniment_run: int = 32

    def __post_init__(self) -> None:
        if not 0 < self.review_similarity <= self.block_similarity <= 1:
            raise SettingError("similarities must be 0 < review ≤ block ≤ 1")
        runs = (self.review_run, self.block_run, self.review_accompaniment_run)
        if not GUARANTEED_RUN <= self.review_run <= min(runs):
            raise SettingError(
                f"runs are {runs}",
                mend=f"choose {GUARANTEED_RUN} ≤ review ≤ block: shorter runs are not searched",
            )


@dataclass(frozen=True, slots=True)
class Known:
    """Something to compare with.

    Attributes:
        kind: `WORK`, `OUTPUT` or `FINGERPRINT`.
        name: work id, receipt digest, or the rights-holder's name of it.
        composers: ids of a work's composers.
    """

    kind: str
    name: str
    composers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A shared run, told twice for people to compare."""

    ours: str
    theirs: str
    run: int
    intervals: int
    is_tune: bool


@dataclass(frozen=True, slots=True)
class Match:
    """What a contribution shares with one known piece."""

    known: Known
    similarity: float
    passage: Passage | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of screening one piece: `verdict` is that of the worst match."""

    verdict: str
    matches: tuple[Match, ...]
    compared: int
    thresholds: Thresholds

    def to_dict(self) -> dict[str, Any]:
        """Plain values; similarities in thousandths, since the signed form has no fractions."""
        found = asdict(self)
        for match in found["matches"]:
            match["similarity_thousandths"] = round(match.pop("similarity") * 1000)
        limits = found["thresholds"]
        for name in ("review_similarity", "block_similarity"):
            limits[f"{name}_thousandths"] = round(limits.pop(name) * 1000)
        return {**found, "matches": list(found["matches"])}

    def encode(self) -> bytes:
        """JSON spelled in one way: keys sorted, no spaces, no fractions."""
        options: dict[str, Any] = {"sort_keys": True, "separators": (",", ":")}
        return json.dumps(self.to_dict(), ensure_ascii=False, **options).encode("utf-8")

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of `encode()`: what the tag refers to."""
        return hashlib.sha256(self.encode()).hexdigest()

    def side_by_side(self) -> str:
        """Every match with its two passages, as lines for people."""
        return "\n".join(line for match in self.matches for line in _lines(match))


class Screen:
    """Everything known so far; grows with `add`."""

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        self.thresholds = thresholds or Thresholds()
        self._known: list[Known] = []
        self._first_voice = [0]
        self._passages = PassageIndex()
        self._sketches = Sketches()

    def __len__(self) -> int:
        return len(self._known)

    def add(self, known: Known, voices: tuple[Voice, ...]) -> None:
        """Compare later pieces with this one too."""
        self._known.append(known)
        self._passages.extend(voices)
        self._first_voice.append(len(self._passages.voices))
        self._sketches.add(shingles_of(voices))

    def compare(self, voices: tuple[Voice, ...], composers: Iterable[str] = ()) -> Report:
        """Screen a piece's voices.

        Args:
            voices: of the new piece.
            composers: its composers' ids: likeness to their own works is no block.
        """
        runs = self._best_runs(voices)
        shingles = shingles_of(voices)
        alike = self._sketches.alike(shingles, self.thresholds.review_similarity)
        candidates = {*runs, *map(int, alike)}
        theirs = frozenset(composers)
        matches = [self._judge(n, shingles, runs.get(n), theirs) for n in sorted(candidates)]
        telling = [match for match in matches if match.verdict != CLEAR]
        telling.sort(key=lambda m: (m.verdict != BLOCK, -m.similarity, m.known.name))
        verdict = telling[0].verdict if telling else CLEAR
        return Report(verdict, tuple(telling), len(self), self.thresholds)

    def _best_runs(self, voices: tuple[Voice, ...]) -> dict[int, Passage]:
        """For each known piece, the run that weighs most: tunes before accompaniments."""
        best: dict[int, tuple[tuple[bool, int], Voice, SharedRun]] = {}
        for voice in voices:
            for run in self._passages.shared_runs(voice):
                owner = bisect_right(self._first_voice, run.voice) - 1
                rank = (is_tune(voice, self._passages.voices[run.voice], run), run.length)
                if owner not in best or rank > best[owner][0]:
                    best[owner] = (rank, voice, run)
        return {
            owner: passage_of(voice, self._passages.voices[run.voice], run)
            for owner, (_, voice, run) in best.items()
        }

    def _judge(
        self, number: int, shingles: Hashes, passage: Passage | None, composers: frozenset[str]
    ) -> Match:
        known, limits = self._known[number], self.thresholds
        first, end = self._first_voice[number : number + 2]
        similarity = _jaccard(shingles, shingles_of(tuple(self._passages.voices[first:end])))
        tune = passage.run if passage and passage.is_tune else 0
        figure = passage.run if passage and not passage.is_tune else 0
        is_block = similarity >= limits.block_similarity or tune >= limits.block_run
        is_review = (
            similarity >= limits.review_similarity
            or tune >= limits.review_run
            or figure >= limits.review_accompaniment_run
        )
        is_own = known.kind == WORK and bool(composers & set(known.composers))
        verdict = CLEAR
        if is_block or is_review:
            verdict = BLOCK if is_block and not is_own else REVIEW
        return Match(known, round(similarity, 3), passage, verdict)


def is_tune(ours: Voice, theirs: Voice, run: SharedRun) -> bool:
    """Whether a run is somebody's own line: a leading voice that moves by steps too."""
    if not (ours.is_leading or theirs.is_leading):
        return False
    moves = np.diff(ours.pitches[run.our_first : run.our_first + run.intervals + 1])
    return bool((np.abs(moves) <= _STEP_SEMITONES).mean() >= _TUNE_STEPS_SHARE)


def passage_of(ours: Voice, theirs: Voice, run: SharedRun) -> Passage:
    """A run of a new voice and a known one, in words."""
    return Passage(
        ours=_spell(ours, run.our_first, run.intervals),
        theirs=_spell(theirs, run.their_first, run.intervals),
        run=run.length,
        intervals=run.intervals,
        is_tune=is_tune(ours, theirs, run),
    )


def read_fingerprints(path: Path) -> list[tuple[Known, tuple[Voice, ...]]]:
    """A rights-holder's list: `{"holder": "…", "works": [{"name": "…", "voices": […]}]}`.

    A voice is a list of intervals in semitones, or what `voices.pack_voices` writes.

    Raises:
        HouseError: not such a list; names the file.
    """
    try:
        content = read_json(path, FINGERPRINTS)
        return [
            (
                Known(FINGERPRINT, f"{content['holder']}: {work['name']}"),
                unpack_voices(work["voices"]),
            )
            for work in content["works"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, HouseError) as error:
        what = error.what if isinstance(error, HouseError) else f"{type(error).__name__}: {error}"
        mend = 'write {"holder": "…", "works": [{"name": "…", "voices": [[2, 2, -4, …]]}]}'
        raise HouseError(f"no list of fingerprints ({what})", where=str(path), mend=mend) from error


def _jaccard(one: Hashes, other: Hashes) -> float:
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / max(len(one) + len(other) - shared, 1)


def _spell(voice: Voice, first: int, intervals: int) -> str:
    """A run as people read it: track, bars, note names."""
    notes = voice.pitches[first : first + intervals + 1]
    bars = voice.bars[first : first + intervals + 1]
    if not bars.any():
        steps = " ".join(f"{step:+d}" for step in np.diff(notes)[:_NOTES_SHOWN])
        return f"{voice.label}: {steps}{' …' if intervals > _NOTES_SHOWN else ''}"
    names = " ".join(note_name(int(pitch)) for pitch in notes[:_NOTES_SHOWN])
    more = " …" if len(notes) > _NOTES_SHOWN else ""
    place = f"bar {bars[0]}" if bars[0] == bars[-1] else f"bars {bars[0]}-{bars[-1]}"
    return f"{voice.label}, {place}: {names}{more}"


def _lines(match: Match) -> list[str]:
    kinds = {
        WORK: "the house's work",
        OUTPUT: "the generated piece",
        FINGERPRINT: "the listed work",
    }
    lines = [
        f"{match.verdict}: {match.similarity:.0%} like {kinds[match.known.kind]} {match.known.name}"
    ]
    if match.passage:
        counted = match.passage
        lines.append(f"  longest shared line: {counted.intervals} steps (counted {counted.run})")
        lines += [f"    here   {counted.ours}", f"    there  {counted.theirs}"]
    return lines

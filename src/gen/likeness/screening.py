"""Screening: is a contribution too close to something known?

Compared with the house's works, withdrawn ones too, with what its models wrote, and with
fingerprints that rights-holders supplied, in four ways:

- stretches in time, robust to what disguises a piece (`alignment`);
- runs of equal intervals, whatever the rhythm (`passages`);
- whole pieces, by the Jaccard similarity of their shingles (`sketches` find the candidates);
- with outputs and withdrawn works also their bars in any order, and outputs upside down and
  backwards (`forms`).

Stretches and runs are weighed by what they say (`surprise`), in bits: what everybody plays says
little. How many bits are a reason to look is calibrated on the house's own works, which share
passages by chance as any music does (`calibration`).

A finding is a reason to look, never a verdict about authorship; composer and curator see both
passages. `block` stops a contribution; `review` lets it through to the curator, marked. What
softens a finding to `review`: it is a composer's own earlier work (arrangements share their
theme), or only accompaniments and broken chords agree (stock patterns do).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gen.disk.reading import FINGERPRINTS, read_json
from gen.errors import HouseError, SettingError
from gen.likeness.alignment import AlignmentIndex, Stretch
from gen.likeness.bars import BarIndex
from gen.likeness.calibration import ENOUGH_WORKS, PRIOR, Calibration, Limits
from gen.likeness.columns import Column, State
from gen.likeness.fingerprint import Fingerprint, NewPiece, shingles_of_tracks
from gen.likeness.forms import turned, with_plain_lines
from gen.likeness.passages import PassageIndex, SharedRun
from gen.likeness.relatives import related_groups
from gen.likeness.sketches import Sketches
from gen.likeness.surprise import Said, Surprise
from gen.likeness.voices import Hashes, Part, Voice, shingles_of
from gen.smf import note_name

WORK, WITHDRAWN, OUTPUT, FINGERPRINT = "work", "withdrawn", "output", "fingerprint"
CLEAR, REVIEW, BLOCK = "clear", "review", "block"

_STEP_SEMITONES = 2
_TUNE_STEPS_SHARE = 0.25
_NOTES_SHOWN = 24
_GROWTH = 2
"""The model of lines is learned anew, and calibrated, when the works have grown by this factor."""
_CALIBRATED_ON = 48
_TURNED_CANDIDATES = 24
_RAREST_RUNS = 12
_LEAST_WITHDRAWN_BARS = 0.6
_SAME_PASSAGE = 0.8
ACCOMPANIMENT_FACTOR, OUTPUT_ACCOMPANIMENT_FACTOR = 2.0, 3.0
"""Accompaniments share patterns by nature: so many times the bits of a tune are for review, and
refused where an output has them."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a human looks (review) and when the contribution stops (block).

    Attributes:
        review_bits: what a shared passage says; None: as calibrated on the house's works.
        block_bits: likewise.
        review_similarity, block_similarity: Jaccard, 0 to 1.
        block_bars: share of a piece's bars that an output has too, 0 to 1.
    """

    review_bits: float | None = None
    block_bits: float | None = None
    review_similarity: float = 0.35
    block_similarity: float = 0.5
    block_bars: float = 0.55

    def __post_init__(self) -> None:
        if not 0 < self.review_similarity <= self.block_similarity <= 1:
            raise SettingError("similarities must be 0 < review ≤ block ≤ 1")
        if not 0 < self.block_bars <= 1:
            raise SettingError("the share of bars must be above 0 and at most 1")
        for bits in (self.review_bits, self.block_bits):
            if bits is not None and not bits > 0:
                raise SettingError(f"{bits:g} bits", mend="give more than 0")
        if self.review_bits and self.block_bits and self.review_bits > self.block_bits:
            raise SettingError("bits must be 0 < review ≤ block")


@dataclass(frozen=True, slots=True)
class Known:
    """Something to compare with.

    Attributes:
        kind: `WORK`, `WITHDRAWN`, `OUTPUT` or `FINGERPRINT`.
        name: work id, receipt digest, or the rights-holder's name of it.
        composers: ids of a work's composers.
    """

    kind: str
    name: str
    composers: tuple[str, ...] = ()

    def is_of(self, people: frozenset[str]) -> bool:
        """Whether it is a work, not withdrawn, of one of these people."""
        return self.kind == WORK and bool(people & set(self.composers))


@dataclass(frozen=True, slots=True)
class Passage:
    """A shared passage, told twice for people to compare.

    Attributes:
        ours, theirs: where it is and its notes, in words.
        notes: how many notes are shared.
        bits: what they say, rounded.
        is_tune: whether it is somebody's line rather than an accompaniment.
        form: how the new piece was turned for it: "" for not at all.
    """

    ours: str
    theirs: str
    notes: int
    bits: int
    is_tune: bool
    form: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """What a contribution shares with one known piece."""

    known: Known
    similarity: float
    passage: Passage | None
    verdict: str
    bars: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of screening one piece: `verdict` is that of the worst match.

    Attributes:
        verdict: `CLEAR`, `REVIEW` or `BLOCK`.
        matches: those that are not clear, the worst first.
        compared: number of known pieces.
        limits: in bits, as given or calibrated.
        false_reviews: how many honest pieces are looked at in vain, in words.
        is_whole: whether the whole piece was compared; a longer one is for review.
    """

    verdict: str
    matches: tuple[Match, ...]
    compared: int
    limits: Limits
    false_reviews: str
    is_whole: bool = True

    @property
    def rule(self) -> str:
        """The gravest rule that a blocked piece breaks; "" where none blocks."""
        if self.verdict != BLOCK:
            return ""
        kinds = {match.known.kind for match in self.matches if match.verdict == BLOCK}
        if WITHDRAWN in kinds:
            return "withdrawn"
        return "generated" if OUTPUT in kinds else "too-similar"

    def without(self, name: str) -> Report:
        """The same without the match with the piece of this name."""
        others = tuple(match for match in self.matches if match.known.name != name)
        verdict = _worst(others, is_whole=self.is_whole)
        return replace(self, matches=others, verdict=verdict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; shares in thousandths, since the signed form has no fractions."""
        found: dict[str, Any] = asdict(self)
        for match in found["matches"]:
            for name in ("similarity", "bars"):
                match[f"{name}_thousandths"] = round(match.pop(name) * 1000)
        limits = found.pop("limits")
        found["bits"] = {name: round(bits) for name, bits in limits.items()}
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
        lines = [line for match in self.matches for line in _lines(match)]
        if not self.is_whole:
            lines.append("review: it has too many notes to be compared to the end")
        if any(match.passage for match in self.matches):
            lines.append(f"(passages are looked at from {self.limits.review:.0f} bits on; "
                         f"{self.false_reviews})")  # fmt: skip
        return "\n".join(lines)


class Screen:
    """Everything known so far; grows with `add`."""

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        self.thresholds = thresholds or Thresholds()
        self._known: list[Known] = []
        self._surprise = Surprise()
        self._learned = 0
        self._said: dict[int, Said] = {}
        self._calibration = PRIOR
        # Beside each index of lines: which known piece each of its lines belongs to, ascending.
        self._runs, self._run_owners = PassageIndex(), Column(np.int32)
        self._sketches = Sketches()
        self._works, self._work_owners = AlignmentIndex(self._surprise), Column(np.int32)
        self._outputs, self._output_owners = AlignmentIndex(self._surprise), Column(np.int32)
        self._output_bars = BarIndex(with_drums=False, least_notes=24)
        self._withdrawn_bars = BarIndex(with_drums=True, least_notes=1)

    def __len__(self) -> int:
        return len(self._known)

    @property
    def known(self) -> Sequence[Known]:
        """What was added, by number."""
        return self._known

    def add(self, known: Known, fingerprint: Fingerprint) -> None:
        """Compare later pieces with this one too."""
        number = len(self._known)
        self._known.append(known)
        self._runs.extend(fingerprint.tracks)
        self._run_owners.extend([number] * len(fingerprint.tracks))
        self._sketches.add(shingles_of_tracks(fingerprint))
        is_output = known.kind == OUTPUT
        timed = [v for v in fingerprint.voices if len(v.onsets) == len(v.pitches)]
        if is_output:
            self._outputs.add(timed)
            self._output_owners.extend([number] * len(timed))
            self._output_bars.add(number, fingerprint.bars)
            return
        tracks = [voice for voice in timed if not voice.is_together]
        self._works.add(tracks)
        self._work_owners.extend([number] * len(tracks))
        if known.kind == WITHDRAWN:
            self._withdrawn_bars.add(number, fingerprint.bars)

    def withdraw(self, number: int, fingerprint: Fingerprint) -> None:
        """The known piece of this number, a work, was withdrawn since it was added."""
        self._known[number] = replace(self._known[number], kind=WITHDRAWN)
        self._withdrawn_bars.add(number, fingerprint.bars)

    def state(self) -> State:
        """All that is known but the thresholds, for `of_state`."""
        return {
            "known": [[known.kind, known.name, known.composers] for known in self._known],
            "learned": self._learned,
            "surprise": self._surprise.state(),
            "calibration": asdict(self._calibration),
            "runs": self._runs.state(),
            "run_owners": self._run_owners.all,
            "sketches": self._sketches.state(),
            "works": self._works.state(),
            "work_owners": self._work_owners.all,
            "outputs": self._outputs.state(),
            "output_owners": self._output_owners.all,
            "output_bars": self._output_bars.state(),
            "withdrawn_bars": self._withdrawn_bars.state(),
        }

    @staticmethod
    def of_state(state: State, thresholds: Thresholds | None = None) -> Screen:
        """The screen that gave this state."""
        screen = Screen(thresholds)
        screen._known = [Known(kind, name, tuple(who)) for kind, name, who in state["known"]]
        screen._learned = state["learned"]
        screen._surprise = surprise = Surprise.of_state(state["surprise"])
        screen._calibration = Calibration(**state["calibration"])
        screen._runs = PassageIndex.of_state(state["runs"])
        screen._run_owners = Column(np.int32, state["run_owners"])
        screen._sketches = Sketches.of_state(state["sketches"])
        screen._works = AlignmentIndex.of_state(state["works"], surprise)
        screen._work_owners = Column(np.int32, state["work_owners"])
        screen._outputs = AlignmentIndex.of_state(state["outputs"], surprise)
        screen._output_owners = Column(np.int32, state["output_owners"])
        screen._output_bars.restore(state["output_bars"])
        screen._withdrawn_bars.restore(state["withdrawn_bars"])
        return screen

    def compare(self, piece: NewPiece, composers: Iterable[str] = ()) -> Report:
        """Screen a piece.

        Args:
            piece: the new one.
            composers: its composers' ids: likeness to their own works is no block.
        """
        self.keep_up()
        calibration = self._calibration.among(len(self))
        limits = calibration.limits(self.thresholds.review_bits, self.thresholds.block_bits)
        passages = self._best_passages(piece, limits)
        shingles = shingles_of_tracks(piece.fingerprint)
        alike = self._sketches.alike(shingles, self.thresholds.review_similarity)
        bars = piece.fingerprint.bars, piece.bar_weights
        shares = {**self._output_bars.shares(*bars), **self._withdrawn_bars.mutual_shares(*bars)}
        theirs = frozenset(composers)
        own = [n for n in passages if self._known[n].is_of(theirs)]
        own_bits = max((passages[number].bits for number in own), default=0)
        matches = []
        for number in sorted({*passages, *map(int, alike), *shares}):
            known, passage = self._known[number], passages.get(number)
            similarity = _jaccard(shingles, shingles_of(self._tracks(number)))
            share = shares.get(number, 0.0)
            verdict = self._verdict(known, similarity, passage, share, limits)
            if verdict == BLOCK and self._is_softened(known, passage, theirs, own_bits):
                verdict = REVIEW
            matches.append(Match(known, round(similarity, 3), passage, verdict, round(share, 3)))
        telling = sorted((m for m in matches if m.verdict != CLEAR), key=_order)
        verdict = _worst(telling, is_whole=piece.is_whole)
        words = calibration.in_words(limits.review)
        return Report(verdict, tuple(telling), len(self), limits, words, piece.is_whole)

    def _verdict(
        self, known: Known, similarity: float, passage: Passage | None, bars: float, limits: Limits
    ) -> str:
        """What a likeness is, whoever composed it."""
        given = self.thresholds
        bits = passage.bits if passage else 0
        is_tune = passage is not None and passage.is_tune
        outputs_own = limits.output * (1 if is_tune else OUTPUT_ACCOMPANIMENT_FACTOR)
        is_block = {
            OUTPUT: bits >= outputs_own or bars >= given.block_bars,
            WITHDRAWN: (is_tune and bits >= limits.block) or bars >= _LEAST_WITHDRAWN_BARS,
        }.get(known.kind, is_tune and bits >= limits.block)
        if is_block or similarity >= given.block_similarity:
            return BLOCK
        enough = limits.review * (1 if is_tune else ACCOMPANIMENT_FACTOR)
        is_review = bits >= enough or similarity >= given.review_similarity
        return REVIEW if is_review else CLEAR

    @staticmethod
    def _is_softened(
        known: Known, passage: Passage | None, theirs: frozenset[str], own_bits: int
    ) -> bool:
        """Whether it is the composers' own, or an output has it from a work of their own."""
        if known.kind == OUTPUT:
            return passage is not None and own_bits >= _SAME_PASSAGE * passage.bits
        return known.is_of(theirs)

    # -- passages -------------------------------------------------------------------------------

    def _best_passages(self, piece: NewPiece, limits: Limits) -> dict[int, Passage]:
        """For each known piece the passage that weighs most: tunes before accompaniments."""
        best: dict[int, _Found] = {}
        for found in self._passages(piece):
            other = best.get(found.piece)
            if not other or found.rank(limits.review) > other.rank(limits.review):
                best[found.piece] = found
        return {number: found.spell() for number, found in best.items()
                if found.bits >= _SAME_PASSAGE * limits.review}  # fmt: skip

    def _passages(self, piece: NewPiece) -> Iterator[_Found]:
        upper = with_plain_lines(piece.upper_parts)
        works, outputs = self._works, self._outputs
        for found in works.stretches(upper):
            yield _aligned(self._work_owners, upper, works, found)
        for voice in piece.fingerprint.tracks:
            for run in self._runs.shared_runs(voice, rarest=_RAREST_RUNS):
                known, owner = self._runs.voices[run.voice], int(self._run_owners.all[run.voice])
                bits, tune = self._run_bits(run), is_tune(voice, known, run)
                yield _Found(owner, bits, tune, partial(passage_of, voice, known, run, bits))
        if not outputs.voices:
            return
        every = with_plain_lines(piece.parts)
        for found in outputs.stretches(every, any_mode=True):
            yield _aligned(self._output_owners, every, outputs, found)
        for form, parts in turned(piece.parts):
            for found in outputs.stretches(parts, most=_TURNED_CANDIDATES, with_gaps=False):
                yield _aligned(self._output_owners, parts, outputs, found, form)

    def _run_bits(self, run: SharedRun) -> float:
        """What the intervals of a run say; what it repeats says nothing more."""
        if run.voice not in self._said:
            tracks = self._tracks(self._run_owners.all[run.voice])
            said = self._surprise.of_intervals(self._runs.voices[run.voice], tracks)
            self._said[run.voice] = said
        said = self._said[run.voice]
        inside = slice(run.their_first + 1, run.their_first + run.intervals + 1)
        return float(said.bits[inside][said.earlier[inside] < run.their_first].sum())

    def _tracks(self, number: int) -> list[Voice]:
        """The lines of a known piece's tracks."""
        first, end = np.searchsorted(self._run_owners.all, [number, number + 1])
        return self._runs.voices[int(first) : int(end)]

    # -- chance ---------------------------------------------------------------------------------

    def keep_up(self) -> None:
        """Learn from the works that were added, and calibrate, once they are twice as many."""
        works = [n for n, known in enumerate(self._known) if known.kind in (WORK, WITHDRAWN)]
        if len(works) < max(_GROWTH * self._learned, 1):
            return
        new = works[self._learned :]
        self._surprise.learn(v for n in new for v in self._tracks(n))
        self._learned = len(works)
        self._said = {}
        self._works.ask_again()
        self._outputs.ask_again()
        if len(works) >= ENOUGH_WORKS:
            relatives = self._relatives(works)
            chosen = np.linspace(0, len(works) - 1, min(len(works), _CALIBRATED_ON)).round()
            scores = [self._best_by_chance(number, relatives[number])
                      for number in (works[int(place)] for place in chosen)]  # fmt: skip
            self._calibration = Calibration.of(scores, len(self))

    def _relatives(self, works: Sequence[int]) -> dict[int, list[int]]:
        """The works that each is related to, itself among them: arrangements share a theme."""
        melodies = [
            shingles_of(v for v in self._tracks(number) if v.is_leading) for number in works
        ]
        groups = related_groups(melodies).values()
        return {works[i]: [works[j] for j in group] for group in groups for i in group}

    def _best_by_chance(self, number: int, apart: Sequence[int]) -> float:
        """The most bits that a known piece shares with any that is not related to it."""
        tracks = self._tracks(number)
        parts = [_part_of(voice) for voice in tracks]
        aligned = self._works.stretches(parts, np.isin(self._work_owners.all, apart))
        others = np.isin(self._run_owners.all, apart)
        runs = [
            self._run_bits(run)
            for voice in tracks
            for run in self._runs.shared_runs(voice, apart_from=others, rarest=_RAREST_RUNS)
        ]
        return max([0.0, *runs, *(found.bits for found in aligned[:1])])


def _part_of(voice: Voice) -> Part:
    """A known line as if it were a new part."""
    onsets = voice.onsets.astype(np.int64)
    return Part((voice,), onsets, onsets, voice.pitches.astype(np.int64))


@dataclass(frozen=True, slots=True)
class _Found:
    """A passage before it is put in words."""

    piece: int
    bits: float
    is_tune: bool
    spell: Callable[[], Passage]

    def rank(self, review_bits: float) -> tuple[bool, float]:
        return self.is_tune and self.bits >= review_bits, self.bits


def _aligned(
    owners: Column,
    parts: Sequence[Part],
    index: AlignmentIndex,
    found: Stretch,
    form: str = "",
) -> _Found:
    """A stretch as a passage."""
    ours, theirs = parts[found.part].voices[0], index.voices[found.voice]
    line = theirs.pitches[found.first : found.last + 1]
    tune = (ours.is_leading or theirs.is_leading) and _moves_by_steps(line)
    spell = partial(_passage_of_stretch, ours, theirs, found, tune, form)
    return _Found(int(owners.all[found.voice]), found.bits, tune, spell)


def _passage_of_stretch(
    ours: Voice, theirs: Voice, found: Stretch, is_tune: bool, form: str
) -> Passage:
    edges = np.searchsorted(ours.onsets, found.our_onsets, side="right") - 1
    here = _words(ours.label, ours.bars[np.maximum(edges, 0)], found.ours)
    there = _spell(theirs, found.first, found.last - found.first)
    where = f"the piece {form}" if form else here
    return Passage(where, there, found.notes, round(found.bits), is_tune, form)


def is_tune(ours: Voice, theirs: Voice, run: SharedRun) -> bool:
    """Whether a run is somebody's own line: a leading voice that moves by steps too."""
    if not (ours.is_leading or theirs.is_leading):
        return False
    return _moves_by_steps(ours.pitches[run.our_first : run.our_first + run.intervals + 1])


def _moves_by_steps(line: NDArray[np.int16]) -> bool:
    return bool((np.abs(np.diff(line)) <= _STEP_SEMITONES).mean() >= _TUNE_STEPS_SHARE)


def passage_of(ours: Voice, theirs: Voice, run: SharedRun, bits: float = 0.0) -> Passage:
    """A run of a new voice and a known one, in words."""
    return Passage(
        ours=_spell(ours, run.our_first, run.intervals),
        theirs=_spell(theirs, run.their_first, run.intervals),
        notes=run.intervals + 1,
        bits=round(bits),
        is_tune=is_tune(ours, theirs, run),
    )


def read_fingerprints(path: Path) -> list[tuple[Known, Fingerprint]]:
    """A rights-holder's list: `{"holder": "…", "works": [{"name": "…", "voices": […]}]}`.

    A voice is a list of intervals in semitones, or what `voices.pack_voices` writes; in the place
    of the list of voices what `Fingerprint.pack` writes may stand.

    Raises:
        HouseError: not such a list; names the file.
    """
    try:
        content = read_json(path, FINGERPRINTS)
        return [
            (
                Known(FINGERPRINT, f"{content['holder']}: {work['name']}"),
                Fingerprint.unpack(work["voices"]),
            )
            for work in content["works"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, HouseError) as error:
        what = error.what if isinstance(error, HouseError) else f"{type(error).__name__}: {error}"
        mend = 'write {"holder": "…", "works": [{"name": "…", "voices": [[2, 2, -4, …]]}]}'
        raise HouseError(f"no list of fingerprints ({what})", where=str(path), mend=mend) from error


def _worst(matches: Sequence[Match], *, is_whole: bool) -> str:
    """The verdict of the first match; a piece that was not compared to its end is for review."""
    return matches[0].verdict if matches else CLEAR if is_whole else REVIEW


def _order(match: Match) -> tuple[bool, float, float, str]:
    bits = match.passage.bits if match.passage else 0
    return match.verdict != BLOCK, -match.similarity, -bits, match.known.name


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
    return _words(voice.label, bars, notes)


def _words(label: str, bars: NDArray[Any], notes: NDArray[Any]) -> str:
    names = " ".join(note_name(int(pitch)) for pitch in notes[:_NOTES_SHOWN])
    more = " …" if len(notes) > _NOTES_SHOWN else ""
    place = f"bar {bars[0]}" if bars[0] == bars[-1] else f"bars {bars[0]}-{bars[-1]}"
    return f"{label}, {place}: {names}{more}"


def _lines(match: Match) -> list[str]:
    kinds = {
        WORK: "the house's work",
        WITHDRAWN: "the withdrawn work",
        OUTPUT: "the generated piece",
        FINGERPRINT: "the listed work",
    }
    name = f"{kinds[match.known.kind]} {match.known.name}"
    lines = [f"{match.verdict}: {match.similarity:.0%} like {name}"]
    if match.bars:
        lines.append(f"  bars it has too, in any order: {match.bars:.0%}")
    if passage := match.passage:
        form = f", {passage.form}" if passage.form else ""
        lines.append(f"  shared line: {passage.notes} notes ({passage.bits} bits){form}")
        lines += [f"    here   {passage.ours}", f"    there  {passage.theirs}"]
    return lines

"""What listeners said, counted.

Definitions and formulas of the results (n answers of L listeners on P pairs):

- `preference`: share of answers that prefer the generated piece, no preference counting half.
- `rating`: mean rating, 1 (bad) to 5 (excellent), of generated pieces, of works, and the mean
  `difference` of the two in one answer.
- `recognition`: share of guesses at which piece a person wrote that are right; "cannot tell" is
  half right. 0.5 is chance.

Intervals: listeners and pairs are both drawn with replacement (Owen 2007, "The pigeonhole
bootstrap"), since answers of one listener, and answers on one pair, are not independent; with one
listener pairs alone. Of each listener the decided answers, with Wilson's interval.
Source: the scale is ITU-R BS.1284 / ITU-T P.800 (absolute category rating). Deviation: no hidden
reference or anchors; music has no undegraded original to be compared with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gen.disk.reading import LISTENING, parse_json, read
from gen.errors import HouseError
from gen.evaluation.listeners.listening import KEY_FORMAT, SIDES, VERSION, digest
from gen.evaluation.measures import interval
from gen.evaluation.measures.interval import REPEATS, TAIL, Figure, figure

Floats = NDArray[np.float64]

RATINGS_FORMAT = "gen-listening-ratings"

_RATINGS = (1, 2, 3, 4, 5)
_ASPECTS = ("preference", "generated", "work", "recognised")


class PairAnswer(NamedTuple):
    """What one listener said of one pair, with the sides resolved; None where nothing was said.

    Attributes:
        pair: from 1.
        preference: 1 for the generated piece, 0 for the work, 0.5 for neither.
        generated, work: ratings, 1 to 5.
        recognised: 1 where the work was taken for the person's, 0 the other, 0.5 cannot tell.
    """

    pair: int
    preference: float | None
    generated: int | None
    work: int | None
    recognised: float | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One listener's file."""

    name: str
    identity: str
    answers: tuple[PairAnswer, ...]


def results(folder: Path, ratings: Sequence[Path], *, seed: int = 0) -> dict[str, Any]:
    """What listeners said.

    Args:
        folder: the one that `build` wrote, with its key.
        ratings: files that listeners saved.
        seed: draws listeners and pairs, for the intervals.

    Returns:
        `preference`, `rating` and `recognition` over all answers, each with its figures and its
        `verdict` (`none` where chance would do); the same counts and figures for each of
        `listeners` and of `pairs`, whose pieces are named here.

    Raises:
        HouseError: the key or a file is missing, damaged or of another test, a listener's answers
            are given twice, or there is no answer at all.
    """
    entries, test = _read_key(folder / "key.json")
    sides = [entry["generated"] for entry in entries]
    sheets: dict[str, tuple[Path, Sheet]] = {}
    for path in ratings:
        sheet = _read_sheet(path, test, sides)
        if sheet.identity in sheets:
            what = f"is by the same listener as {sheets[sheet.identity][0]}"
            raise HouseError(what, where=str(path), mend="give the later of the two alone")
        sheets[sheet.identity] = path, sheet
    known = [sheet for _, sheet in sheets.values()]
    if not any(sheet.answers for sheet in known):
        what = f"{len(known)} files of ratings hold no answer"
        raise HouseError(what, mend="give the files that listeners saved from the page")
    rng, cells = np.random.default_rng(seed), _table(known, len(sides))
    return {
        "test": test,
        "answers": sum(len(sheet.answers) for sheet in known),
        **_together(cells, rng),
        "listeners": [
            {"name": sheet.name, **_alone(cells[:, row])} for row, sheet in enumerate(known)
        ],
        "pairs": [
            {
                "pair": number + 1,
                "piece": entry["piece"],
                "work": entry["work"],
                **_alone(cells[:, :, number]),
            }
            for number, entry in enumerate(entries)
        ],
    }


def _table(sheets: Sequence[Sheet], pairs: int) -> Floats:
    """What was said, (4, L, P) by `_ASPECTS`; NaN where nothing was."""
    cells = np.full((len(_ASPECTS), len(sheets), pairs), math.nan)
    for row, sheet in enumerate(sheets):
        for answer in sheet.answers:
            said = [getattr(answer, aspect) for aspect in _ASPECTS]
            cells[:, row, answer.pair - 1] = [math.nan if x is None else x for x in said]
    return cells


def _together(cells: Floats, rng: Generator) -> dict[str, Any]:
    preferred, generated, work, recognised = cells
    shares = [pigeonhole(values, rng) for values in (preferred, recognised)]
    difference = pigeonhole(generated - work, rng)
    return {
        "preference": {
            "counts": _counts(preferred, ("work", "neither", "generated")),
            "share": shares[0],
            "verdict": _verdict(shares[0], 0.5, "work", "generated"),
        },
        "rating": {
            "generated": pigeonhole(generated, rng),
            "work": pigeonhole(work, rng),
            "difference": difference,
            "verdict": _verdict(difference, 0.0, "work", "generated"),
        },
        "recognition": {
            "counts": _counts(recognised, ("wrong", "unsure", "right")),
            "share": shares[1],
            "verdict": _verdict(shares[1], 0.5, "misled", "recognised"),
        },
    }


def _alone(cells: Floats) -> dict[str, Any]:
    """Of one listener or one pair, (4, n): decided answers with Wilson's interval, ratings."""
    preferred, generated, work, recognised = cells
    return {
        "preference": _counts(preferred, ("work", "neither", "generated")),
        "share": _decided(preferred),
        "difference": interval.mean(generated - work),
        "recognised": _decided(recognised),
    }


def _decided(values: Floats) -> Figure:
    yes, no = int((values == 1).sum()), int((values == 0).sum())
    return interval.share(yes, yes + no)


def _counts(values: Floats, names: tuple[str, str, str]) -> dict[str, int]:
    return {name: int((values == i / 2).sum()) for i, name in enumerate(names)}


def _verdict(found: Figure, chance: float, below: str, above: str) -> str:
    if found["low"] is None or found["low"] <= chance <= found["high"]:
        return "none"
    return above if found["low"] > chance else below


def pigeonhole(values: Floats, rng: Generator) -> Figure:
    """Mean of what L listeners said of P pairs, (L, P), NaN where nothing; n counts answers."""
    said = np.isfinite(values)
    n = int(said.sum())
    if not n:
        return figure(math.nan, n=0)
    known = np.where(said, values, 0.0)
    rows, columns = (_weights(size, rng) for size in values.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = np.einsum("rl,lp,rp->r", rows, known, columns) / np.einsum(
            "rl,lp,rp->r", rows, said.astype(np.float64), columns
        )
    drawn = drawn[np.isfinite(drawn)]
    mean = float(known.sum() / n)
    low, high = np.quantile(drawn, [TAIL, 1 - TAIL])
    return figure(mean, low, high, n) if n > 1 else figure(mean)


def _weights(n: int, rng: Generator) -> Floats:
    """How often each of n is drawn, (1000, n); once where there is no other."""
    return rng.multinomial(n, np.full(n, 1 / n), REPEATS).astype(np.float64)


# -- reading files ------------------------------------------------------------------------------


def _read(path: Path, kind: str, mend: str) -> tuple[dict[str, Any], bytes]:
    """An object of JSON of a format and version of ours, and its bytes."""
    listening = replace(LISTENING, mend=mend)
    data = read(path, listening)
    content = parse_json(data, path, listening)
    if not isinstance(content, dict) or content.get("format") != kind:
        raise HouseError(f"is no file of the format {kind}", where=str(path), mend=mend)
    if content.get("version") != VERSION:
        what = f"has version {content.get('version')!r}, and {VERSION} is known"
        raise HouseError(what, where=str(path), mend=mend)
    return content, data


def _read_key(path: Path) -> tuple[list[dict[str, str]], str]:
    """The key's pairs, and the test's identity: the digest of the whole key."""
    mend = "name the folder that the listening test was made in"
    key, data = _read(path, KEY_FORMAT, mend)
    entries = key.get("pairs")
    wanted = ("generated", "piece", "work")
    try:
        pairs = [{name: str(entry[name]) for name in wanted} for entry in entries or ()]
    except (KeyError, TypeError):
        pairs = []
    if not pairs or any(entry["generated"] not in SIDES for entry in pairs):
        raise HouseError("is no key of a listening test", where=str(path), mend=mend)
    return pairs, digest(data)


def _read_sheet(path: Path, test: str, sides: Sequence[str]) -> Sheet:
    mend = "ask the listener to save the file again from the page, unchanged"
    sheet, _ = _read(path, RATINGS_FORMAT, mend)
    if sheet.get("test") != test:
        what = "belongs to another listening test, or its key was changed"
        raise HouseError(what, where=str(path), mend="give the folder of its own test")
    name, identity, answers = (sheet.get(k) for k in ("listener", "sheet", "answers"))
    if not (isinstance(name, str) and isinstance(identity, str) and isinstance(answers, list)):
        raise HouseError("lacks its listener, sheet or answers", where=str(path), mend=mend)
    given: dict[int, PairAnswer] = {}
    for answer in answers:
        try:
            found = _answer(answer, sides)
        except (KeyError, TypeError, ValueError) as error:
            what = f"holds an answer that the page does not give: {str(answer)[:200]}"
            raise HouseError(what, where=str(path), mend=mend) from error
        if found.pair in given:
            raise HouseError(f"answers pair {found.pair} twice", where=str(path), mend=mend)
        given[found.pair] = found
    return Sheet(name, identity, tuple(given.values()))


def _answer(answer: Any, sides: Sequence[str]) -> PairAnswer:
    """One answer, with A and B resolved.

    Raises:
        KeyError, TypeError, ValueError: it is none of the page's.
    """
    pair = answer["pair"]
    if type(pair) is not int or not 1 <= pair <= len(sides):
        raise ValueError(pair)
    ours = sides[pair - 1]
    theirs = SIDES[1 - SIDES.index(ours)]
    ratings = {side: answer[f"rating_{side}"] for side in SIDES}
    for rating in ratings.values():
        if rating is not None and (type(rating) is not int or rating not in _RATINGS):
            raise ValueError(rating)
    worth = {None: None, ours: 1.0, theirs: 0.0, "neither": 0.5}
    guess = {None: None, ours: 0.0, theirs: 1.0, "unsure": 0.5}
    return PairAnswer(
        pair,
        worth[answer["preferred"]],
        ratings[ours],
        ratings[theirs],
        guess[answer["person"]],
    )

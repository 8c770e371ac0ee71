"""What figures are called, and what they mean, in words a composer uses."""

from __future__ import annotations

from typing import Any, NamedTuple

from gen.evaluation.interval import Figure


class Headline(NamedTuple):
    """A headline figure: its name, and what it says."""

    name: str
    meaning: str


HEADLINES = {
    "bits_per_note": Headline(
        "bits per note",
        "How much the model still had to be told about each note of works that it has never "
        "heard. One bit less: it held every note twice as likely.",
    ),
    "statistics_gap": Headline(
        "statistics gap",
        "How much farther from works the pieces are than two sets of works from each other, in "
        "pitch, harmony, rhythm and loudness, in doublings. 0: no farther.",
    ),
    "apart": Headline(
        "told apart from works",
        "How much better than by guessing a generated piece can be told from a work by its "
        "nearest relative. 0: not at all; 0.5: always.",
    ),
    "structure_gap": Headline(
        "structure gap",
        "How much more or less of a piece returns, over short, middle and long spans, than in "
        "works. 0: as much.",
    ),
}

MEASURES = {
    "together": "all together", "rhythm": "rhythm", "melody": "melody", "harmony": "harmony",
}  # fmt: skip
"""Aspects in which pieces are compared."""

RANGES = {"short": "over 2-4 bars", "middle": "over 5-8 bars", "long": "over 9 bars and more"}
"""Spans of the structure indicators."""

NAMES = {
    "kind": "what happens", "position": "when", "value": "which pitch", "extent": "how long",
    "level": "how loud", "untold": "no role told", "note": "notes", "cell": "who plays in a bar",
    "bar": "bar lines", "tempo": "tempo", "pedal": "pedal", "track": "instruments",
    "eos": "the end", "pitch_class_entropy": "spread of pitch classes",
    "scale_consistency": "notes in one scale", "groove_consistency": "steadiness of groove",
    "polyphony": "pitches sounding together", "polyphony_rate": "time with several pitches",
    "empty_beat_rate": "silent beats", "drum_pattern_consistency": "steadiness of drums",
    "note_density": "notes a quarter", "intervals": "melodic intervals",
    "durations": "note lengths", "velocities": "loudness", "transitions": "chord changes",
    "pitch_range": "span of pitches",
}  # fmt: skip
"""What names of figures mean, where replacing underscores is not enough."""

SEAMS = {
    "leap": "leaps into and out of it", "edge": "harmony across its edges",
    "ensemble": "harmony with the other tracks", "notes": "number of notes",
}  # fmt: skip
"""How a hole that was filled in fits."""

CONTROLS = {
    "key": "key (exactly)", "scale": "notes in the key's scale", "time_signature": "meter",
    "bars": "number of bars", "pitch_range": "mean pitch in range (CP)",
    "pitches": "pitches in range", "velocity_range": "loudness in range (CV)",
    "chords": "chords (CC)",
}  # fmt: skip
"""What is asked of a piece, where its own name is not enough; with what Lee et al. 2022 call it."""

VERDICTS = {
    "none": "no difference", "higher": "more", "lower": "less", "apart": "recognisable",
    "too close": "too close", "homogenises": "more of the same", "varies more": "more varied",
}  # fmt: skip


def said(name: str) -> str:
    """A figure's name in plain words."""
    return NAMES.get(name, name.replace("_", " "))


def asked(name: str) -> str:
    """A control's score in plain words."""
    return CONTROLS.get(name, name.replace("_", " "))


def number(value: float | None) -> str:
    """Three digits, or a dash."""
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def with_interval(figure: Figure | None) -> str:
    """Value and interval, `4.93 (4.41 to 5.72)`; a dash where there is none."""
    if not figure or figure["value"] is None:
        return "-"
    if figure["low"] is None:
        return number(figure["value"])
    return f"{number(figure['value'])} ({number(figure['low'])} to {number(figure['high'])})"


def percent(figure: Figure | None) -> str:
    """A share and its interval, `42 % (31 to 55)`."""
    if not figure or figure["value"] is None:
        return "-"
    whole = f"{figure['value']:.0%}".replace("%", " %")
    if figure["low"] is None:
        return whole
    return f"{whole} ({100 * figure['low']:.0f} to {100 * figure['high']:.0f})"


def sentences(report: dict[str, Any], rung: str) -> list[str]:
    """What the report says of one checkpoint, a sentence a finding.

    A difference inside its interval is called none.
    """
    found = []
    if likelihood := report.get("likelihood", {}).get("rungs", {}).get(rung):
        found += _likelihood(likelihood)
    if statistics := report.get("statistics", {}).get(rung):
        found.append(_statistics(statistics))
    if neighbours := report.get("nearest_neighbour", {}).get(rung):
        found.append(_neighbours(neighbours))
    if structure := report.get("structure", {}).get(rung):
        found.append(_structure(structure))
    if control := report.get("control", {}).get(rung):
        found.append(_control(control))
    if infilling := report.get("infilling", {}).get(rung):
        found.append(_infilling(infilling))
    if originality := report.get("originality", {}).get(rung):
        found += _originality(originality)
    if diversity := report.get("diversity", {}).get(rung):
        found.append(_diversity(diversity))
    return found


def _likelihood(figures: dict[str, Any]) -> list[str]:
    whole, gap = figures["bits_per_note"], figures["gauge"]["gap"]
    first = f"A note of a work it has never heard costs {with_interval(whole)} bits."
    if gap["low"] is None or gap["low"] <= 0 <= gap["high"]:
        return [
            first,
            "Works it learned from cost as much: no sign of learning by heart.",
        ]
    if gap["low"] > 0:
        second = (
            f"Works it learned from cost {with_interval(gap)} bits a note less: it knows them "
            "better than others of the house."
        )
    else:
        second = "Works it learned from cost more: those held out are the easier ones."
    return [first, second]


def _statistics(statistics: dict[str, Any]) -> str:
    features = statistics["features"]
    far = [n for n, f in features.items() if (f["apart"]["distance"] or {}).get("differs")]
    judged = [n for n, f in features.items() if f["apart"]["distance"]]
    if not judged:
        return "Too few pieces to compare statistics."
    if not far:
        return f"In none of {len(judged)} statistics do its pieces differ from works held out."
    named = ", ".join(said(name) for name in far)
    return f"In {len(far)} of {len(judged)} statistics its pieces differ from works: {named}."


def _neighbours(neighbours: dict[str, Any]) -> str:
    found = neighbours["together"]["against_reference"]
    share = percent(found)
    if found["verdict"] == "none":
        return f"By their nearest relatives, pieces and works cannot be told apart ({share} right)."
    if found["verdict"] == "apart":
        return f"By their nearest relatives, {share} of pieces and works are told apart."
    return f"Its pieces sit too close to single works: only {share} are told apart."


def _structure(structure: dict[str, Any]) -> str:
    judged = {
        n: i for n, i in structure["indicators"].items() if i["generated"]["value"] is not None
    }
    if not judged:
        return "Its pieces are too short to judge their structure."
    less, more = (
        [RANGES[n] for n, i in judged.items() if i["verdict"] == which]
        for which in ("lower", "higher")
    )
    if not less and not more:
        return "As much returns in its pieces as in works."
    parts = [
        f"{which} returns {' and '.join(names)}"
        for which, names in (("less", less), ("more", more))
        if names
    ]
    return f"Compared with works, {', '.join(parts)}."


def _control(control: dict[str, Any]) -> str:
    scores = control["scores"]
    broken = [
        asked(n)
        for n, s in scores.items()
        if s["guaranteed"] and s["told"]["value"] is not None and s["told"]["value"] < 1
    ]
    steered = {n: s for n, s in scores.items() if not s["guaranteed"]}
    obeyed = [asked(n) for n, s in steered.items() if s["verdict"] == "higher"]
    first = (
        f"Broken promises: {', '.join(broken)}."
        if broken
        else "All that is guaranteed (tempo, meter, bars, instruments, ranges) was kept."
    )
    if not obeyed:
        return f"{first} Of what can only be asked for, nothing measurably followed."
    rest = [asked(n) for n in steered if asked(n) not in obeyed]
    told = f"{first} Asking moves {', '.join(obeyed)}"
    return f"{told}; not measurably {', '.join(rest)}." if rest else f"{told}."


def _infilling(infilling: dict[str, Any]) -> str:
    bits = infilling["bits"]
    gain = {
        "higher": f"Knowing what comes after saves {with_interval(bits['gain'])} bits a note",
        "none": "Knowing what comes after saves nothing measurable",
        "lower": "Knowing what comes after makes it worse",
    }[bits["verdict"]]
    far = [SEAMS[n] for n, seam in infilling["seams"].items() if seam["verdict"] != "none"]
    fit = (
        f"what it writes differs from the original in {', '.join(far)}"
        if far
        else "what it writes fits as well as the original did"
    )
    return f"Filling a hole: {gain[0].lower()}{gain[1:]}; {fit}."


_COPYING = {
    "none": "no difference",
    "higher": "it borrows more than the house does from itself",
    "lower": "it borrows less than the house does from itself",
}


def _originality(originality: dict[str, Any]) -> list[str]:
    above, house = originality["outputs"]["above"], originality["house"]["above"]
    found = []
    if above["value"] is not None and house["value"] is not None:
        found.append(
            f"{percent(above)} of its pieces share a longer line with a work than 95 in 100 of the "
            f"house's works do with each other; of those works themselves it is {percent(house)}: "
            f"{_COPYING[originality['outputs']['verdict']]}."
        )
    given = originality["extraction"]
    back = {side: percent(given[side]["back"]) for side in ("train", "held_out")}
    memory = {
        "none": "Beyond what repeats, no difference: no memory of single works shows.",
        "higher": "Beyond what repeats, that is more: it remembers some of what it learned.",
        "lower": "Beyond what repeats, that is not more: no memory of single works shows.",
    }
    found.append(
        f"Given {given['given_bars']} bars of a work it learned from, {back['train']} of the next "
        f"notes come back; of a work it never heard, {back['held_out']}. "
        + memory[given["verdict"]]
    )
    return found


def _diversity(diversity: dict[str, Any]) -> str:
    found = diversity["spread"]["together"]
    share = with_interval(found["ratio"])
    return {
        "none": f"Its pieces differ from each other as much as works do (ratio {share}).",
        "homogenises": f"Its pieces are more alike than works are (ratio {share}).",
        "varies more": f"Its pieces differ more from each other than works do (ratio {share}).",
    }[found["verdict"]]

"""Asking a composer about a file: few questions, a recap, and nothing typed twice.

Asked is what nobody can guess and what guesses are least sure of. Everything else stands in the
recap, where any of it can be changed before it is signed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.cli.careful import echo
from gen.cli.outcomes import show_details, tracks
from gen.cli.preview import confirmed, default_folder, show_preview
from gen.errors import SettingError, in_line

if TYPE_CHECKING:
    from gen.contribution import Drafts, Facts, Outcome
    from gen.provenance.records.roster import Roster
    from gen.safe_parse import Examined

STATEMENT = (
    "By signing you state that nothing in the work is a third party's material and, unless its "
    "method is 'machine', that no generative model wrote any of it."
)
_KEPT = "  your answers are kept for the next time"
_PER_TRACK = ("instruments", "roles")


class Interview:
    """Shows checked files and asks about each; called by the contributor.

    Args:
        drafts: where answers are kept until the work is contributed.
        preview: where piano rolls and sound go; None takes the user's cache.
        roster: says who composes in this house.
        composer: who contributes.
    """

    def __init__(self, drafts: Drafts, preview: Path | None, roster: Roster, composer: str) -> None:
        self.drafts = drafts
        self.roster = roster
        self.composer = composer
        self.preview = preview or default_folder()
        self._music: dict[Path, bytes] = {}

    def __call__(self, outcome: Outcome) -> Facts | None:
        """The facts to sign; None to leave the file out."""
        echo(f"\n{in_line(str(outcome.path))}")
        show_details(outcome)
        if outcome.facts is None or outcome.examined is None or not self._begins(outcome):
            return None
        music = outcome.examined.normalised.data
        self._music[outcome.path] = music
        facts = self._with_draft(outcome, music)
        for name in self._questions(outcome, facts):
            facts = self._answered(outcome, facts, name)
            self.drafts.keep(music, facts)
        return self._signed(outcome, facts, music)

    def done(self, outcome: Outcome) -> None:
        """Drop the draft of a file that is contributed, or that the house has."""
        music = self._music.pop(outcome.path, None)
        if music is not None and outcome.status in ("contributed", "needs review", "already there"):
            self.drafts.forget(music)

    def _begins(self, outcome: Outcome) -> bool:
        hear = partial(self._preview, outcome)
        return confirmed("Contribute this file?", hear, default=True, err=False)

    def _preview(self, outcome: Outcome) -> None:
        if outcome.examined is not None:
            piece = outcome.examined.normalised.piece
            show_preview(piece, self.preview, outcome.path.stem, is_opening=True)

    def _with_draft(self, outcome: Outcome, music: bytes) -> Facts:
        assert outcome.facts is not None  # noqa: S101 - the caller looked
        draft = self.drafts.read(music)
        if draft is None:
            return outcome.facts
        echo("  your answers of last time stand in the brackets")
        if draft.instruments != outcome.facts.instruments and outcome.examined is not None:
            outcome.examined = _restated(outcome.examined, draft.instruments)
        return outcome.stated.over(draft).over(outcome.facts)

    @staticmethod
    def _questions(outcome: Outcome, facts: Facts) -> list[str]:
        """What is asked: what must be stated, what helps most, and unsure guesses."""
        analysis = outcome.read.analysis
        names = ["title", "method", "genre", "mood"]
        names += ["instruments"] if outcome.read.normalised.unsure else []
        names += [] if analysis.is_key_clear else ["key"]
        names += ["roles"] if len(analysis.roles) > 1 else []
        return [*names, "consent"]

    def _answered(self, outcome: Outcome, facts: Facts, name: str) -> Facts:
        """The facts with one of them asked for, again while it cannot be signed as typed."""
        from gen.contribution import changed, find_problem, tidy

        before = getattr(facts, name)
        self._introduce(outcome, facts, name)
        while True:
            answer = _prompt(name, before)
            try:
                text = tidy(name, changed(name, before, "" if answer == "-" else answer))
            except SettingError as error:
                echo(f"    {error.what}; {error.mend}")
                continue
            problem = find_problem(name, text, outcome.read.analysis)
            if not problem and name == "composers":
                problem = self._strangers(text)
            if not problem:
                break
            echo(f"    {problem}")
        facts = replace(facts, **{name: text})
        return _play(outcome, facts) if name == "instruments" and text != before else facts

    def _strangers(self, composers: str) -> str:
        """What is wrong with who is named as a composer, before anything is signed."""
        from gen.provenance.records.roster import COMPOSER
        from gen.provenance.records.statement import parse_composers

        named = [person for person, _ in parse_composers(composers)]
        known = [person.id for person in self.roster.people if COMPOSER in person.roles]
        if strangers := [person for person in named if person not in known]:
            told = f"no composer of this house: {', '.join(strangers)}"
            return f"{told}; its composers: {', '.join(known)}"
        return "" if self.composer in named else f"you, {self.composer}, have to be one of them"

    @staticmethod
    def _introduce(outcome: Outcome, facts: Facts, name: str) -> None:
        """Before a question about tracks each of them with its own name."""
        if name in _PER_TRACK and outcome.examined is not None:
            for line in tracks(outcome.examined.analysis, facts.roles.split()):
                echo(f"    {line}")

    def _signed(self, outcome: Outcome, facts: Facts, music: bytes) -> Facts | None:
        """The recap, changed until it is right; None if it is not signed."""
        names = list(facts.to_dict())
        _recap(outcome, facts, names)
        echo(STATEMENT)
        while True:
            answer = _prompt_choice(names)
            if answer == "hear":
                self._preview(outcome)
            elif answer in names:
                facts = self._answered(outcome, facts, answer)
                self.drafts.keep(music, facts)
                _recap(outcome, facts, [answer])
            elif answer == "no":
                echo(_KEPT)
                return None
            elif problems := self._problems(outcome, facts):
                for problem in problems:
                    echo(f"    {problem}")
            else:
                return facts

    def _problems(self, outcome: Outcome, facts: Facts) -> list[str]:
        from gen.contribution import find_problem

        analysis = outcome.read.analysis
        stated = facts.to_dict().items()
        found = [find_problem(name, text, analysis) for name, text in stated]
        found = [problem for problem in found if problem]
        return found or list(filter(None, [self._strangers(facts.composers)]))


_HINTS = {
    "composers": "ids and percents, as in ana:60 ben:40",
    "key": "a note and a mode, as in A minor or F# dorian",
    "chords": "5=Dm7 or 9-12=F C changes bars; or all of them: Am | F C/E | %",
    "sections": "name:first bar, as in intro:1 A:5 B:13",
    "instruments": "General MIDI names or drums, by commas; 2=violin changes one",
    "roles": "one a track; 2=bass changes one",
    "consent": "general_model evaluation artist_model:ID, each with @2030-12-31; or nothing",
}


def _hint(name: str) -> str:
    """What may be answered, in brackets."""
    from gen.harmony import GENRES, MOODS
    from gen.piece import ROLES
    from gen.provenance.records.statement import METHODS

    words = {"genre": GENRES, "mood": MOODS, "method": METHODS, "roles": ROLES}.get(name, ())
    hint = "; ".join(filter(None, (" ".join(words), _HINTS.get(name))))
    return f" ({hint})" if hint else ""


def _prompt(name: str, default: str) -> str:
    """One answer; what Enter takes stands in brackets, shortened where it is long."""
    from gen.contribution import shortened

    default_words = f" [{shortened(name, default)}]" if default else ""
    question = f"  {name}{_hint(name)}{default_words}"
    return str(click.prompt(question, default=default, show_default=False)).strip()


def _prompt_choice(names: list[str]) -> str:
    """What to do with the recap: yes, no, hear, or a fact to change."""
    question = "Sign? y, n, h to hear and see it; or change which?"
    while True:
        answer = str(click.prompt(question, default="n", show_default=True)).strip().casefold()
        answer = {"y": "yes", "n": "no", "h": "hear"}.get(answer, answer)
        found = [name for name in ("yes", "no", "hear", *names) if name.startswith(answer)]
        exact = answer if answer in found else found[0] if len(found) == 1 else ""
        if exact:
            return exact
        echo(f"    y, n, h, or one of: {' '.join(names)}")


def _recap(outcome: Outcome, facts: Facts, names: list[str]) -> None:
    """These facts as they will be signed, a line each; tracks with their names."""
    from gen.contribution import shortened

    echo("  You sign:")
    for name in names:
        if name not in _PER_TRACK:
            text = shortened(name, getattr(facts, name)) or "(nothing)"
            echo(f"    {name:<11} {text}")
    if not set(names).isdisjoint(_PER_TRACK):
        lines = tracks(outcome.read.analysis, facts.roles.split())
        for number, line in enumerate(lines):
            echo(f"    {'tracks' if number == 0 else '':<11} {line}")


def _play(outcome: Outcome, facts: Facts) -> Facts:
    """Facts about the music as the instruments stated now play it."""
    before = outcome.read.analysis
    outcome.examined = _restated(outcome.read, facts.instruments)
    after = outcome.read.analysis
    found = {
        "roles": (" ".join(before.roles), " ".join(after.roles)),
        "chords": (before.chords, after.chords),
        "key": (before.key, after.key),
    }
    guessed = {name: new for name, (old, new) in found.items() if getattr(facts, name) == old}
    return replace(facts, **guessed)


def _restated(examined: Examined, instruments: str) -> Examined:
    from gen.contribution import restate

    try:
        return restate(examined, instruments)
    except SettingError:
        return examined

"""What each version of the rules of writing brought.

A receipt names a version, and by it the same bytes come out for ever. The walk asks for one thing
by its name; which version brought it stands here alone. New behaviour is a new version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, overload

OLDEST: Final = 1
NEWEST: Final = 9


class Since:
    """Whether rules are of a version or a later one; worked out once for each of them."""

    def __init__(self, version: int) -> None:
        self.version = version

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, rules: None, owner: type) -> Since: ...
    @overload
    def __get__(self, rules: Rules, owner: type) -> bool: ...
    def __get__(self, rules: Rules | None, owner: type) -> Since | bool:
        if rules is None:
            return self
        found: dict[str, Any] = rules.__dict__  # which is asked first from now on
        return bool(found.setdefault(self.name, rules.version >= self.version))


@dataclass(frozen=True)
class Rules:
    """One version, `OLDEST` to `NEWEST`."""

    version: int = OLDEST

    # A home, and parts that hear each other.
    plans_closes = Since(2)
    """A close is planned before the piece: its key, its cadence, its ritardando, its bass."""
    pulls_home = Since(2)
    """What is played is drawn towards the key of the piece."""
    judges_mood = Since(2)
    """A mood is met if the key that is heard has its mode."""
    shapes_sections = Since(2)
    """Breaks, builds and closes have as many notes as those of works."""
    fits_returns = Since(2)
    """No cell comes back that has no room, nor one of kick and snare alone after others of them."""
    begins_with_the_bass = Since(2)
    """The bass comes in with the first section, not later than its bar."""
    varies_drums = Since(2)
    """After bars of kick and snare alone other drums are called for."""
    shortens_clashes = Since(2)
    """Notes stop before one they clash with, and parts added later clash less."""
    avoids_parallels = Since(2)
    """No parallel fifths and octaves between the outer voices of a chorale."""

    # Pace, and drums that come back.
    paces = Since(3)
    """A tempo has as many notes a bar as works of that tempo have."""
    repeats_grooves = Since(3)
    """After bars of kick and snare alone the latest groove comes back and stays."""
    holds_firmly = Since(3)
    """Parts added later, and drums of pieces from nothing, are held more firmly."""

    # Files that are listened to, and strict voices.
    infers_from_files = Since(4)
    """What nobody asks for of a file's new parts is what the file does."""
    joins_returns = Since(4)
    """No cell comes back that its track would have to leap to."""
    counts_rests = Since(4)
    """Parallels across a rest, within a bar and with chords of one track are parallels, too."""
    keeps_to_chords = Since(4)
    """Parts added later keep to the chord of the moment."""

    # Lines.
    leads_melodies = Since(5)
    """A melody goes on by steps, enters with the first section, and may pass beside the chord."""
    covers_chords = Since(5)
    """Parts added later have all tones of a chord, whose own seconds are no clash."""
    begins_with_a_chord = Since(5)
    """A piece from nothing has a chord from its first bar on."""
    gives_roles = Since(5)
    """Each track of a piece from nothing has a role that its instrument can have."""
    varies_marches = Since(5)
    """A march's kick and snare are not left alone either."""

    # Ends, tunes that come back, a key that is heard.
    closes_with_one_chord = Since(6)
    """The last bar is one chord that rings, and nothing rings into it."""
    repeats_tunes = Since(6)
    """Where a section comes back, its tune does sooner than the rest."""
    begins_together = Since(6)
    """All roles that carry a section enter with the first one."""
    keeps_minor = Since(6)
    """No piece in minor ends in major, but of rock."""
    hears_the_key = Since(6)
    """Chords and notes are pulled to the key by what was heard so far."""
    steps_in_voices = Since(6)
    """Every voice of a chorale goes by steps."""

    # Parts that play, and names.
    keeps_playing = Since(7)
    """A part that is added to a file enters early, and does not rest for long."""
    names_basses = Since(7)
    """The marker of a chord that was asked for says which bass stands behind its slash."""

    # Closes that differ, and long pieces.
    varies_closes = Since(8)
    """A piece closes in one of the ways in which works of its genre do, see `plan.Close`."""
    passes_over = Since(8)
    """Where all further tracks have to rest the bar is over, and the last one has no more notes."""
    hears_returns = Since(8)
    """What comes back in the next bar is known while this one is written."""
    lowers_basses = Since(8)
    """A bass that is added to a file plays in a bass's register, also beneath a high melody."""

    # Endings as works have them, and parts that do not stop.
    ends_as_works = Since(9)
    """The last chord is one that works of the genre end on, with ninths, and is played whole."""
    keeps_drums = Since(9)
    """Drums that have begun rest in breaks and endings alone."""
    closes_in_files = Since(9)
    """What is written into the last bar of a file that ends on its tonic does so, too."""
    plays_throughout = Since(9)
    """An added accompaniment or bass rests in no bar in which others play; lines do not leap."""
    keeps_slashes_lowest = Since(9)
    """Under a slash nobody else plays low what the bass may not."""
    keeps_modes = Since(9)
    """Chords and notes are those of the mode that was asked for, beside its major or minor."""
    fades_in_endings = Since(9)
    """A fade takes three bars, where its ending has no more, up to where the last chord begins."""

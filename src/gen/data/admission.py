"""From the gate to events: the works that one purpose admits, tokenised and split."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gen.data.cache import EventCache
from gen.data.choosing import CorpusConfig
from gen.data.splits import Split, SplitConfig, shingles, split
from gen.data.store import EventStore
from gen.data.styles import granted_styles
from gen.data.tokenising import Music, Tokenising, Tools
from gen.errors import HouseError, in_lines
from gen.harmony import parse_key, parse_progression
from gen.likeness.voices import Hashes
from gen.piece import Piece
from gen.provenance.admission.corpus import Corpus, Work
from gen.provenance.admission.gate import admit
from gen.provenance.manifests.manifest import Base, Manifest, ManifestWork
from gen.provenance.records.pin import Pin
from gen.provenance.signing.code import lock_digest
from gen.tokens.encoding import Annotations
from gen.tokens.score import score_of
from gen.tokens.tokenizer import HouseTokenizer

ALL_WORKS = CorpusConfig()
FindBase = Callable[[Sequence[ManifestWork], Sequence[Hashes]], Base]
"""What a model that is begun with is to these works, given with their melodic shingles."""
_MOST_SAID = 20
"""Refused files that one message names."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The works of one house that may be used for one purpose.

    Attributes:
        corpus: what the gate found.
        works: their events, in the order of the register.
        ids: which works those are.
        sides: places in `works`, by side of the split.
        styles: numbers of the composers whose style the model learns by name.
        tokenizer: fingerprint of what made the events.
        base: the model that is begun with; None where there is none.
    """

    corpus: Corpus
    works: EventStore
    ids: tuple[str, ...]
    sides: dict[Split, list[int]]
    styles: dict[str, int]
    tokenizer: str
    base: Base | None = None

    @property
    def manifest(self) -> Manifest:
        """What is learned from them."""
        return Manifest.of(
            self.corpus, tokenizer_fingerprint=self.tokenizer, lock_sha256=lock_digest(),
            base=self.base,
        )  # fmt: skip

    @property
    def digest(self) -> str:
        """SHA-256 over purpose, tokenizer, works, styles: what a resumed run must find again."""
        manifest = self.manifest
        works = [f"{work.work} {work.sha256}" for work in manifest.works]
        styles = [f"{person} {style}" for person, style in self.styles.items()]
        text = "\n".join([manifest.purpose, manifest.tokenizer_fingerprint, *works, *styles])
        return hashlib.sha256(text.encode()).hexdigest()


def take_in(
    house: Path,
    pin: Pin,
    purpose: str,
    shares: SplitConfig,
    tokenizer: HouseTokenizer,
    *,
    styles: bool = False,
    on_refusal: str = "stop",
    again: Manifest | None = None,
    chosen: CorpusConfig = ALL_WORKS,
    for_new_model: bool = False,
    base: FindBase | None = None,
) -> Admitted:
    """Admit, tokenise and split.

    Args:
        house: its folder.
        pin: what is trusted about it.
        purpose: consent scope, such as `general_model`.
        shares: how the works are split.
        tokenizer: makes the events.
        styles: tell whose style a work is in, where its composer grants that.
        on_refusal: `stop`, or `record`: go on with what was admitted.
        again: of a run that is replayed: its works are taken, in the order in which it had them,
            and no others, whatever became of those.
        chosen: which of the admitted works are learned from.
        for_new_model: as in `gen.provenance.admission.gate.admit`.
        base: says what the model that is begun with has learned of them.

    Raises:
        HouseError: a file was refused (all are in_lines), nothing is left to train on, or a work of
            the run is not admitted any more as it was.
    """
    cache = EventCache.of_user()
    store = EventStore(cache.folder, len(tokenizer.fields))
    place_of = _places(chosen, again)
    with store, Tokenising[tuple[int, str]](store, Tools(tokenizer, cache)) as tokenising:

        def receive(work: Work, piece: Callable[[], Piece]) -> None:
            if (place := place_of(work)) is not None:
                _tokenise(tokenising, (place, work.work_id), work, piece)

        corpus = admit(house, purpose, pin=pin, receive=receive, for_new_model=for_new_model)
    names = tokenising.names
    corpus = _only(corpus, again) if again is not None else _chosen(corpus, chosen, on_refusal)
    order = sorted(range(len(names)), key=names.__getitem__)  # of the register
    works = [names[index][1] for index in order]
    melodies = [shingles(events) for events in store.chosen(order).all_events()]
    begun = base(_in_order(corpus, works), melodies) if base else None
    sides = split(works, melodies, shares, begun.sides if begun else None)
    if not sides["train"]:
        raise HouseError(
            f"no work in {house} may be trained on for {purpose!r}{said_of_used_up(corpus)}",
            mend="contribute works, or ask the composers for consent to this purpose",
        )
    known, of_work = granted_styles(corpus) if styles else ({}, {})
    ordered = store.chosen(order, [of_work.get(name) for name in works])
    return Admitted(corpus, ordered, tuple(works), sides, known, tokenizer.fingerprint, begun)


def _in_order(corpus: Corpus, works: Sequence[str]) -> list[ManifestWork]:
    """The works of these ids."""
    admitted = {work.work_id: work for work in corpus.admitted}
    return [ManifestWork.of(admitted[name]) for name in works]


def _places(chosen: CorpusConfig, again: Manifest | None) -> Callable[[Work], int | None]:
    """What gives a work's place in the order of the register; None for one not learned from."""
    if again is None:
        return lambda work: work.register_index if chosen.takes(work) else None
    places = {work.work: work.register_index for work in again.works}
    return lambda work: places.get(work.work_id)


def _tokenise(
    tokenising: Tokenising[tuple[int, str]],
    name: tuple[int, str],
    work: Work,
    piece: Callable[[], Piece],
) -> None:
    """Store a work's events: those kept from before, else made of the piece that the gate read."""
    annotations = annotations_of(work)
    if not tokenising.take_kept(name, work.sha256, annotations):
        tokenising.take(name, work.path, Music(work.sha256, score_of(piece()), annotations))


def said_of_used_up(corpus: Corpus) -> str:
    """Which works are left out since a model learned from them and their terms are for one."""
    if not (works := corpus.used_up):
        return ""
    names = f"{', '.join(works[:_MOST_SAID])}{', …' if len(works) > _MOST_SAID else ''}"
    return f"; by their terms one version may learn from them, and one did: {names}"


def _chosen(corpus: Corpus, chosen: CorpusConfig, on_refusal: str) -> Corpus:
    """What a run learns from, of what was admitted.

    Raises:
        HouseError: a file was refused, and the run is to stop at that; or no work is chosen.
    """
    if on_refusal != "record":
        corpus.require_clean()
    found = chosen.of(corpus) if chosen.where else corpus
    chosen.check_enough(found)
    return found


def _only(corpus: Corpus, again: Manifest) -> Corpus:
    """What was admitted, as far as the run learned from it.

    Raises:
        HouseError: not all that it learned from was, with the same music.
    """
    wanted = {work.work: work.sha256 for work in again.works}
    admitted = [work for work in corpus.admitted if wanted.get(work.work_id) == work.sha256]
    absent = sorted(wanted.keys() - {work.work_id for work in admitted})
    if not absent:
        return replace(corpus, admitted=tuple(admitted))
    why = [f"{each.path}: {each.rule}" for each in (*corpus.refused, *corpus.missing)]
    raise HouseError(
        f"the gate does not admit {len(absent)} of the {len(wanted)} works that the run learned "
        f"from as it learned from them, the first: {absent[0]}{in_lines(why[:_MOST_SAID])}",
        where=corpus.house_name,
        mend="house.py audit says why; a work that was withdrawn or changed cannot be learned "
        "from again",
    )


def annotations_of(work: Work) -> Annotations:
    """What the tag says of the music, as the tokenizer takes it.

    Words that this version cannot read are left out: a tag of another one stops no run.
    """
    d = work.description
    return Annotations(
        genre=d.genre, mood=d.mood, key=_readable(d.key, parse_key),
        chords=_readable(d.chords, parse_progression), sections=d.sections,
        roles=tuple(d.roles or ()),
    )  # fmt: skip


def _readable(text: str, read: Callable[[str], object]) -> str:
    """The text, or "" where it cannot be read."""
    try:
        read(text)
    except HouseError:
        return ""
    return text

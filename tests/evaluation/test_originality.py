"""Copies are found out, relatives are no copies, and a memory gives its works back."""

from __future__ import annotations

import pytest
import torch

from corpora import song, work, works
from gen.errors import HouseError
from gen.evaluation import originality
from gen.evaluation.subjects import models, samples
from gen.likeness.originality import (
    LearnedMusic,
    LearnedWork,
    house_lines,
    known_lines,
    lines_of_piece,
    most_shared,
)
from gen.likeness.voices import voices_of
from gen.model import ModelConfig, Transformer
from gen.tokens.columns import CONTEXT_SIZES
from gen.tokens.vocabulary import FIELD_SIZES
from music import Theme

BARS = 8


def tune(seed, **changes):
    """A work whose melody no other seed shares."""
    return work(Theme(seed, bars=12, **changes).piece(), f"tune-{seed}")


def learned(corpus):
    """What `gen.sampling.opening.checkpoints` reads from a house, of works at hand."""
    roles = ("main_melody", "bass", "drums")
    known = known_lines([voices_of(one.piece(), roles) for one in corpus])
    told = [LearnedWork(one.id, one.title, (("ana", "Ana"),)) for one in corpus]
    return LearnedMusic(told, known, house_lines(known, len(told)), len(told))


CORPUS = [tune(seed) for seed in range(24)]
MUSIC = learned(CORPUS)
BORROWED = originality.house(MUSIC, CORPUS, BARS)


def test_the_corpus_is_held_against_itself_without_the_work_itself():
    assert BORROWED["works"] == 24
    assert max(BORROWED["melody"]["bits"]) < 40
    assert BORROWED["above"]["value"] <= 0.1
    own = most_shared(MUSIC.known, lines_of_piece(CORPUS[0].piece(BARS)))
    assert own["melody"].bits > 60  # what a work shares with itself, were it not left out


def test_arrangements_of_one_theme_are_no_borrowing():
    family = [*CORPUS, work(Theme(0, bars=12, shift=3).piece(), "tune-0-arranged")]
    music = learned(family)
    found = originality.house(music, family, BARS)
    assert max(found["melody"]["bits"]) < 40
    arranged = most_shared(music.known, lines_of_piece(family[-1].piece(BARS)), [24])
    assert arranged["melody"].bits > 60


def test_copies_stand_above_the_line_and_new_pieces_do_not():
    copies = [one.piece(BARS) for one in CORPUS[:12]]
    found = originality.outputs(MUSIC, copies, BORROWED)
    assert found["above"]["value"] == 1
    assert found["melody"]["verdict"] == "higher"
    first = found["nearest"][0]
    most = max(first[kind]["bits"] for kind in originality.KINDS if kind in first)
    assert most == max(max(found[kind]["bits"]) for kind in originality.KINDS)
    assert {row["nearest"].split("”")[0] for row in found["nearest"]} == {
        f"“{one.title}" for one in CORPUS[:12]
    }
    new = [tune(seed).piece(BARS) for seed in range(100, 124)]
    found = originality.outputs(MUSIC, new, BORROWED)
    assert found["above"]["value"] < 0.3
    assert found["melody"]["verdict"] == "none"


def test_few_works_draw_no_line():
    found = originality.house(MUSIC, CORPUS[:5], BARS)
    assert found["melody"]["line"] is None
    assert found["above"]["value"] is None
    assert originality.outputs(MUSIC, [CORPUS[0].piece(4)], found)["above"]["value"] is None


def test_a_work_of_another_house_is_refused():
    with pytest.raises(HouseError, match="no work behind"):
        originality.house(MUSIC, [tune(500)], BARS)


class Parrot(Transformer):
    """Knows what followed each event in the works that it has seen, and nothing else."""

    def __init__(self, corpus) -> None:
        super().__init__(ModelConfig(1, 2, 1, 1, 0.0, 2048, FIELD_SIZES, CONTEXT_SIZES))
        self.memory = {}
        for one in corpus:
            draft = samples.after(one, len(one.tokenised.bar_rows), 1)
            rows = list(draft.forced)
            while draft.forced:
                draft.take(draft.forced.popleft())
            following = [*rows[1:], rows[-1]]
            self.memory |= {tuple(c): f for c, f in zip(draft.context, following, strict=True)}

    def states(self, columns, cache=None):
        if cache is not None:
            cache.length += columns.shape[1]
        unknown = [-1] * self.fields
        found = [[self.memory.get(tuple(r), unknown) for r in row] for row in columns.tolist()]
        return torch.tensor(found, dtype=torch.float32)

    def head(self, field, state):
        wanted = state[..., field].long()
        scores = torch.zeros(*wanted.shape, FIELD_SIZES[field])
        return scores.scatter_(-1, wanted.clamp(min=0)[..., None], 20.0 * (wanted >= 0)[..., None])

    def field_embedding(self, field, ids):
        return torch.zeros(*ids.shape, self.fields)


def extract(model, train, held_out):
    return originality.extraction(model, train, held_out, 4, 4, [1])


def test_a_model_with_a_memory_gives_its_works_back_and_only_those():
    found = extract(Parrot(CORPUS[:5]), CORPUS[:5], CORPUS[5:10])
    # Not all: where a bar begins, the parrot sees no difference between its works.
    assert found["train"]["back"]["value"] > 0.8
    assert found["held_out"]["back"]["value"] < 0.5
    assert found["verdict"] == "higher"
    (alone,) = extract(Parrot(CORPUS[:1]), CORPUS[:1], [])["train"]["works"]
    assert alone["back"] == 1


def test_a_model_without_a_memory_gives_no_more_of_what_it_learned():
    model = models.bigram([one.tokenised.bare().events for one in CORPUS])
    found = extract(model, CORPUS[:8], CORPUS[8:16])
    assert found["verdict"] == "none"
    assert found["train"]["back"]["value"] < 0.5


def test_what_repeats_comes_back_without_a_memory():
    loop = work(song(1, 12), "loop")  # its phrase of four bars returns
    assert originality.share_back(loop, originality.repeated(loop, 4, 3), 4, 3) == 1
    assert originality.share_back(loop, loop.piece(), 4, 8) == 1
    assert originality.share_back(loop, loop.piece(4), 4, 8) == 0


def test_works_too_short_to_go_on_are_left_out():
    found = extract(models.untrained(), works(2, bars=4), works(2, first=9, bars=8))
    assert found["train"]["back"]["n"] == 0
    assert found["held_out"]["back"]["n"] == 2

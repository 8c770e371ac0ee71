"""What a house of few works is told before its run begins: what so few can teach, and show."""

from __future__ import annotations

from gen.data.module import HouseData
from gen.data.splits import Split, shingles
from gen.errors import counted
from gen.likeness.relatives import related_groups
from gen.tokens.vocabulary import Kind
from gen.training.settings import TrainingSettings

FEWEST_FOR_INTERVAL = 5
"""Groups of related works; evaluation gives fewer no interval either."""


def words_for_few(data: HouseData, chosen: TrainingSettings) -> str:
    """How much there is to learn from, how often the run comes to it, and what its figures say."""
    works, held = data.side("train"), data.side("validation")
    events, notes = sum(works.lengths), _notes(data, "train")
    shown = chosen.trainer.max_steps * chosen.data.batch_size * chosen.data.training_window
    times = f"some {shown / max(events, 1):.0f} times" if shown > 0 else "as often as time lets it"
    groups = len(related_groups([shingles(each) for each in held.all_events()]))
    interval = "no interval" if groups < FEWEST_FOR_INTERVAL else "an interval"
    begin = "" if chosen.run.init else (
        ". It begins from nothing: what is the same in most music has to be learned from these, "
        "too; init=CHECKPOINT brings that along"
    )  # fmt: skip
    return (
        f"{len(works)} works with {notes:,} notes to learn from, to which this run comes {times}. "
        "What they share can be learned: instruments, ranges, meters, tempi, common chords and "
        "figures. What only one of them has is learned by heart, if at all; sample.py holds each "
        f"piece against them and withholds copies. Held out: {counted(len(held), 'work')} in "
        f"{counted(groups, 'group')}, whose figure has {interval} and speaks for music like "
        f"theirs alone{begin}"
    )


def _notes(data: HouseData, side: Split) -> int:
    return int(sum(events.is_a(Kind.NOTE).sum() for events in data.side(side).all_events()))

"""A blind listening test that a house runs with its own people: made, handed out, counted."""

from gen.evaluation.listening.counting import pigeonhole, results
from gen.evaluation.listening.making import build

__all__ = ["build", "pigeonhole", "results"]

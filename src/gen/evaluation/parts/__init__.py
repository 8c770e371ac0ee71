"""What can be measured, in the order of the page: a module a part, each of which ends in `PART`."""

from gen.evaluation.parts import (
    accompaniment,
    control,
    diversity,
    frechet,
    infilling,
    likelihood,
    nearest_neighbour,
    originality,
    statistics,
    structure,
)

ALL = (
    likelihood.PART, statistics.PART, nearest_neighbour.PART, structure.PART, diversity.PART,
    frechet.PART, control.PART, infilling.PART, accompaniment.PART,
    originality.PART,
)  # fmt: skip

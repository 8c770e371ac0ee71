"""Sets of pieces compared: statistics, two-sample test, structure, diversity.

Each metric module has pure functions of one piece and `compare(generated, reference, train, rng)`,
which returns plain values for JSON: `reference` are works that the model never saw, `train` those
it learned from. Whatever is said of generated against held-out works is said of training against
held-out works too (`real`): so far are two sets of real works apart.

A piece without notes is left out and counted; a set without any piece that has notes is refused.
"""

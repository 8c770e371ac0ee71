"""Training in Lightning: loss, optimiser, schedule, validation numbers."""

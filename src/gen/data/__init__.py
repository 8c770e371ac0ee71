"""Admitted works to batches: tokenise, split by work, cut windows, augment."""

"""A house on disk: where things lie, its lock, how it begins, what is kept of it."""

"""A second look at what was written: which cells are worst, and those once more."""

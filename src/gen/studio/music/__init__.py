"""Scores and sound as the studio speaks them, and the process that writes."""

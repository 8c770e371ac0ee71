"""A house that is served: who is signed in, who may what, and how much."""

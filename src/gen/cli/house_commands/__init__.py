"""The commands of `house.py`, one module a subject; each is loaded when it is called."""

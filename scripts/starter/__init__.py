"""The starter house: lead sheets written by hand, and the craft that arranges them.

``scripts/starter_house.py`` is the command; this package is what it realises:
lead sheet (`abc`) -> `form` -> arrangement (`styles`) -> `gen.piece.Piece` (`realise`).
"""

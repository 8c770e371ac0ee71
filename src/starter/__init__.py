"""The starter house: lead sheets, and the program that arranges them into works.

`scripts/starter_house.py` is the command. The path: lead sheet (`abc`) -> sections (`form`) ->
part writers (`arrangement`, `styles`) -> `gen.piece.Piece` (`realise`) -> house (`publish`).
`habits` counts what works have in common that no genre asks for.
Nothing at run time needs this package, and the installed `gen` does not hold it.
"""

"""Marks of origin on what models of the house write, and eyes for them and for others' marks.

`release` is the one place through which pieces leave. C2PA content credentials are what they say
of themselves: `claims` writes them, `manifest` reads them, by `jumbf` and `signing`, in the files
of `containers`. `watermark` is a key's trace in the notes, `evidence` how strongly notes speak for
it, `detect` the reading of it all.
"""

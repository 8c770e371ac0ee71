"""Marks of origin on what models of the house write, and eyes for them and for others' marks.

`release` is the one place through which pieces leave, `credentials` what they say of themselves
(C2PA content credentials: `jumbf`, `manifest`, `signing`, in the files of `containers`),
`watermark` a key's trace in the notes, `detect` the reading of it all.
"""

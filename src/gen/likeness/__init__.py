"""Whether music is like other music: lines, shared passages, screening, originality, relatives.

Below provenance: it knows pieces and their notes, no keys and no register. What composers and
curators run uses it, so it needs neither torch nor MidiTok.
"""

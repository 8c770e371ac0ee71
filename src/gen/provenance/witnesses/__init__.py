"""Witnesses outside the house: who has seen its log, when, and that it shows one history to all.

`notes` spells what is signed, `files` keeps it, `policy` says whose signatures count, `standing`
what they prove, `asking` gets them, `fraud` shows two histories to anybody, `proof` writes what
other tools check, `stamps` adds the time of an authority (RFC 3161).
"""

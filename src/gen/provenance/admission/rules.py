"""Every rule a file can break, with its stable code and what a person can do about it."""

from __future__ import annotations

_CONTRIBUTE = "python scripts/contribute.py FILE --composer ID"
_RESTORE = "put back the house's own copy from a backup or version control"
_TAKE_OUT = "take the file out of the house folder"
_COMPARE = (
    "compare them; if it may stand, name it: python scripts/house.py accept WORK --although-similar"
)
_RENEW = "have it signed again by valid keys: python scripts/house.py renew WORK"

MENDS: dict[str, str] = {
    "untagged": f"if a house composer wrote it: {_CONTRIBUTE}; if not, {_TAKE_OUT}",
    "two-tags": f"{_RESTORE}: a work carries one tag",
    "trailing-bytes": f"{_RESTORE}: nothing may follow the tag",
    "foreign-chunk": f"{_RESTORE}, or contribute the sequencer's own export: {_CONTRIBUTE}",
    "generated": f"{_TAKE_OUT}: the house never trains on what a model wrote",
    "machine-written": f"{_TAKE_OUT}: this house's roster does not take what a machine wrote",
    "malformed-midi": f"contribute it again, which mends what is safe to mend: {_CONTRIBUTE}",
    "bad-envelope": f"{_RESTORE}: the tag itself was changed",
    "wrong-payload-type": f"{_RESTORE}: this signature was made for another kind of record",
    "digest-mismatch": f"{_RESTORE}; an edited work is a new one: {_CONTRIBUTE}",
    "musical-hash-mismatch": f"contribute it again: {_CONTRIBUTE}",
    "signature-count": "a curator accepts it: python scripts/house.py accept",
    "bad-signature": f"{_RESTORE}: the signature was not made by the key it names",
    "unknown-key": "the signer is not enrolled here: python scripts/house.py enroll",
    "wrong-role": "one of its composers signs first, then a curator: contribute, then accept",
    "wrong-house": f"its composer contributes it for this house: {_CONTRIBUTE}",
    "same-person": "another curator accepts it: nobody accepts what they composed",
    "key-not-yet-valid": _RENEW,
    "expired-key": _RENEW,
    "revoked-key": _RENEW,
    "too-similar": _COMPARE,
    "wants-review": _COMPARE,
    "reserved": "reject it, or ask who reserves the music: house.py complain --list",
    "unregistered": "a curator enters it: contribute.py, then house.py accept",
    "register-mismatch": f"{_RESTORE}: this is not the file that was entered",
    "wrong-place": "move it back to the place the register names, or take the copy out",
    "withdrawn": f"{_TAKE_OUT}: its composer or the house withdrew it",
    "missing-file": f"{_RESTORE}, or withdraw it: python scripts/house.py withdraw WORK",
    "symlink": "put the file itself there, not a link to it",
    "hard-link": "copy the file, so that it has one name only",
    "not-a-file": _TAKE_OUT,
    "bad-name": "works lie in <composer>/<work>.mid, lower-case a-z, 0-9 and hyphens only",
    "stray-file": f"{_TAKE_OUT}: only works lie there",
    "too-large": "split the piece: one file holds at most 4 MiB",
    "no-notes": "reject it; its composer exports the tracks that hold the notes",
    "unreadable": "give yourself the right to read it",
    "swapped": "somebody changes the folder while it is read: stop that, and look why",
}
"""Code → mend. The gate's refusals, the curator's commands and the tests share these words."""

"""Lists of fingerprints that rights-holders supply."""

from __future__ import annotations

from pathlib import Path

from gen.disk.reading import FINGERPRINTS, read_json
from gen.errors import HouseError
from gen.likeness.fingerprint import Fingerprint
from gen.likeness.report import FINGERPRINT, Known


def read_fingerprints(path: Path) -> list[tuple[Known, Fingerprint]]:
    """A rights-holder's list: `{"holder": "…", "works": [{"name": "…", "voices": […]}]}`.

    A voice is a list of intervals in semitones, or what `voices.pack_voices` writes; in the place
    of the list of voices what `Fingerprint.pack` writes may stand.

    Raises:
        HouseError: not such a list; names the file.
    """
    try:
        content = read_json(path, FINGERPRINTS)
        return [
            (
                Known(FINGERPRINT, f"{content['holder']}: {work['name']}"),
                Fingerprint.unpack(work["voices"]),
            )
            for work in content["works"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, HouseError) as error:
        what = error.what if isinstance(error, HouseError) else f"{type(error).__name__}: {error}"
        mend = 'write {"holder": "…", "works": [{"name": "…", "voices": [[2, 2, -4, …]]}]}'
        raise HouseError(f"no list of fingerprints ({what})", where=str(path), mend=mend) from error

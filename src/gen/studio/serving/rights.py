"""Who may ask for what in a house that is served: everything else is refused."""

from __future__ import annotations

from gen.provenance.records.roster import COMPOSER, CURATOR, HOUSE_ROLES, PRODUCER, Person
from gen.studio.serving.people import NotAllowedError

ANYBODY = frozenset(HOUSE_ROLES)
_COMPOSERS, _CURATORS = frozenset({COMPOSER}), frozenset({CURATOR})
_PRODUCERS = frozenset({PRODUCER})

MAY: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        (
            "GET /words", "GET /house", "GET /log", "GET /chords", "POST /check",
            "POST /check/many",
            "GET /works", "GET /works/{work}", "GET /works/{work}/score", "GET /works/{work}/midi",
            "GET /works/{work}/acts", "GET /proofs/{act}", "GET /witnesses",
            "GET /composers/{person}/works", "GET /composers/{person}/account",
            "GET /composers/{person}/nearest", "GET /models", "GET /complaints",
            "GET /sales", "GET /outputs/{sha256}", "GET /papers", "GET /audit",
            "POST /score", "POST /audio",
            "POST /generate", "POST /continue", "POST /infill", "POST /accompany",
            "POST /harmonise", "POST /vary",
            "GET /readiness", "POST /readiness",
            "GET /jobs", "GET /jobs/{job_id}", "DELETE /jobs/{job_id}",
            "GET /jobs/{job_id}/events",
            "GET /pieces", "GET /pieces/{name}", "GET /pieces/{name}/midi",
            "GET /pieces/{name}/pages", "GET /pieces/{name}/pages/{page}",
            "GET /pieces/{name}/stems", "GET /pieces/{name}/credentials",
            "GET /pieces/{name}/receipt", "GET /pieces/{name}/musicxml", "GET /pieces/{name}/wav",
            "GET /runs", "GET /runs/{name}/{when}", "GET /experiments",
            "GET /runs/{name}/{when}/pieces/{number}/{step}/roll",
            "GET /runs/{name}/{when}/pieces/{number}/{step}/sound",
        ),
        ANYBODY,
    ),
    "POST /contribute/draft": _COMPOSERS,
    "POST /contribute/sign": _COMPOSERS,
    "POST /works/{work}/consent": _COMPOSERS,
    "POST /works/{work}/terms": _COMPOSERS,
    "POST /approvals": _COMPOSERS,
    "POST /sales": _PRODUCERS | _CURATORS,
    "POST /models/{run}/paper": _PRODUCERS | _CURATORS,
    "GET /papers/{sha256}": _PRODUCERS | _CURATORS,
    "POST /papers": _CURATORS,
    "POST /complaints": _COMPOSERS | _CURATORS,
    "POST /complaints/{act}/answer": _CURATORS,
    "POST /models/{run}/retire": _CURATORS,
    "POST /works/{work}/withdraw": _COMPOSERS | _CURATORS,
    "GET /inbox": _CURATORS,
    "GET /inbox/compared": _CURATORS,
    "GET /inbox/{work}/score": _CURATORS,
    "GET /inbox/{work}/file": _CURATORS,
    "POST /inbox/{work}/accept": _CURATORS,
    "POST /inbox/{work}/reject": _CURATORS,
    "POST /audit": _CURATORS,
    "GET /enrolments": _CURATORS,
    "DELETE /enrolments/{keyid}": _CURATORS,
}  # fmt: skip
"""Request → the roles of which one is enough."""

HEAVY = frozenset(
    {"POST /check", "POST /check/many", "POST /contribute/draft", "POST /contribute/sign",
     "GET /inbox", "GET /inbox/compared", "POST /inbox/{work}/accept", "POST /audit", "POST /score",
     "GET /pieces/{name}/wav", "GET /pieces/{name}/musicxml", "GET /pieces/{name}/pages",
     "GET /pieces/{name}/pages/{page}", "GET /pieces/{name}/stems", "GET /proofs/{act}",
     "POST /models/{run}/paper", "GET /composers/{person}/nearest"}
)  # fmt: skip
"""What takes a processor for longer than a page may take: a few at a time."""


def check_may(person: Person, asked: str, whose: str = "") -> None:
    """Whether a person's roles allow a request.

    Args:
        person: who is signed in.
        asked: method and path, as in `MAY`.
        whose: the person that the path names; another's things are for curators.

    Raises:
        NotAllowedError: they do not.
    """
    needed = MAY.get(asked)
    if needed is None:
        raise NotAllowedError(
            "this is done at the computer that the studio runs on, not over the network"
        )
    if not needed & set(person.roles):
        names = " or ".join(sorted(needed))
        raise NotAllowedError(f"{person.id} is no {names} of this house")
    if whose not in ("", person.id) and CURATOR not in person.roles:
        raise NotAllowedError(f"these are {whose[:40]}'s; {person.id} is no curator")

"""Music is written in turn: nobody waits behind all that one person asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen.studio.music.jobs import MOST_OF_ONE, Jobs, JobsOfOne, QueueFullError, WritingJob
from gen.studio.serving.limits import RateLimits, TooManyError


def asked(jobs: Jobs, owner: str, name: str) -> WritingJob:
    return JobsOfOne(jobs, owner, Path("out")).ask(WritingJob(name, "generate", {}))


def test_each_persons_first_job_comes_before_anybodys_second() -> None:
    jobs = Jobs({})  # whose process is not started: all of them wait
    order = [("ana", "a1"), ("ana", "a2"), ("ana", "a3"), ("ben", "b1"), ("cleo", "c1"),
             ("ben", "b2")]  # fmt: skip
    found = {name: asked(jobs, owner, name) for owner, name in order}
    places = {name: jobs.place(job) for name, job in found.items()}
    assert sorted(places, key=places.__getitem__) == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert sorted(places.values()) == list(range(6))


def test_alone_jobs_are_written_in_the_order_they_came() -> None:
    jobs = Jobs({})
    found = [asked(jobs, "", str(number)) for number in range(5)]
    assert [jobs.place(job) for job in found] == [0, 1, 2, 3, 4]


def test_a_person_waits_for_so_many_and_others_may_still_ask() -> None:
    jobs = Jobs({})
    for number in range(MOST_OF_ONE):
        asked(jobs, "ana", f"a{number}")
    with pytest.raises(QueueFullError, match=f"{MOST_OF_ONE} requests of yours"):
        asked(jobs, "ana", "one more")
    assert asked(jobs, "ben", "b").state == "waiting"


def test_a_bucket_fills_again_and_is_each_ones_own() -> None:
    now = [0.0]
    limits = RateLimits(burst=2, a_second=0.5, clock=lambda: now[0])
    limits.take("ana")
    limits.take("ana")
    with pytest.raises(TooManyError) as refused:
        limits.take("ana")
    assert refused.value.seconds >= 2
    limits.take("ben")
    now[0] += 2
    limits.take("ana")
    with pytest.raises(TooManyError):
        limits.take("ana")

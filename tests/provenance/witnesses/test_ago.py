"""How long ago a head was seen is said in the largest unit of which there are two."""

from __future__ import annotations

import pytest

from gen.provenance.records.witness_policy import ago


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (120, "2 minutes ago"),
        (2 * 3600, "2 hours ago"),
        (3 * 86_400, "3 days ago"),
        (-3 * 3600, "3 hours in the future, by this computer's clock"),
    ],
)
def test_a_time_is_said_as_people_say_it_and_the_future_is_told(seconds, said):
    assert ago(seconds) == said

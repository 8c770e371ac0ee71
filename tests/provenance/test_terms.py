"""What a composer may ask for a run, and keep of it."""

from __future__ import annotations

import pytest

from gen.provenance.records.terms import Terms
from gen.provenance.signing.canonical import StrictJsonError

MOST = 1_000_000_000_000
"""Hundredths of a house's currency."""


@pytest.mark.parametrize(("fee", "share"), [(MOST, 100), (0, 0)])
def test_the_highest_and_the_lowest_may_be_asked(fee, share):
    terms = Terms("small-rain-00000000", (), (), False, share, fee)
    assert (terms.fee, terms.share) == (fee, share)


@pytest.mark.parametrize(("fee", "share"), [(MOST + 1, 100), (-1, 100), (0, 101), (0, -1)])
def test_what_lies_beyond_is_refused(fee, share):
    with pytest.raises(StrictJsonError, match="share is 0 to 100"):
        Terms("small-rain-00000000", (), (), False, share, fee)

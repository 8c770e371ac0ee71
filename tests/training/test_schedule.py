from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.errors import SettingError
from gen.training.settings.learning_rate import ScheduleConfig, rate

CONFIG = ScheduleConfig(warmup=0.1, decay=0.4, floor=0.05)


@pytest.mark.parametrize(
    ("progress", "expected"),
    [(0.05, 0.5), (0.1, 1.0), (0.3, 1.0), (0.6, 1.0), (0.8, 0.525), (1.0, 0.05), (1.5, 0.05)],
)
def test_the_rate_rises_stays_and_falls(progress, expected):
    assert rate(progress, CONFIG) == pytest.approx(expected)


def test_the_first_step_moves_already():
    assert rate(0.0, CONFIG) == 0.02


@given(
    st.floats(0, 0.5),
    st.just(0.0) | st.floats(0.01, 0.5),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_the_rate_is_a_share_and_changes_direction_once(warmup, decay, floor, a, b):
    config = ScheduleConfig(warmup, decay, floor)
    early, late = sorted((a, b))
    assert min(floor, 0.02) <= rate(early, config) <= 1
    if late <= 1 - decay and warmup <= 1 - decay:
        assert rate(early, config) <= rate(late, config)
    if early >= max(warmup, 1 - decay):
        assert rate(early, config) >= rate(late, config) - 1e-12


def test_without_warmup_and_decay_the_rate_is_whole():
    config = ScheduleConfig(0, 0, 0)
    assert [rate(p, config) for p in (0, 0.5, 1)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((-0.1, 0.5, 0), "warmup -0.1 and decay 0.5 are no shares"),
        ((0.1, -0.5, 0), "warmup 0.1 and decay -0.5 are no shares"),
        ((0.6, 0.5, 0), "warmup 0.6 and decay 0.5 are no shares"),
        ((0.1, 0.5, 1.5), "schedule.floor: 1.5 is outside"),
        ((0.1, 0.5, -1), "schedule.floor: -1 is outside"),
    ],
)
def test_what_is_no_share_of_a_run_is_refused_with_its_value(values, message):
    with pytest.raises(SettingError, match=message):
        ScheduleConfig(*values)

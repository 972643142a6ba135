"""Time spans are written for people."""

from datetime import timedelta

import pytest

from redeliver.reporting.format import age


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(minutes=12, seconds=3), "12 min"),
        (timedelta(hours=5, minutes=3), "5 h 3 min"),
        (timedelta(days=2, hours=4), "2 d 4 h"),
    ],
)
def test_an_age_is_written_in_its_largest_units(span: timedelta, expected: str) -> None:
    assert age(span) == expected

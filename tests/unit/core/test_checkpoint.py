"""The checkpoint's text, which is that of the script in GitHub's documentation."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeliver.core.checkpoint import EPOCH, format_checkpoint, parse_checkpoint
from tests.support.builders import NOW, ago


def test_it_is_the_value_that_githubs_script_keeps() -> None:
    assert format_checkpoint(NOW) == "1795521600000"
    assert parse_checkpoint("1795521600000", now=NOW) == NOW


def test_it_is_rounded_down_so_that_nothing_falls_between() -> None:
    assert format_checkpoint(NOW + timedelta(microseconds=1999)) == "1795521600001"


@given(st.integers(10**12, 10**12 + 7 * 10**11))
def test_it_is_read_as_it_was_written(milliseconds: int) -> None:
    instant = EPOCH + timedelta(milliseconds=milliseconds)

    assert parse_checkpoint(format_checkpoint(instant), now=NOW) == instant


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("{}", id="an empty object"),
        pytest.param("postgres://user:pass@db/prod", id="a database URL"),
        pytest.param("5432", id="a port"),
        pytest.param("1795521600", id="seconds"),
        pytest.param("1795521600000000", id="microseconds"),
        pytest.param("1795521600000.0", id="a fraction"),
        pytest.param("-795521600000", id="a negative number"),
        pytest.param("2026-11-24T12:00:00Z", id="a date"),
        pytest.param("١٧٩٥٥٢١٦٠٠٠٠٠", id="other digits"),
        pytest.param("null", id="null"),
    ],
)
def test_anything_else_is_no_checkpoint(text: str) -> None:
    assert parse_checkpoint(text, now=NOW) is None


@pytest.mark.parametrize(
    ("instant", "taken"),
    [
        pytest.param(ago(minutes=-5), True, id="another runner's clock is ahead"),
        pytest.param(ago(minutes=-5, seconds=-1), False, id="in the future"),
    ],
)
def test_a_little_clock_skew_is_no_future(instant: datetime, *, taken: bool) -> None:
    assert (parse_checkpoint(format_checkpoint(instant), now=NOW) is not None) is taken


def test_white_space_around_it_does_not_matter() -> None:
    assert parse_checkpoint(" 1795521600000\n", now=NOW) == NOW

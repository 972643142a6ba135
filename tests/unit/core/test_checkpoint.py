"""A checkpoint is text in the format of the script in GitHub's documentation."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeliver.core.checkpoint import (
    EPOCH,
    MAX_SILENCE,
    OVERLAP,
    format_checkpoint,
    parse_checkpoint,
)
from redeliver.engine.checkpointing import SAVE_INTERVAL
from redeliver.github_api.throttle import MAX_WAIT_SECONDS
from redeliver.github_api.transport import DEADLINE_SECONDS
from tests.support.builders import NOW, a_window, ago


def test_a_checkpoint_is_the_value_that_githubs_script_keeps() -> None:
    assert format_checkpoint(NOW) == "1795521600000"
    assert parse_checkpoint("1795521600000", now=NOW) == NOW


def test_a_checkpoint_is_rounded_down() -> None:
    assert format_checkpoint(NOW + timedelta(microseconds=1999)) == "1795521600001"


@given(st.integers(10**12, 10**12 + 7 * 10**11))
def test_a_checkpoint_is_read_as_it_was_written(milliseconds: int) -> None:
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
def test_other_text_is_no_checkpoint(text: str) -> None:
    assert parse_checkpoint(text, now=NOW) is None


@pytest.mark.parametrize(
    ("instant", "is_valid"),
    [
        pytest.param(ago(minutes=-5), True, id="another runner's clock is ahead"),
        pytest.param(ago(minutes=-5, seconds=-1), False, id="in the future"),
    ],
)
def test_a_checkpoint_may_be_slightly_in_the_future(instant: datetime, *, is_valid: bool) -> None:
    assert (parse_checkpoint(format_checkpoint(instant), now=NOW) is not None) is is_valid


def test_white_space_around_a_checkpoint_does_not_matter() -> None:
    assert parse_checkpoint(" 1795521600000\n", now=NOW) == NOW


def test_max_silence_is_the_sum_of_all_that_can_delay_a_request() -> None:
    waits = timedelta(seconds=MAX_WAIT_SECONDS + DEADLINE_SECONDS)

    assert waits + SAVE_INTERVAL == MAX_SILENCE


@pytest.mark.parametrize(
    ("checkpoint", "unseen"),
    [
        pytest.param(None, None, id="a first run"),
        pytest.param(ago(hours=72) + OVERLAP, None, id="a window as old as the log"),
        pytest.param(
            ago(hours=73),
            (ago(hours=73) - OVERLAP, ago(hours=72)),
            id="a checkpoint older than the log",
        ),
        pytest.param(
            ago(hours=72), (ago(hours=72) - OVERLAP, ago(hours=72)), id="only late rows are missed"
        ),
    ],
)
def test_deliveries_may_have_left_the_log_unseen(
    checkpoint: datetime | None, unseen: tuple[datetime, datetime] | None
) -> None:
    assert a_window(checkpoint).unseen(timedelta(days=3)) == unseen

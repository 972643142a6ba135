"""A checkpoint is text in the format of the script in GitHub's documentation."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeliver.core.checkpoint import (
    Claim,
    Ended,
    Mark,
    format_checkpoint,
    new_claim,
    parse_checkpoint,
    slot_end,
)
from redeliver.core.window import MAX_SILENCE, Window
from redeliver.engine.checkpointing import SAVE_INTERVAL
from redeliver.github_api.throttle import MAX_WAIT_SECONDS
from redeliver.github_api.transport import DEADLINE_SECONDS
from tests.support.builders import NOW, a_window, ago, saved


def test_a_checkpoint_is_the_value_that_githubs_script_keeps() -> None:
    assert format_checkpoint(NOW) == "1795521600000"
    assert parse_checkpoint("1795521600123", now=NOW) == saved(NOW, mark=Claim(123))


def test_a_checkpoint_is_rounded_down_to_the_second() -> None:
    assert format_checkpoint(NOW + timedelta(milliseconds=999)) == "1795521600000"


@given(
    checkpoint=st.datetimes(datetime(2002, 1, 1), NOW.replace(tzinfo=None)),  # noqa: DTZ001 - below
    signature=st.none() | st.integers(),
    ages=st.sets(st.integers(0, 20 * 60)),
    delay=st.integers(-60, 180),
)
def test_a_checkpoint_is_read_as_it_was_written(
    checkpoint: datetime, signature: int | None, ages: set[int], delay: int
) -> None:
    """Also if the write takes three minutes, or GitHub's servers have other clocks."""
    time = checkpoint.replace(microsecond=0, tzinfo=UTC)
    written = NOW + timedelta(seconds=delay)
    slots = {slot_end(ago(seconds=age)) for age in ages}
    mark = Ended(tuple(sorted(slots))) if signature is None else new_claim(signature, None)

    read = parse_checkpoint(format_checkpoint(time, mark), written=written, now=written)

    assert read == saved(time, written=written, mark=mark)


@pytest.mark.parametrize(
    ("written", "end"),
    [
        pytest.param(ago(minutes=1), ago(minutes=-5), id="a minute before: other clocks"),
        pytest.param(ago(minutes=1, seconds=1), ago(minutes=25), id="earlier: the slot before"),
        pytest.param(ago(minutes=-28, seconds=-59), ago(minutes=-5), id="almost 29 minutes after"),
        pytest.param(ago(minutes=-29), ago(minutes=-35), id="29 minutes: the next one"),
    ],
)
def test_a_slot_is_read_by_the_time_of_writing(written: datetime, end: datetime) -> None:
    """It is the slot from 12:00 to 12:05, or one that is 30 minutes earlier or later."""
    text = format_checkpoint(ago(hours=1), Ended((ago(minutes=-5),)))

    read = parse_checkpoint(text, written=written, now=written)

    assert read == saved(ago(hours=1), written=written, mark=Ended((end,)))


def test_a_slot_ends_after_what_is_in_it() -> None:
    assert slot_end(NOW) == slot_end(ago(minutes=-5, seconds=1)) == NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("number", "standing", "signature"),
    [
        (0, None, 100),
        (899, None, 999),
        (900, None, 100),
        (0, Claim(100), 101),
        (899, Claim(999), 100),
        (0, Ended(), 100),
    ],
)
def test_a_claim_has_a_signature_from_100_to_999(
    number: int, standing: Mark | None, signature: int
) -> None:
    assert new_claim(number, standing) == Claim(signature)


@pytest.mark.parametrize("standing", [None, Claim(100), Claim(999), Ended()])
@given(number=st.integers())
def test_a_claim_is_never_the_value_that_stands_there(number: int, standing: Mark | None) -> None:
    claim = new_claim(number, standing)

    assert claim != standing
    assert format_checkpoint(NOW, claim)[-3] != "0"


@pytest.mark.parametrize(
    ("milliseconds", "is_claimed"),
    [
        pytest.param("000", True, id="written by a person"),
        pytest.param("567", True, id="written by the script, or by a run under way"),
        pytest.param("001", False, id="written at the end of a run"),
        pytest.param("003", False, id="written at the end of a run, with a pending redelivery"),
        pytest.param("064", False, id="the largest mark of a run that has ended"),
        pytest.param("065", True, id="larger than any of these"),
    ],
)
def test_the_milliseconds_say_whether_a_run_has_ended(
    milliseconds: str, *, is_claimed: bool
) -> None:
    read = parse_checkpoint(f"1795521600{milliseconds}", written=NOW, now=NOW)

    assert Window.starting(read, now=NOW, lookback=timedelta(hours=24)).is_claimed is is_claimed


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


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param(ago(minutes=-5), ago(minutes=-5), id="another server's clock is ahead"),
        pytest.param(ago(minutes=-5, seconds=-1), ago(hours=1), id="in the future"),
        pytest.param(None, ago(hours=1), id="unknown"),
    ],
)
def test_a_checkpoint_was_not_written_in_the_future(
    written: datetime | None, expected: datetime
) -> None:
    """Its own time counts instead, or every run would wait until then."""
    read = parse_checkpoint(format_checkpoint(ago(hours=1)), written=written, now=NOW)

    assert read is not None
    assert read.written == expected


def test_white_space_around_a_checkpoint_does_not_matter() -> None:
    assert parse_checkpoint(" 1795521600000\n", now=NOW) == saved(NOW)


def test_max_silence_is_the_sum_of_all_that_can_delay_a_request() -> None:
    waits = timedelta(seconds=MAX_WAIT_SECONDS + DEADLINE_SECONDS)

    assert waits + SAVE_INTERVAL == MAX_SILENCE == timedelta(minutes=6)


@pytest.mark.parametrize(
    ("checkpoint", "unseen"),
    [
        pytest.param(None, None, id="a first run"),
        pytest.param(ago(hours=71, minutes=50), None, id="a window as old as the log"),
        pytest.param(
            ago(hours=73),
            (ago(hours=73, minutes=10), ago(hours=72)),
            id="a checkpoint older than the log",
        ),
        pytest.param(
            ago(hours=72),
            (ago(hours=72, minutes=10), ago(hours=72)),
            id="only late rows are missed",
        ),
    ],
)
def test_deliveries_may_have_left_the_log_unseen(
    checkpoint: datetime | None, unseen: tuple[datetime, datetime] | None
) -> None:
    assert a_window(checkpoint).unseen(timedelta(days=3)) == unseen

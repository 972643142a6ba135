"""What a log shows of redeliveries that were asked for."""

from datetime import timedelta

import pytest

from redeliver.core.delivery import Delivery
from redeliver.core.scan import OLD_ROWS_AT_END
from redeliver.engine.verification import SERVER_CLOCK_SKEW, find_missing, find_redeliveries
from tests.support.builders import NOW, a_delivery, ago, delivered

ASKED = a_delivery("asked", at=ago(hours=2), number=5)
AFTER = NOW + timedelta(seconds=5)
FAILED = a_delivery("asked", at=AFTER, number=9, redelivery=True)
TAKEN = delivered("asked", at=AFTER, number=11, redelivery=True)
OLD = [delivered(f"old-{n}", at=ago(hours=3)) for n in range(OLD_ROWS_AT_END)]


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        pytest.param([], None, id="nothing"),
        pytest.param([ASKED], None, id="what was there before"),
        pytest.param([FAILED, ASKED], FAILED, id="that it failed again"),
        pytest.param([TAKEN, ASKED], TAKEN, id="that it was taken"),
        pytest.param([FAILED, TAKEN, ASKED], TAKEN, id="that it was taken, though not the last"),
        pytest.param([TAKEN, FAILED, ASKED], TAKEN, id="that it was taken after all"),
        pytest.param([delivered("other", at=AFTER)], None, id="another event"),
        pytest.param(
            [a_delivery("asked", at=ago(hours=2, minutes=1), number=4)],
            None,
            id="an older attempt, in the wrong place",
        ),
        pytest.param([*OLD, FAILED], None, id="nothing where it cannot be"),
        pytest.param([*OLD[1:], FAILED], FAILED, id="what is a few rows out of place"),
        pytest.param(
            [a_delivery("asked", at=NOW - SERVER_CLOCK_SKEW, number=9)],
            a_delivery("asked", at=NOW - SERVER_CLOCK_SKEW, number=9),
            id="what another clock dates a little earlier",
        ),
    ],
)
def test_of_what_was_asked_for_the_log_shows(log: list[Delivery], shown: Delivery | None) -> None:
    found = find_redeliveries(log, [ASKED], since=NOW)

    assert found.get(ASKED.guid) == shown


def test_of_two_that_failed_the_newer_counts() -> None:
    newer = a_delivery("asked", at=AFTER + timedelta(seconds=1), number=13, redelivery=True)

    for log in ([newer, FAILED], [FAILED, newer]):
        assert find_redeliveries(log, [ASKED], since=NOW) == {"asked": newer}


@pytest.mark.parametrize(
    ("log", "left"),
    [
        pytest.param([ASKED], set(), id="is there"),
        pytest.param([delivered("other")], {"asked"}, id="is not there"),
        pytest.param([*OLD, ASKED], {"asked"}, id="is behind all that was read"),
        pytest.param([], set(), id="may be there, for nothing is"),
    ],
)
def test_a_delivery_that_was_refused(log: list[Delivery], left: set[str]) -> None:
    assert find_missing(log, [ASKED], since=ASKED.delivered_at) == left

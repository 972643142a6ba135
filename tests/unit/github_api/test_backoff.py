"""A request that failed is tried again, a few times, after longer and longer pauses."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from redeliver.errors import UnavailableError
from redeliver.github_api.backoff import Backoff
from redeliver.github_api.failure import Failure, new_token
from redeliver.github_api.permissions import Permission
from redeliver.github_api.response import Response

ERROR = UnavailableError("GitHub is down")
BROKEN = Failure(error=ERROR, reason="GitHub responded 502", is_transient=True, may_be_done=True)
NO_RESPONSE = replace(BROKEN, is_without_response=True)
NEW_TOKEN = new_token(
    Response(
        purpose=Permission(inputs="'client-id'").to("read the log"), status=401, headers={}, text=""
    ),
    ERROR,
)


def pauses(
    failure: Failure, *, once: bool = False, is_planning: bool = False, took: float = 0
) -> list[float]:
    """Return the pauses before each further try, if all tries fail alike."""
    backoff = Backoff(once=once, is_planning=is_planning)
    return list(iter(lambda: backoff.next_pause(failure, took=took), None))


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [
        pytest.param(BROKEN, (0.5, 1, 2, 4), id="a broken response"),
        pytest.param(NEW_TOKEN, (1, 2, 4, 8), id="a new token"),
    ],
)
def test_a_request_is_tried_five_times(failure: Failure, seconds: Sequence[float]) -> None:
    """Each pause differs by up to a half, so that not all workflows retry in the same second."""
    tries = [pauses(failure) for _ in range(500)]

    for usual, drawn in zip(seconds, zip(*tries, strict=True), strict=True):
        assert 0.5 * usual <= min(drawn) < 0.55 * usual
        assert 1.45 * usual < max(drawn) <= 1.5 * usual


def test_a_request_that_may_be_done_is_not_repeated() -> None:
    assert pauses(BROKEN, once=True) == []
    assert len(pauses(NEW_TOKEN, once=True)) == 4


def test_a_failure_that_stays_is_not_tried_again() -> None:
    assert pauses(replace(BROKEN, is_transient=False)) == []


@pytest.mark.parametrize(
    ("failure", "is_planning", "took", "tries"),
    [
        pytest.param(NO_RESPONSE, True, 5, 1, id="no response in 5 seconds"),
        pytest.param(NO_RESPONSE, True, 4.9, 4, id="no response, but sooner"),
        pytest.param(NO_RESPONSE, False, 5, 4, id="the run redelivers already"),
        pytest.param(BROKEN, True, 5, 4, id="a response"),
    ],
)
def test_a_slow_failure_of_the_plan_is_tried_once_more(
    failure: Failure, *, is_planning: bool, took: float, tries: int
) -> None:
    assert len(pauses(failure, is_planning=is_planning, took=took)) == tries

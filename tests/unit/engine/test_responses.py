"""When the responses to the redeliveries of one webhook say that something is wrong with it."""

import pytest

from redeliver.core.decision import EventKey
from redeliver.core.delivery import Guid
from redeliver.engine.responses import Responses
from redeliver.errors import AccessError, RedeliverError, RefusalError, UnavailableError
from tests.support.builders import WEBHOOK

KEY = EventKey(WEBHOOK, Guid("guid-1"))
LOST = UnavailableError("502")
NOT_FOUND = RefusalError("404, Not Found", if_all=AccessError("lacks a permission"))


def responses_of(*errors: RedeliverError | None) -> Responses:
    responses = Responses()
    for error in errors:
        responses.record(KEY, error)
    return responses


@pytest.mark.parametrize("error", [LOST, NOT_FOUND], ids=["lost", "refused"])
def test_the_fifth_failure_in_a_row_needs_a_trial(error: RedeliverError) -> None:
    assert [responses_of(*[error] * number).needs_trial for number in (4, 5)] == [False, True]


def test_failures_are_counted_anew_after_a_success() -> None:
    after_success = [responses_of(LOST, LOST, None, *[LOST] * number) for number in (4, 5)]

    assert [responses.needs_trial for responses in after_success] == [False, True]


def test_refusals_do_not_count_once_no_permission_is_missing() -> None:
    """Then refusals no longer stop a webhook. Five requests without a response still do."""
    responses = responses_of(*[NOT_FOUND] * 5)

    responses.permit()

    for error, needs_trial in ((NOT_FOUND, False), (LOST, True)):
        for _ in range(5):
            responses.record(KEY, error)
        assert responses.needs_trial is needs_trial

"""GitHub's response decides an event's outcome until the log is read, and can stop requests."""

from collections.abc import Iterator, Mapping

import pytest

from redeliver.core.delivery import Delivery, StatusFilter
from redeliver.core.outcome import Outcome
from redeliver.core.pages import Page
from redeliver.errors import (
    AccessError,
    RateLimitError,
    RefusalError,
    TooLongError,
    UnavailableError,
)
from redeliver.reporting import messages
from redeliver.reporting.report import Report
from tests.support.builders import (
    NINE_FAILURES,
    THREE_FAILURES,
    a_delivery,
    a_policy,
    ago,
    delivered,
)
from tests.support.fakes import (
    FakeHook,
    FakeRuntime,
    FakeStore,
    LossyHook,
    ReceivingHook,
    outcomes,
    run_once,
)


def test_a_refusal_holds_the_checkpoint_and_stops_nothing() -> None:
    refusal = RefusalError("GitHub responded 422")

    hook, store = ReceivingHook(*THREE_FAILURES, errors={"second": refusal}), FakeStore()

    report = run_once(hook, store)

    assert hook.requested == ["first", "second", "third"]
    assert outcomes(report)["second"] is Outcome.REFUSED
    assert store.written[-1] == ago(hours=2)
    assert (messages.problem(report) or "").startswith(
        "GitHub refused to redeliver 1 of 3 failed events. "
    )


def reasons(report: Report) -> dict[str, str]:
    """Return the reason for the outcome of each event, by its GUID."""
    return {result.decision.delivery.guid: result.because for result in report.results}


def test_lost_responses_stop_their_webhook_after_a_trial() -> None:
    log = [a_delivery(f"{n}", at=ago(hours=1, minutes=n), number=n + 2) for n in range(30)]
    hook = LossyHook(*log, loses={row.guid for row in log}, shows=True)

    report = run_once(hook)

    assert hook.requested == ["29", "28", "27", "26", "25", "0", "4", "8", "12", "16"]
    assert outcomes(report)["25"] is Outcome.STILL_FAILING, "as the log shows afterwards"
    assert outcomes(report)["24"] is outcomes(report)["1"] is Outcome.DEFERRED
    assert messages.problem(report) == (
        "GitHub sent no usable response to 10 requests in a row to redeliver to webhook 1 of "
        "organization acme, so this run requested no more of them"
    )
    assert report.status == 1


def test_lost_responses_about_some_events_stop_no_others() -> None:
    log = [a_delivery(f"{n}", at=ago(hours=1, minutes=n), number=n + 2) for n in range(30)]
    lost = {f"{n}" for n in range(17, 30)}
    hook = LossyHook(*log, loses=lost, shows=False)

    report = run_once(hook)

    assert sorted(hook.requested) == sorted(row.guid for row in log), "each once"
    assert report.count(Outcome.UNANSWERED) == 13
    assert report.count(Outcome.PENDING) == 17


def test_an_unanswered_event_gives_up_its_place() -> None:
    hook = LossyHook(*NINE_FAILURES, loses={"event-0", "event-1", "event-2"}, shows=False)

    report = run_once(hook, policy=a_policy(max_redeliveries=3))

    assert hook.requested == [f"event-{n}" for n in range(6)]
    assert (report.count(Outcome.PENDING), report.count(Outcome.DEFERRED)) == (3, 3)


@pytest.mark.parametrize(
    "error", [AccessError("no right"), RateLimitError("used up"), TooLongError("waited enough")]
)
def test_an_error_that_every_request_would_meet_stops_dispatch(error: Exception) -> None:
    hook, store = FakeHook(*THREE_FAILURES, errors={"second": error}), FakeStore()

    report = run_once(hook, store)

    assert hook.requested == ["first", "second"]
    assert outcomes(report) == {
        "first": Outcome.PENDING,
        "second": Outcome.DEFERRED,
        "third": Outcome.DEFERRED,
    }
    assert store.written[-1] == ago(hours=3)
    assert {*report.trouble, report.limit} - {""} == {str(error)}


def test_a_rate_limit_that_is_too_long_is_a_warning() -> None:
    limit = RateLimitError("used up until 12:30:00 UTC")

    report = run_once(FakeHook(*THREE_FAILURES, errors={"second": limit}))

    assert report.status == 0
    assert messages.warnings(report) == [str(limit)]
    assert reasons(report)["second"] == "GitHub is rate limiting requests"


def test_a_webhook_without_responses_does_not_stop_the_others() -> None:
    log = [a_delivery(f"event-{n}", at=ago(hours=5, seconds=n), number=n) for n in range(20)]
    lost = {str(row.guid): UnavailableError("no usable response") for row in log}
    silent, healthy = FakeHook(*log, number=1, errors=lost), FakeHook(*THREE_FAILURES, number=2)

    report = run_once(silent, None, healthy)

    assert (len(silent.requested), healthy.requested) == (10, ["first", "second", "third"])
    assert (report.count(Outcome.UNANSWERED), report.count(Outcome.DEFERRED)) == (10, 10)
    assert report.status == 1


def test_webhooks_without_places_leave_the_rest_of_a_trial() -> None:
    log = [a_delivery(f"event-{n}", at=ago(hours=5, seconds=n), number=n) for n in range(20)]
    lost = {str(row.guid): UnavailableError("no usable response") for row in log}
    silent, healthy = FakeHook(*log, number=1, errors=lost), FakeHook(*NINE_FAILURES, number=2)

    report = run_once(silent, None, healthy, policy=a_policy(max_redeliveries=6))

    assert report.count(Outcome.PENDING) == 6
    assert len(silent.requested) < 10


NOT_FOUND = RefusalError("404, Not Found", if_all=AccessError("lacks a permission"))


def test_refusals_of_all_events_may_be_a_missing_permission() -> None:
    log = [a_delivery(f"{n}", at=ago(hours=1, minutes=n), number=n + 2) for n in range(30)]
    hook = FakeHook(*log, errors={row.guid: NOT_FOUND for row in log})

    report = run_once(hook)

    assert len(hook.requested) == 10
    assert (report.count(Outcome.REFUSED), report.count(Outcome.DEFERRED)) == (10, 20)
    assert messages.problem(report) == "lacks a permission"


@pytest.mark.parametrize(
    ("number", "refused"), [(1, "the only redelivery"), (4, "all 4 redeliveries")]
)
def test_few_refusals_may_be_a_missing_permission(number: int, refused: str) -> None:
    log = NINE_FAILURES[:number]
    hook = FakeHook(*log, errors={row.guid: NOT_FOUND for row in log})

    assert messages.problem(run_once(hook)) == (
        f"GitHub refused {refused} to webhook 1 of organization acme. If it refuses all of them in "
        "later runs, too, this may be the reason: lacks a permission"
    )


@pytest.mark.parametrize("other", [RefusalError("422, Cannot"), UnavailableError("502")])
def test_few_refusals_among_others_say_nothing_of_permissions(other: Exception) -> None:
    errors = {"first": NOT_FOUND, "second": other, "third": NOT_FOUND}

    problem = messages.problem(run_once(FakeHook(*THREE_FAILURES, errors=errors))) or ""

    assert "lacks a permission" not in problem


def test_no_permission_is_missing_if_one_event_is_accepted() -> None:
    refused = {f"event-{n}": NOT_FOUND for n in range(9) if n != 7}
    hook = ReceivingHook(*NINE_FAILURES, errors=refused)

    report = run_once(hook)

    assert len(hook.requested) == 9
    assert (report.count(Outcome.REFUSED), report.count(Outcome.RECOVERED)) == (8, 1)
    assert (messages.problem(report) or "").startswith("GitHub refused to redeliver 8 of 9")


@pytest.mark.parametrize("first", [None, RefusalError("422, Cannot")], ids=["accepted", "refused"])
def test_no_refusal_stops_a_webhook_that_has_responded(first: RefusalError | None) -> None:
    """GitHub accepted the first event, or refused it for a reason of the event's own."""
    log = [a_delivery(f"{n}", at=ago(hours=1, minutes=-n), number=n + 2) for n in range(30)]
    errors: dict[str, Exception] = {row.guid: NOT_FOUND for row in log[1:]}
    hook = FakeHook(*log, errors=errors | ({"0": first} if first else {}))

    run_once(hook)

    assert len(hook.requested) == 30


class Losing(FakeHook):
    """A webhook whose log loses an event as soon as GitHub refuses it with 404."""

    def redeliver(self, delivery: Delivery) -> None:
        if self.errors.get(delivery.guid) is NOT_FOUND:
            self.log = [row for row in self.log if row.guid != delivery.guid]
        super().redeliver(delivery)


def test_no_permission_is_missing_if_refused_events_left_the_log() -> None:
    log = [a_delivery(f"{n}", at=ago(hours=1, minutes=n), number=n + 2) for n in range(30)]
    hook = Losing(*log, delivered("fine"), errors={row.guid: NOT_FOUND for row in log})

    report = run_once(hook)

    assert (len(hook.requested), report.count(Outcome.GIVEN_UP)) == (30, 30)
    assert report.status == 0
    assert hook.scans == 1 + 1 + 1, "for the plan, after ten refusals, and at the end"


def test_a_replacing_event_that_left_the_log_is_given_up() -> None:
    """The run says nothing of a missing permission, as for the one event that was planned."""
    errors = {"first": RefusalError("422, Cannot"), "second": NOT_FOUND}
    hook = Losing(*THREE_FAILURES[:2], delivered("fine"), errors=errors)

    report = run_once(hook, policy=a_policy(max_redeliveries=1))

    assert [result.is_gone for result in report.results] == [False, True]


class Noting(Losing):
    """A webhook that notes whether its log is read for the plan."""

    def __init__(self, *log: Delivery, errors: Mapping[str, BaseException]) -> None:
        super().__init__(*log, errors=errors)
        self.planning: list[bool] = []

    def pages(
        self, listed: StatusFilter = StatusFilter.ALL, *, planning: bool = False
    ) -> Iterator[Page]:
        self.planning.append(planning)
        return super().pages(listed, planning=planning)


def test_looking_for_refused_events_leaves_requests() -> None:
    """It may use the last ones only when there is nothing more to redeliver."""
    log = [a_delivery(f"{n}", at=ago(hours=1, minutes=n), number=n + 2) for n in range(30)]
    hook = Noting(*log, delivered("fine"), errors={row.guid: NOT_FOUND for row in log})

    run_once(hook)

    assert hook.planning == [True, True, False]


def test_a_missing_permission_stops_only_its_webhook() -> None:
    one = FakeHook(*THREE_FAILURES, number=1, errors={"first": AccessError("no right")})
    two = FakeHook(*THREE_FAILURES, number=2)

    report = run_once(one, None, two)

    assert (one.requested, two.requested) == (["first"], ["first", "second", "third"])
    assert messages.problem(report) == "no right"
    denied, *others = [r.because for r in report.results if r.decision.webhook == one.webhook]
    assert denied == "GitHub denied the request; the error at the end says why"
    assert others == ["this run requested no more redeliveries to this webhook"] * 2


def test_progress_counts_the_events_that_replace_refused_ones() -> None:
    runtime = FakeRuntime()
    refusals = {guid: RefusalError("GitHub responded 422") for guid in ("first", "second")}

    run_once(
        FakeHook(*THREE_FAILURES, errors=refusals),
        runtime=runtime,
        policy=a_policy(max_redeliveries=1),
    )

    redelivering = [shown[1:] for shown in runtime.shown if shown[0] == "Redeliveries requested:"]
    assert redelivering == [(1, 1), (2, 2), (3, 3)]

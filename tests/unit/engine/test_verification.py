"""A run finds the outcomes of its redeliveries in the logs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from redeliver.core.checkpoint import Ended, slot_end
from redeliver.core.delivery import Delivery, DeliveryId, StatusFilter
from redeliver.core.outcome import Outcome
from redeliver.engine.verification import find_missing, find_redeliveries
from redeliver.errors import RefusalError, UnavailableError
from redeliver.reporting import messages
from tests.support.builders import (
    NINE_FAILURES,
    NOW,
    THREE_FAILURES,
    a_delivery,
    a_log,
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


class ReadableOnce(FakeHook):
    """A webhook whose log cannot be read again after the scan."""

    def rows(self) -> Iterator[Delivery]:
        if self.scans:
            raise UnavailableError("GitHub is down")
        yield from super().rows()


class LossyReadableOnce(ReadableOnce, LossyHook):
    """A webhook that also loses a response."""


class ReceivingReadableOnce(ReadableOnce, ReceivingHook):
    """A webhook whose log would show redeliveries if it could be read again."""


REQUESTED = a_delivery("requested", at=ago(hours=2), number=5)
AFTER = NOW + timedelta(seconds=5)
FAILED = a_delivery("requested", at=AFTER, number=9, redelivery=True)
SUCCEEDED = delivered("requested", at=AFTER, number=11, redelivery=True)
TOO_OLD = a_delivery("too old", at=ago(days=3, seconds=1), number=6)
OLD = [delivered(f"old-{n}", at=ago(hours=3)) for n in range(100)]


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        pytest.param([], None, id="an empty log"),
        pytest.param([REQUESTED], None, id="the old attempt"),
        pytest.param([FAILED, REQUESTED], FAILED, id="a failure"),
        pytest.param([SUCCEEDED, REQUESTED], SUCCEEDED, id="a success"),
        pytest.param([FAILED, SUCCEEDED, REQUESTED], SUCCEEDED, id="a success before a failure"),
        pytest.param([SUCCEEDED, FAILED, REQUESTED], SUCCEEDED, id="a success after a failure"),
        pytest.param([delivered("other", at=AFTER)], None, id="another event"),
        pytest.param(
            [a_delivery("requested", at=ago(hours=2, minutes=1), number=4)],
            None,
            id="an older attempt, in the wrong place",
        ),
        pytest.param([*OLD, FAILED], None, id="a failure too far down to be read"),
        pytest.param([*OLD[1:], FAILED], FAILED, id="a failure a few rows too far down"),
        pytest.param(
            [a_delivery("requested", at=ago(hours=1), number=9, redelivery=True)],
            None,
            id="a failure from before the request, which appears late",
        ),
        pytest.param(
            [delivered("requested", at=ago(hours=1), number=9, redelivery=True)],
            delivered("requested", at=ago(hours=1), number=9, redelivery=True),
            id="a success from before the request, which appears late",
        ),
        pytest.param(
            [a_delivery("requested", at=ago(minutes=1), number=9)],
            a_delivery("requested", at=ago(minutes=1), number=9),
            id="a failure that another server's clock dates a minute earlier",
        ),
        pytest.param(
            [a_delivery("requested", at=ago(minutes=1, seconds=1), number=9)],
            None,
            id="a failure from more than a minute before the request",
        ),
    ],
)
def test_which_attempt_counts(log: list[Delivery], shown: Delivery | None) -> None:
    found = find_redeliveries(a_log(log)(StatusFilter.ALL), [REQUESTED], since=NOW)

    assert found.get(REQUESTED.guid) == shown


def test_a_failure_of_a_moment_ago_is_not_its_own_outcome() -> None:
    """It is from the last minute before the request, but it is the attempt that was redelivered."""
    moment_ago = a_delivery("requested", at=ago(seconds=30), number=5)

    found = find_redeliveries(a_log([moment_ago])(StatusFilter.ALL), [moment_ago], since=NOW)

    assert found == {}


def test_the_newer_of_two_failures_counts() -> None:
    newer = a_delivery("requested", at=AFTER + timedelta(seconds=1), number=13, redelivery=True)

    for log in ([newer, FAILED], [FAILED, newer]):
        assert find_redeliveries(a_log(log)(StatusFilter.ALL), [REQUESTED], since=NOW) == {
            "requested": newer
        }


def test_the_first_of_two_failures_in_a_second_counts() -> None:
    """GitHub's log has the newest attempt first."""
    newer = replace(FAILED, id=DeliveryId(13), status_code=502)

    found = find_redeliveries(a_log([newer, FAILED])(StatusFilter.ALL), [REQUESTED], since=NOW)

    assert found == {"requested": newer}


@pytest.mark.parametrize(
    ("log", "missing"),
    [
        pytest.param([REQUESTED], set(), id="a log that has it"),
        pytest.param([delivered("other")], {"requested"}, id="a log that lacks it"),
        pytest.param(
            [*OLD, REQUESTED], {"requested"}, id="a log that has it too far down to be read"
        ),
        pytest.param([], set(), id="an empty log, which proves nothing"),
    ],
)
def test_a_delivery_that_the_log_lacks_is_missing(log: list[Delivery], missing: set[str]) -> None:
    assert (
        find_missing(
            a_log(log)(StatusFilter.ALL),
            [REQUESTED, TOO_OLD],
            since=REQUESTED.delivered_at,
            kept_from=ago(days=3),
        )
        == {"too old"} | missing
    )


def test_a_refused_delivery_that_left_the_log_is_given_up() -> None:
    class Losing(ReceivingHook):
        """A webhook whose log no longer has a delivery once GitHub has refused to redeliver it."""

        def redeliver(self, delivery: Delivery) -> None:
            self.log = [row for row in self.log if row.guid not in self.errors]
            super().redeliver(delivery)

    refusal = RefusalError("GitHub responded 404, Not Found")
    hook, store = Losing(*THREE_FAILURES, errors={"first": refusal}), FakeStore()

    report = run_once(hook, store)

    assert outcomes(report)["first"] is Outcome.GIVEN_UP
    assert report.results[0].because.endswith(
        "Not Found, and GitHub's log no longer has this delivery"
    )
    assert (store.written[-1], report.status) == (NOW, 0)
    assert messages.warnings(report)


def test_a_refused_delivery_stays_so_if_the_log_is_unreadable() -> None:
    refusal = RefusalError("GitHub responded 404, Not Found")
    hook, store = ReadableOnce(*THREE_FAILURES, errors={"first": refusal}), FakeStore()

    report = run_once(hook, store)

    assert outcomes(report)["first"] is Outcome.REFUSED
    assert store.written[-1] == THREE_FAILURES[0].delivered_at


class Emptied(FakeHook):
    """A webhook whose log has no row when it is read again, or cannot be read `if_broken`."""

    def __init__(self, *log: Delivery, number: int, if_broken: bool) -> None:
        refusal = RefusalError("GitHub responded 404, Not Found")
        super().__init__(*log, number=number, errors={"lost": refusal})
        self.if_broken = if_broken

    def rows(self) -> Iterator[Delivery]:
        if self.scans == 0:
            yield from super().rows()
        elif self.if_broken:
            raise UnavailableError("GitHub is down")


LEAVING = a_delivery("lost", at=ago(days=2, hours=23), number=5)


def test_an_empty_log_gives_up_no_event_that_it_should_have() -> None:
    """GitHub keeps a delivery for 3 days, so this one is still retried in the next run."""
    store = FakeStore(ago(days=2, hours=23))

    report = run_once(Emptied(LEAVING, number=1, if_broken=False), store)

    assert outcomes(report) == {"lost": Outcome.REFUSED}
    assert store.written[-1] == LEAVING.delivered_at


@pytest.mark.parametrize("broken_first", [True, False])
def test_a_log_that_is_unreadable_again_hides_no_other_loss(*, broken_first: bool) -> None:
    class Losing(Emptied):
        def rows(self) -> Iterator[Delivery]:
            yield from super().rows()
            yield delivered("other", at=ago(hours=1))

    broken = Emptied(LEAVING, number=1, if_broken=True)
    losing = Losing(LEAVING, number=2, if_broken=False)
    first, second = (broken, losing) if broken_first else (losing, broken)

    report = run_once(first, FakeStore(ago(days=2, hours=23)), second)

    results = {result.key.webhook.id: result.outcome for result in report.results}
    assert results == {1: Outcome.REFUSED, 2: Outcome.GIVEN_UP}


def test_a_lost_response_is_found_in_the_log() -> None:
    hook, store = LossyHook(*THREE_FAILURES, loses={"second"}, shows=True), FakeStore()
    runtime = FakeRuntime()

    report = run_once(hook, store, runtime=runtime)

    assert hook.requested == ["first", "second", "third"], "each once"
    assert outcomes(report)["second"] is Outcome.STILL_FAILING, "and its outcome is known"
    assert store.written == [ago(hours=3)] * 2, "the log does not show the others"
    assert store.marks[-1] == Ended((slot_end(NOW),))
    assert report.status == 0


def test_a_lost_response_that_the_log_lacks_stays_unanswered() -> None:
    hook, store = LossyHook(*THREE_FAILURES, loses={"second"}, shows=False), FakeStore()

    report = run_once(hook, store)

    assert hook.requested == ["first", "second", "third"], "each once"
    assert outcomes(report)["second"] is Outcome.UNANSWERED
    assert store.written[-1] == ago(hours=3)
    assert report.status == 1


def test_an_unreadable_log_is_a_warning_for_a_lost_response() -> None:
    report = run_once(LossyReadableOnce(THREE_FAILURES[0], loses={"first"}, shows=False))

    assert messages.warnings(report) == ["the outcome of 1 redelivery is unknown: GitHub is down"]


def test_an_unreadable_log_changes_no_result() -> None:
    hook, store = LossyReadableOnce(*THREE_FAILURES, loses={"second"}, shows=True), FakeStore()

    report = run_once(hook, store)

    assert outcomes(report)["second"] is Outcome.UNANSWERED
    assert store.written[-1] == ago(hours=3)
    assert messages.warnings(report) == ["the outcome of 3 redeliveries is unknown: GitHub is down"]


def test_the_outcome_of_each_redelivery_is_found() -> None:
    hook, runtime = ReceivingHook(*THREE_FAILURES, fails={"second"}), FakeRuntime()

    report = run_once(hook, runtime=runtime)

    assert outcomes(report) == {
        "first": Outcome.RECOVERED,
        "second": Outcome.STILL_FAILING,
        "third": Outcome.RECOVERED,
    }
    assert report.results[1].attempts == 2
    assert runtime.slept == [0.5, 1], "no longer than necessary"


def test_pauses_grow_until_every_outcome_is_found() -> None:
    hook, runtime = ReceivingHook(*THREE_FAILURES, shows_at=4), FakeRuntime()

    report = run_once(hook, runtime=runtime)

    assert report.count(Outcome.RECOVERED) == 3
    assert runtime.slept == [0.5, 1, 1, 2, 4]


def test_verification_ends_when_its_time_is_up() -> None:
    hook, runtime = ReceivingHook(*THREE_FAILURES, shows_at=99), FakeRuntime()

    report = run_once(hook, runtime=runtime, verify=100)

    assert report.count(Outcome.PENDING) == 3
    assert runtime.slept == [0.5, 1, 1, 2, 4, 8, 16, 30, 30, 8]


def test_reading_counts_as_time_of_verification() -> None:
    class SlowHook(ReceivingHook):
        def rows(self) -> Iterator[Delivery]:
            if self.scans:
                runtime.now += timedelta(seconds=20)
            yield from super().rows()

    runtime = FakeRuntime()
    hook = SlowHook(*THREE_FAILURES, shows_at=99)

    run_once(hook, runtime=runtime, verify=30)

    assert len(runtime.slept) == 3


def test_an_unreadable_log_does_not_stop_the_others() -> None:
    unreadable = ReceivingReadableOnce(*THREE_FAILURES, number=1)
    healthy = ReceivingHook(*THREE_FAILURES, number=2, shows_at=3)

    report = run_once(unreadable, None, healthy)

    assert (report.count(Outcome.PENDING), report.count(Outcome.RECOVERED)) == (3, 3)
    assert messages.warnings(report) == ["the outcome of 3 redeliveries is unknown: GitHub is down"]


def test_each_unreadable_log_has_its_own_warning() -> None:
    class Gone(ReceivingHook):
        def rows(self) -> Iterator[Delivery]:
            if self.scans:
                raise UnavailableError(f"{self.webhook.name} is gone")
            yield from super().rows()

    one, two = Gone(*THREE_FAILURES[:2], number=1), Gone(THREE_FAILURES[2], number=2)

    report = run_once(one, None, two)

    assert messages.warnings(report) == [
        "the outcome of 2 redeliveries is unknown: webhook 1 of organization acme is gone",
        "the outcome of 1 redelivery is unknown: webhook 2 of organization acme is gone",
    ]


class BrieflyUnreadable(ReceivingHook):
    """A webhook whose log cannot be read the first time after the scan."""

    def rows(self) -> Iterator[Delivery]:
        if self.scans == 1:
            self.scans += 1
            raise UnavailableError("GitHub is down")
        yield from super().rows()


@pytest.mark.parametrize("shows_at", [1, 99])
def test_a_log_that_is_readable_again_is_no_warning(shows_at: int) -> None:
    report = run_once(BrieflyUnreadable(*NINE_FAILURES, shows_at=shows_at), probe=3)

    assert report.count(Outcome.RECOVERED, Outcome.PENDING) == 9
    assert messages.warnings(report) == []


def test_no_log_is_read_again_with_verify_0() -> None:
    hook, runtime = ReceivingHook(*THREE_FAILURES), FakeRuntime()

    report = run_once(hook, runtime=runtime, verify=0)

    assert (report.count(Outcome.PENDING), runtime.slept, hook.scans) == (3, [0.5], 1)

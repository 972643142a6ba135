"""A run with fakes, from the stored checkpoint to the report."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from redeliver.core.delivery import Delivery, StatusFilter
from redeliver.core.event_filter import EventFilter
from redeliver.core.health import HealthVerdict
from redeliver.core.outcome import Outcome
from redeliver.core.pages import Page
from redeliver.engine.ports import NullStore
from redeliver.engine.run import run
from redeliver.errors import RateLimitError, RefusalError, UnavailableError, UnreachableError
from redeliver.reporting import messages
from tests.support.builders import (
    NOW,
    OPTIONS,
    THREE_FAILURES,
    a_delivery,
    a_policy,
    ago,
    delivered,
)
from tests.support.fakes import (
    BrokenHook,
    FakeHook,
    FakeRuntime,
    FakeStore,
    ReceivingHook,
    outcomes,
    run_once,
)


def test_failed_events_are_redelivered_oldest_first() -> None:
    hook, store = ReceivingHook(*THREE_FAILURES, delivered("fine")), FakeStore()

    report = run_once(hook, store)

    assert hook.requested == ["first", "second", "third"]
    assert set(outcomes(report).values()) == {Outcome.RECOVERED}
    assert store.written[-1] == report.checkpoint == NOW
    assert messages.problem(report) is None


def test_an_empty_log_is_a_success() -> None:
    store = FakeStore()

    report = run_once(FakeHook(), store)

    assert messages.problem(report) is None
    assert store.written == [NOW]


def test_a_run_that_cannot_read_does_not_write_the_checkpoint() -> None:
    hook, store = BrokenHook(*THREE_FAILURES, after=0), FakeStore()

    with pytest.raises(UnavailableError):
        run_once(hook, store)

    assert (hook.requested, store.attempts) == ([], 0)


def test_a_partly_read_log_holds_the_checkpoint() -> None:
    hook, store = BrokenHook(*THREE_FAILURES, after=2), FakeStore()

    report = run_once(hook, store)

    assert hook.requested == ["second", "third"]
    assert store.saved
    assert store.saved.checkpoint.time == ago(hours=6)
    assert (report.status, messages.problem(report)) == (1, "GitHub is down")


def test_a_first_run_with_a_partly_read_log_saves_its_start() -> None:
    store = FakeStore(None)

    report = run_once(BrokenHook(delivered("fine"), after=1), store)

    assert (report.status, store.written) == (1, [ago(hours=24)])


def test_a_failure_during_the_run_is_left_for_the_next_run() -> None:
    hook = FakeHook(
        a_delivery("new", at=ago(seconds=-1)),
        a_delivery("again", at=ago(seconds=-1), redelivery=True),
        a_delivery("again", at=ago(hours=1)),
        delivered("well", at=ago(seconds=-1), redelivery=True),
        a_delivery("well", at=ago(hours=1)),
    )

    report = run_once(hook)

    assert (hook.requested, report.checkpoint) == ([], NOW)


def test_a_dry_run_decides_the_same_and_changes_nothing() -> None:
    log = (
        *THREE_FAILURES,
        a_delivery("expired", at=ago(hours=1), redelivery=True),
        delivered("fine", at=ago(hours=1), redelivery=True),
        a_delivery("fine", at=ago(hours=2)),
    )
    dry_hook, dry_store, hook = FakeHook(*log), FakeStore(None), FakeHook(*log)

    dry = run_once(dry_hook, dry_store, dry_run=True)
    real = run_once(hook, FakeStore(None))

    assert (dry_hook.requested, dry_store.attempts) == ([], 0)
    due = {guid for guid, outcome in outcomes(dry).items() if outcome is Outcome.DUE}
    assert due == set(hook.requested)
    assert [o.decision for o in dry.results] == [o.decision for o in real.results]


def test_a_checkpoint_older_than_the_log_is_reported() -> None:
    report = run_once(FakeHook(), FakeStore(ago(hours=80)))

    assert report.unseen == (ago(hours=80, minutes=10), ago(hours=72))
    assert report.status == 0


def test_the_log_says_what_happened() -> None:
    runtime = FakeRuntime()

    run_once(FakeHook(*THREE_FAILURES[:2], delivered("fine")), runtime=runtime)

    assert runtime.said == [
        (
            "Checkpoint: 2026-11-24 06:00:00 UTC, in variable LAST_REDELIVERY of acme/ops. "
            "Reading all deliveries since 2026-11-24 05:50:00 UTC, 10 min earlier, because "
            "GitHub's log can show deliveries late"
        ),
        "Read 3 deliveries of webhook 1 of organization acme: 2 events failed",
        (
            "Requested: push first (delivery 11, "
            "failing for 3 h 0 min, 1 attempt, last status 504 timed out)"
        ),
        (
            "Requested: push second (delivery 12, "
            "failing for 2 h 0 min, 1 attempt, last status 504 timed out)"
        ),
        (
            "Pending: push first (delivery 11, "
            "failing for 3 h 0 min, 1 attempt, last status 504 timed out): "
            "GitHub's log did not show the outcome within 30 s. "
            "A later run checks the log, and tries again if there is still no success"
        ),
        (
            "Pending: push second (delivery 12, "
            "failing for 2 h 0 min, 1 attempt, last status 504 timed out): "
            "GitHub's log did not show the outcome within 30 s. "
            "A later run checks the log, and tries again if there is still no success"
        ),
        (
            "Health of webhook 1 of organization acme: failing. 2 of 3 first deliveries failed "
            "(67 %). In all 2 failures in this run's time window, the receiver did not respond "
            "in time. Let the receiver respond first, and work afterwards. The last failure was at "
            "2026-11-24 10:00:00 UTC, the last success at 2026-11-24 11:00:00 UTC. 95 % of the "
            "responses took at most 0.3 s"
        ),
        (
            "Checkpoint saved: 2026-11-24 09:00:00 UTC, when the oldest pending event failed. "
            "The next run starts there"
        ),
    ]


def test_events_of_several_webhooks_go_oldest_first() -> None:
    one = FakeHook(*THREE_FAILURES[::2], number=1)
    two = FakeHook(THREE_FAILURES[1], a_delivery("first", at=ago(minutes=30)), number=2)

    report = run_once(one, None, two)

    assert (one.requested, two.requested) == (["first", "third"], ["second", "first"])
    assert [o.decision.webhook.id for o in report.results] == [1, 2, 1, 2]


@pytest.mark.parametrize("others", [0, 1])
def test_lines_name_the_webhook_if_there_are_two(others: int) -> None:
    runtime = FakeRuntime()
    hooks = [FakeHook(THREE_FAILURES[0], number=number + 1) for number in range(1 + others)]

    run_once(hooks[0], None, *hooks[1:], runtime=runtime)

    lines = [line for line in runtime.said if line.startswith(("Requested: ", "Pending: "))]
    named = [line for line in lines if "(webhook " in line]
    assert (len(lines), len(named)) == ((4, 4) if others else (2, 0))


def test_a_replay_redelivers_only_what_failed_in_its_range() -> None:
    """The range is from three to two hours ago. Others failed four hours and one hour ago."""
    log = [a_delivery(f"{hours} h", at=ago(hours=hours), number=hours) for hours in range(1, 5)]
    hook, runtime = FakeHook(*log), FakeRuntime()
    options = replace(OPTIONS, since=timedelta(hours=3), until=timedelta(hours=2))

    report = run([hook], NullStore(), runtime(), options)

    assert hook.requested == ["3 h", "2 h"]
    reasons = {result.because for result in report.results}
    assert len(reasons) == 1
    assert "A later run" not in reasons.pop(), "no other run looks at the same events for certain"


@pytest.mark.parametrize(("again", "seconds"), [(True, 60), (False, 0)])
def test_what_is_delivered_again_is_older_than_a_minute(*, again: bool, seconds: int) -> None:
    """GitHub's clocks differ, and its redelivery must not look older than the run."""
    policy = a_policy(include_delivered=again)
    options = replace(OPTIONS, since=timedelta(hours=3), policy=policy)

    report = run([FakeHook()], NullStore(), FakeRuntime()(), options)

    assert report.window.until == ago(seconds=seconds)


@pytest.mark.parametrize(
    ("timeout", "verdict"), [(10, HealthVerdict.SLOW), (30, HealthVerdict.HEALTHY)]
)
def test_a_receiver_is_slow_by_githubs_own_timeout(timeout: int, verdict: HealthVerdict) -> None:
    """GitHub waits 10 s for a response, and Enterprise Server 30 s. These took 9 s."""
    log = [
        replace(delivered(f"{n}", at=ago(minutes=n + 1), number=n), duration=9.0) for n in range(20)
    ]
    runtime = replace(FakeRuntime()(), receiver_timeout=lambda: timedelta(seconds=timeout))

    report = run([FakeHook(*log)], FakeStore(), runtime, OPTIONS)

    assert report.options.receiver_timeout == timedelta(seconds=timeout)
    assert [scan.health and scan.health.verdict for scan in report.scans] == [verdict]


def test_an_unreadable_webhook_does_not_stop_the_others() -> None:
    broken, healthy = BrokenHook(*THREE_FAILURES, after=0), FakeHook(*THREE_FAILURES, number=2)
    store = FakeStore()

    report = run_once(broken, store, healthy)

    assert healthy.requested == ["first", "second", "third"]
    assert (report.status, messages.problem(report)) == (1, "GitHub is down")
    assert store.saved
    assert store.saved.checkpoint.time == ago(hours=6), "the lowest of their marks"


def test_the_checkpoint_is_the_lowest_that_any_webhook_needs() -> None:
    refusal = RefusalError("GitHub responded 422")
    one = ReceivingHook(*THREE_FAILURES, number=1, errors={"third": refusal})
    two = ReceivingHook(*THREE_FAILURES, number=2, errors={"second": refusal})
    store = FakeStore()

    run_once(one, store, two)

    assert store.written[-1] == ago(hours=2)


def test_a_run_without_a_readable_webhook_changes_nothing() -> None:
    store = FakeStore()

    with pytest.raises(UnavailableError):
        run_once(BrokenHook(after=0), store, BrokenHook(after=0))

    assert store.attempts == 0


def test_a_rate_limit_stops_the_reading_of_all_webhooks() -> None:
    class Limited(FakeHook):
        def rows(self) -> Iterator[Delivery]:
            yield from self.log
            raise RateLimitError("used up until 12:30:00 UTC")

    limited, other = Limited(delivered("fine")), FakeHook(*THREE_FAILURES, number=2)
    other.per_page, runtime = 1, FakeRuntime()

    report = run_once(limited, None, other, runtime=runtime)

    assert (
        "Not reading further deliveries of webhook 2 of organization acme, because reading webhook "
        "1 of organization acme failed"
    ) in runtime.said

    assert messages.problem(report) == "used up until 12:30:00 UTC", "logged once"


class Reading(FakeHook):
    """A webhook with pages of two rows, which notes each reading, and may not respond."""

    per_page = 2

    def __init__(self, number: int, read: list[int], *, responds: bool = True) -> None:
        rows = (a_delivery(f"{n}", at=ago(minutes=n), number=n) for n in range(1, 5))
        super().__init__(*rows, number=number)
        self.read = read
        self.responds = responds

    def pages(
        self, listed: StatusFilter = StatusFilter.ALL, *, planning: bool = False
    ) -> Iterator[Page]:
        if not self.responds:
            self.read.append(self.webhook.id or 0)
            raise UnreachableError("no response")
        for page in super().pages(listed, planning=planning):
            self.read.append(self.webhook.id or 0)
            yield page


def test_all_first_pages_are_read_before_any_second_one() -> None:
    read: list[int] = []

    run_once(Reading(1, read), None, Reading(2, read), Reading(3, read))

    assert sorted(read[:3]) == sorted(read[3:6]) == [1, 2, 3]


def test_no_more_webhooks_are_tried_after_two_without_response() -> None:
    read: list[int] = []
    hooks = [Reading(number, read, responds=False) for number in range(1, 6)]

    with pytest.raises(UnreachableError):
        run_once(hooks[0], None, *hooks[1:])

    assert len(read) == 2


def test_a_webhook_that_has_responded_is_read_to_its_end() -> None:
    read: list[int] = []
    silent = [Reading(number, read, responds=False) for number in (2, 3)]
    runtime = FakeRuntime()
    runtime.now = NOW + timedelta(hours=40)  # when the first webhook begins

    report = run_once(Reading(1, read), FakeStore(ago(hours=-38)), *silent, runtime=runtime)

    assert read[0] == 1
    assert report.scans[0].error is None


def test_every_webhook_is_read_first_in_some_run() -> None:
    """So two webhooks that never respond cannot keep all others back for ever."""
    firsts = set()
    for hours in range(0, 62, 6):
        read: list[int] = []
        runtime = FakeRuntime()
        runtime.now = NOW + timedelta(hours=hours)
        with suppress(UnreachableError):  # the third webhook was not read
            run_once(
                Reading(1, read, responds=False),
                None,
                Reading(2, read, responds=False),
                Reading(3, read),
                runtime=runtime,
            )
        firsts.add(read[0])

    assert firsts == {1, 2, 3}


NO_WEBHOOK = (
    "there is no webhook, so this run read nothing, and did not move the checkpoint. Check 'org' "
    "or 'repo'"
)


def test_a_run_without_a_webhook_is_a_warning() -> None:
    store = FakeStore()

    report = run([], store, FakeRuntime()(), OPTIONS)

    assert (report.status, messages.warnings(report)) == (
        0,
        [NO_WEBHOOK],
    )
    assert store.written == []


def test_filtered_events_do_not_hold_the_checkpoint() -> None:
    hook = ReceivingHook(
        *THREE_FAILURES, a_delivery("unwanted", event="check_run", at=ago(hours=5))
    )
    store, runtime = FakeStore(), FakeRuntime()

    report = run_once(
        hook, store, runtime=runtime, policy=a_policy(events=EventFilter(("!check_*",)))
    )

    assert hook.requested == ["first", "second", "third"]
    assert (report.failed, report.count(Outcome.FILTERED)) == (3, 1)
    assert store.written[-1] == NOW
    assert not any("unwanted" in line for line in runtime.said), "it is only counted"
    [read] = [line for line in runtime.said if line.startswith("Read 4 deliveries")]
    assert read.endswith("no later run that uses it redelivers them")


def test_reading_and_redelivering_show_progress() -> None:
    hook, runtime = FakeHook(*THREE_FAILURES), FakeRuntime()
    hook.per_page = 1

    run_once(hook, runtime=runtime)

    read = "Deliveries read of webhook 1 of organization acme:"
    assert [done for what, done, _ in runtime.shown if what == read] == [1, 2, 3]
    assert ("Redeliveries requested:", 3, 3) in runtime.shown
    assert ("Waiting for outcomes in GitHub's log, in seconds:", 0, 30) in runtime.shown

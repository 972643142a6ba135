"""The order of the steps of a run: probe, maximum, dry run, logs."""

from collections.abc import Iterator
from datetime import timedelta
from signal import Signals

import pytest

from redeliver.core.checkpoint import Checkpoint, Claim, Ended
from redeliver.core.delivery import Delivery
from redeliver.core.event_filter import EventFilter
from redeliver.core.outcome import Outcome
from redeliver.errors import AccessError, Interrupted, RefusalError, UnavailableError
from redeliver.reporting import messages
from tests.support.builders import (
    NINE_FAILURES,
    NOW,
    THREE_FAILURES,
    a_delivery,
    a_policy,
    ago,
    saved,
)
from tests.support.fakes import FakeHook, FakeRuntime, FakeStore, ReceivingHook, outcomes, run_once

ALL_NINE = {f"event-{n}" for n in range(9)}


@pytest.mark.parametrize("probe", [None, 1])
def test_given_up_events_are_logged_before_the_checkpoint_moves(probe: int | None) -> None:
    class ListeningStore(FakeStore):
        def write(self, checkpoint: Checkpoint, *, once: bool = False) -> bool:
            logged.append([line.split(":")[0] for line in runtime.said if "push" in line])
            return super().write(checkpoint, once=once)

    logged: list[list[str]] = []
    runtime = FakeRuntime()
    hook = FakeHook(*THREE_FAILURES, a_delivery("too old", at=ago(minutes=30), redelivery=True))

    run_once(hook, ListeningStore(), runtime=runtime, probe=probe)

    assert logged[0] == ["Given up"], "a run killed now has at least logged it"


@pytest.mark.parametrize("verify", [30, 0])
def test_a_run_ends_when_it_has_looked_for_outcomes(verify: int) -> None:
    """Until then, no other run may redeliver. The checkpoint is written twice."""

    class Watching(FakeRuntime):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            while_waiting.add(type(store.marks[-1]))

    while_waiting: set[type] = set()
    store, hook = FakeStore(), ReceivingHook(*THREE_FAILURES, shows_at=99)

    run_once(hook, store, runtime=Watching(), verify=verify)

    assert [type(mark) for mark in store.marks] == [Claim, Ended]
    assert while_waiting == {Claim}


def test_a_run_without_unknown_outcomes_ends_without_a_look() -> None:
    """Otherwise the next run would have to wait 16 minutes if this one is killed while it looks."""

    class Killing(FakeHook):
        def rows(self) -> Iterator[Delivery]:
            if self.scans:
                raise KeyboardInterrupt
            yield from super().rows()

    refusal = RefusalError("GitHub responded 422")
    store, hook = FakeStore(), Killing(THREE_FAILURES[0], errors={"first": refusal})

    with pytest.raises(KeyboardInterrupt):
        run_once(hook, store)

    assert [type(mark) for mark in store.marks] == [Claim, Ended]


class Interrupting(FakeRuntime):
    """Is interrupted while it waits for outcomes."""

    def sleep(self, seconds: float) -> None:
        if seconds != 0.5:
            raise Interrupted(Signals.SIGINT)


def test_an_interrupted_run_saves_its_checkpoint() -> None:
    hook, store = ReceivingHook(*THREE_FAILURES, shows_at=99), FakeStore()

    report = run_once(hook, store, runtime=Interrupting())

    assert store.written == [ago(hours=3)] * 2, "before the redeliveries, and when interrupted"
    assert (report.count(Outcome.PENDING), report.status) == (3, 130)


def test_an_interrupted_run_looks_once_for_outcomes() -> None:
    """So the next run need not wait."""
    store = FakeStore()

    report = run_once(ReceivingHook(*THREE_FAILURES), store, runtime=Interrupting())

    assert (report.count(Outcome.RECOVERED), report.status) == (3, 130)
    assert (store.written[-1], store.marks[-1]) == (NOW, Ended())


def test_events_over_the_maximum_are_left_for_the_next_run() -> None:
    hook, store = ReceivingHook(*THREE_FAILURES), FakeStore()

    report = run_once(hook, store, policy=a_policy(max_redeliveries=2))

    assert hook.requested == ["first", "second"]
    assert outcomes(report)["third"] is Outcome.DEFERRED
    assert (store.written[-1], report.status, messages.warnings(report)) == (ago(hours=1), 0, [])


def test_a_refused_event_gives_up_its_place() -> None:
    refusal = RefusalError("GitHub responded 422")
    hook = FakeHook(*THREE_FAILURES, errors={"first": refusal})

    report = run_once(hook, policy=a_policy(max_redeliveries=1))

    assert hook.requested == ["first", "second"]
    assert (report.count(Outcome.REFUSED), report.count(Outcome.DEFERRED)) == (1, 1)


def test_a_stopped_webhook_gives_up_its_places() -> None:
    down = ReceivingHook(*NINE_FAILURES, fails=ALL_NINE, number=1)
    well = ReceivingHook(*NINE_FAILURES, number=2)

    run_once(down, None, well, policy=a_policy(max_redeliveries=8), probe=2)

    assert (len(down.requested), len(well.requested)) == (2, 6)


def test_a_failed_probe_leaves_the_rest_for_the_next_run() -> None:
    hook, store = ReceivingHook(*NINE_FAILURES, fails=ALL_NINE), FakeStore()

    report = run_once(hook, store, probe=3)

    assert hook.requested == ["event-0", "event-4", "event-8"]
    assert (report.count(Outcome.STILL_FAILING), report.count(Outcome.DEFERRED)) == (3, 6)
    assert store.written[-1] == ago(hours=3, minutes=-1)
    deferred, still_failing = messages.warnings(report)
    assert deferred == (
        "6 events deferred to a later run: all 3 probes failed, so the receiver seems to be down"
    )
    assert still_failing.startswith("3 events are still failing after the redelivery, ")
    assert report.status == 0


@pytest.mark.parametrize(
    ("fails", "shows_at"),
    [
        pytest.param(ALL_NINE - {"event-4"}, 1, id="accepts one"),
        pytest.param(ALL_NINE, 99, id="may still accept some"),
    ],
)
def test_a_receiver_gets_the_rest_if_it(fails: set[str], shows_at: int) -> None:
    hook = ReceivingHook(*NINE_FAILURES, fails=fails, shows_at=shows_at)

    run_once(hook, probe=3)

    rest = ["event-1", "event-2", "event-3", "event-5", "event-6", "event-7"]
    assert hook.requested == ["event-0", "event-4", "event-8", *rest], "each once"


def test_a_probe_takes_the_events_with_the_fewest_attempts() -> None:
    tried = [
        a_delivery(f"event-{n}", at=ago(minutes=50 - n), number=n + 20, redelivery=True)
        for n in range(2, 9)
    ]
    hook = ReceivingHook(*NINE_FAILURES, *tried, fails=ALL_NINE)

    run_once(hook, probe=3)

    assert hook.requested == ["event-0", "event-1", "event-2"]


def test_a_single_probe_alternates_between_two_ways_to_choose() -> None:
    """Otherwise new events that always fail could keep an older one from its turn for ever."""
    tried = [
        a_delivery(f"event-{n}", at=ago(minutes=50 - n), number=n + 20, redelivery=True)
        for n in range(8)
    ]
    probed = set()
    for hours in range(0, 60, 6):
        runtime = FakeRuntime()
        runtime.now = NOW + timedelta(hours=hours)
        hook = ReceivingHook(*NINE_FAILURES, *tried, fails=ALL_NINE)
        store = FakeStore()
        store.saved = saved(ago(hours=6), written=ago(minutes=20))
        run_once(hook, store, runtime=runtime, probe=1)
        probed.add(hook.requested[0])

    assert {"event-8"} < probed, "the least tried one, and others"


def test_few_events_need_no_probe() -> None:
    hook = ReceivingHook(*NINE_FAILURES, fails=ALL_NINE)

    run_once(hook, probe=9)

    assert len(hook.requested) == 9


def test_each_webhook_is_probed_by_itself() -> None:
    down = ReceivingHook(*NINE_FAILURES, fails=ALL_NINE, number=1)
    well = ReceivingHook(*NINE_FAILURES, number=2)

    report = run_once(down, None, well, probe=2)

    assert (len(down.requested), len(well.requested)) == (2, 9)
    assert report.count(Outcome.RECOVERED) == 9


def test_a_failed_probe_explains_no_event_of_another_webhook() -> None:
    down = ReceivingHook(*NINE_FAILURES, fails=ALL_NINE, number=1)
    denied = FakeHook(*THREE_FAILURES, number=2, errors={"first": AccessError("no right")})

    report = run_once(down, None, denied, probe=3)

    deferred = [result for result in report.results if result.outcome is Outcome.DEFERRED]
    reasons = {
        number: {r.because for r in deferred if r.key.webhook.id == number} for number in (1, 2)
    }
    assert len(deferred) == 6 + 3
    assert reasons[1] == {"all 3 probes failed, so the receiver seems to be down"}
    assert reasons[2] == {
        "GitHub denied the request; the error at the end says why",
        "this run requested no more redeliveries to this webhook",
    }


def test_a_refused_probe_proves_nothing_about_the_receiver() -> None:
    class Refusing(ReceivingHook):
        def redeliver(self, delivery: Delivery) -> None:
            super().redeliver(delivery)
            if delivery.guid != "event-4":
                raise RefusalError("GitHub responded 422")

    hook = Refusing(*NINE_FAILURES, fails=ALL_NINE)

    run_once(hook, probe=3)

    assert len(hook.requested) == 9


class PassingTime(FakeRuntime):
    """A runtime whose clock advances while it sleeps."""

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def test_the_checkpoint_is_saved_while_a_probe_is_verified() -> None:
    store = FakeStore()

    run_once(
        ReceivingHook(*NINE_FAILURES, shows_at=99),
        store,
        runtime=PassingTime(),
        probe=3,
        verify=300,
    )

    assert len(store.written) >= 1 + 4 + 1


def test_a_failed_save_during_a_probe_stops_the_run() -> None:
    hook = ReceivingHook(*NINE_FAILURES, shows_at=99)
    store = FakeStore(fails={2: UnavailableError("cannot write")})

    report = run_once(hook, store, runtime=PassingTime(), probe=3, verify=90)

    assert len(hook.requested) == 3
    assert messages.problem(report) == "cannot write"


def test_a_dry_run_logs_what_a_real_run_redelivers() -> None:
    log = (
        *THREE_FAILURES,
        *NINE_FAILURES,
        a_delivery("unwanted", event="check_run"),
        a_delivery("x", redelivery=True),
    )
    policy = a_policy(max_redeliveries=5, events=EventFilter(("push",)))
    real, runtime = FakeHook(*log), FakeRuntime()

    run_once(FakeHook(*log), runtime=runtime, policy=policy, dry_run=True)
    run_once(real, policy=policy)

    would = [line.split()[4] for line in runtime.said if line.startswith("Would be redelivered")]
    assert would == real.requested
    assert len(would) == 5


def test_an_interrupted_dry_run_saves_nothing() -> None:
    class Interrupting(FakeRuntime):
        def say(self, line: str) -> None:
            super().say(line)
            if line.startswith("Would be redelivered"):
                raise Interrupted(Signals.SIGINT)

    store = FakeStore()

    report = run_once(FakeHook(*THREE_FAILURES), store, runtime=Interrupting(), dry_run=True)

    assert (store.written, report.status) == ([], 130)


def test_a_dry_run_logs_the_probe() -> None:
    few, many = FakeRuntime(), FakeRuntime()

    run_once(FakeHook(*THREE_FAILURES), runtime=few, probe=3, dry_run=True)
    run_once(FakeHook(*NINE_FAILURES), runtime=many, probe=3, dry_run=True)

    assert [
        len(
            [
                line
                for line in each.said
                if line.startswith("Probe: a real run would first redeliver 3 events")
            ]
        )
        for each in (few, many)
    ] == [0, 1]

"""Several workers keep the promises of a single one."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from random import Random
from signal import Signals

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redeliver.core.delivery import Delivery
from redeliver.core.outcome import Outcome
from redeliver.errors import AccessError, Interrupted, RefusalError, UnavailableError
from redeliver.reporting.report import Report
from tests.support.builders import a_delivery, a_policy, ago
from tests.support.fakes import FakeHook, FakeRuntime, FakeStore, outcomes, run_once

WORKERS = 4
SOON = 30.0
"""Seconds after which a test that hangs fails."""

TWELVE = [a_delivery(f"event-{n:02}", at=ago(minutes=60 - n), number=n) for n in range(12)]
GUIDS: list[str] = [each.guid for each in TWELVE]


class BusyHook(FakeHook):
    """A webhook whose responses take random times, and that counts simultaneous requests."""

    def __init__(
        self, *log: Delivery, errors: Mapping[str, BaseException] | None = None, seed: int = 0
    ) -> None:
        super().__init__(*log, errors=errors)
        self.random = Random(seed)  # noqa: S311 - only the time of a response
        self.at_once = 0
        self.most_at_once = 0
        self.lock = threading.Lock()

    def redeliver(self, delivery: Delivery) -> None:
        with self.lock:
            self.requested.append(delivery.guid)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            pause = self.random.uniform(0, 0.004)
        time.sleep(pause)
        with self.lock:
            self.at_once -= 1
        if delivery.guid in self.errors:
            raise self.errors[delivery.guid]


def in_parallel(
    hook: FakeHook, store: FakeStore | None = None, *, max_redeliveries: int | None = None
) -> Report:
    policy = a_policy(max_redeliveries=max_redeliveries)
    return run_once(hook, store, runtime=FakeRuntime(workers=WORKERS), policy=policy, verify=0)


def test_workers_redeliver_each_event_once_oldest_first() -> None:
    hook = BusyHook(*TWELVE)

    report = in_parallel(hook)

    assert outcomes(report) == dict.fromkeys(GUIDS, Outcome.PENDING)
    assert hook.most_at_once == WORKERS
    assert sorted(hook.requested) == GUIDS
    for index, guid in enumerate(hook.requested):
        assert GUIDS.index(guid) < index + WORKERS, "no more requests are under way than workers"


REFUSAL, LOST = RefusalError("422"), UnavailableError("no response")


@settings(max_examples=60)
@given(
    responses=st.lists(st.sampled_from([None, REFUSAL, LOST]), min_size=12, max_size=12),
    most=st.sampled_from([None, 5, 12]),
    seed=st.integers(0, 99),
)
def test_several_workers_have_the_results_of_one(
    responses: list[Exception | None], most: int | None, seed: int
) -> None:
    # At most four lost responses: five in a row end dispatch, and then their order matters.
    too_many = [n for n, error in enumerate(responses) if error is LOST][4:]
    errors = {
        GUIDS[n]: error
        for n, error in enumerate(responses)
        if error is not None and n not in too_many
    }
    policy = a_policy(max_redeliveries=most)
    store, expected_store = FakeStore(), FakeStore()
    hook = BusyHook(*TWELVE, errors=errors, seed=seed)

    expected = run_once(FakeHook(*TWELVE, errors=errors), expected_store, policy=policy, verify=0)
    report = in_parallel(hook, store, max_redeliveries=most)

    assert outcomes(report) == outcomes(expected)
    assert store.written[-1] == expected_store.written[-1]
    assert max(Counter(hook.requested).values()) == 1


def test_a_surplus_event_waits_for_a_free_place() -> None:
    hook = BusyHook(*TWELVE, errors=dict.fromkeys(GUIDS[:3], REFUSAL))

    report = in_parallel(hook, max_redeliveries=5)

    found = Counter(outcomes(report).values())
    assert found == {Outcome.PENDING: 5, Outcome.REFUSED: 3, Outcome.DEFERRED: 4}


def test_an_error_that_all_workers_meet_is_reported_once() -> None:
    together = threading.Barrier(WORKERS)

    class Forbidden(FakeHook):
        def redeliver(self, delivery: Delivery) -> None:
            self.requested.append(delivery.guid)
            together.wait(SOON)
            raise AccessError("the token may not do this")

    hook = Forbidden(*TWELVE)

    report = in_parallel(hook)

    assert len(hook.requested) == WORKERS
    assert report.trouble == ("the token may not do this",)
    assert set(outcomes(report).values()) == {Outcome.DEFERRED}


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Yield an event that lets a hanging request end. It is set after the test at the latest."""
    event = threading.Event()
    yield event
    event.set()


def test_an_interruption_leaves_open_requests_unanswered(
    released: threading.Event,
) -> None:
    class Hanging(FakeHook):
        def redeliver(self, delivery: Delivery) -> None:
            self.requested.append(delivery.guid)
            if delivery.guid == GUIDS[1]:
                released.wait(SOON)

    class Stopped(FakeRuntime):
        def wait_for_turn(self) -> None:
            super().wait_for_turn()
            if self.turns > 2 * WORKERS:
                raise Interrupted(Signals.SIGTERM)

    store = FakeStore()
    report = run_once(Hanging(*TWELVE), store, runtime=Stopped(workers=WORKERS))

    assert report.interrupted == Signals.SIGTERM
    found = outcomes(report)
    assert found.pop(GUIDS[1]) is Outcome.UNANSWERED
    assert [found[guid] for guid in GUIDS if guid in found] == [
        *[Outcome.PENDING] * (2 * WORKERS - 1),
        *[Outcome.DEFERRED] * (12 - 2 * WORKERS),
    ]
    assert store.written[-1] == TWELVE[0].delivered_at


def test_progress_counts_the_requests_that_have_ended() -> None:
    """Four are under way when the first one ends."""
    together = threading.Barrier(WORKERS)

    class Together(FakeHook):
        def redeliver(self, delivery: Delivery) -> None:
            together.wait(SOON)
            super().redeliver(delivery)

    runtime = FakeRuntime(workers=WORKERS)

    run_once(Together(*TWELVE), runtime=runtime, verify=0)

    done = [shown[1:] for shown in runtime.shown if shown[0] == "Redeliveries requested:"]
    assert done == [(number, 12) for number in range(1, 13)]


def test_an_interruption_waits_half_a_second_for_responses() -> None:
    """A response after 0.1 s counts. One after 0.85 s does not, nor do later ones."""

    class Slow(FakeHook):
        def redeliver(self, delivery: Delivery) -> None:
            time.sleep(0.1 + 0.75 * GUIDS.index(delivery.guid))

    class Stopped(FakeRuntime):
        def wait_for_turn(self) -> None:
            super().wait_for_turn()
            if self.turns == WORKERS:
                raise Interrupted(Signals.SIGTERM)

    report = run_once(Slow(*TWELVE), runtime=Stopped(workers=WORKERS))

    found = outcomes(report)
    assert [found[guid] for guid in GUIDS[:3]] == [
        Outcome.PENDING,
        Outcome.UNANSWERED,
        Outcome.UNANSWERED,
    ]

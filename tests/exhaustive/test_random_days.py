"""Random days: outages, faults and runs in any order, in which redeliver keeps its promises.

The sandbox is in virtual time, the receiver is real, and redeliver runs in this process. Runs do
not overlap here; in `test_every_request`, they do.
"""

import math
import signal
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from github_sandbox import Receiver, Request, Sandbox, VirtualClock
from redeliver.core.checkpoint import OVERLAP, parse_checkpoint
from redeliver.core.decision import Verdict
from redeliver.core.outcome import ACCEPTED, EventResult, Outcome
from redeliver.errors import Interrupted, RedeliverError
from redeliver.github_api.throttle import MAX_WAIT_SECONDS, MIN_RATE_FACTOR, MINUTE
from redeliver.reporting.report import Report
from tests.exhaustive.disturbances import DISTURBANCES, RUN_ENDS, Disturbance, Killed, RunEnd
from tests.exhaustive.history import RETENTION, History, RecordedVariables
from tests.exhaustive.soak import SOAK
from tests.support.builders import (
    START,
)
from tests.support.outage import SCHEDULE
from tests.support.sandboxes import PER_MINUTE, running
from tests.support.virtual_run import (
    run_in_process,
)

LOOKBACK = timedelta(hours=24)
VERIFY = timedelta(seconds=30)
SETTLED = timedelta(minutes=20)
"""After this time the log shows every row, and no run waits because of an earlier one."""

DELAYS = (0, 60, 300, 599, 600)
"""After how many seconds the log shows a row. The promises allow ten minutes."""

DURATIONS = {
    "nothing": timedelta(),
    "a minute": timedelta(minutes=1),
    "five minutes": timedelta(minutes=5),
    "the longest delay of the log": timedelta(minutes=10),
    "until a run no longer waits because of an earlier one": timedelta(minutes=16),
    "an hour": timedelta(hours=1),
    "the schedule": SCHEDULE,
    "30 hours": timedelta(hours=30),
    "as long as GitHub keeps the log": RETENTION,
}
# Short pauses are drawn more often: after days, runs can only give events up.
SHORT = [*DURATIONS][:7]
PAUSES = st.sampled_from([*SHORT, *SHORT, "the schedule", *DURATIONS])
AGES = st.sampled_from(["a minute", "five minutes", "an hour", "the schedule"])
OFFSETS = st.integers(-1500, 1500)
"""Milliseconds to add to a pause."""

BEHAVIOURS: dict[str, Callable[[Receiver], None]] = {
    "well": lambda receiver: receiver.behave(),
    "broken": lambda receiver: receiver.behave(status=500),
    "moved": lambda receiver: receiver.behave(status=302),
    "broken for some events": lambda receiver: receiver.behave(failing_events={"check_run": 503}),
}
NAMES = st.lists(st.sampled_from(["push", "check_run"]), min_size=1, max_size=3)

MAX_OPEN_EVENTS = PER_MINUTE - 1
"""With more, a run may also have to wait because of max-per-minute."""

MAX_SUCCESSES = 250
"""Enough for several pages; more would only take time."""

COUNTS = Counter[str]()
"""How often each thing happened, for the summary of the session."""


class SettlingClock(VirtualClock):
    """The clock of a run, which advances only after all requested redeliveries have ended.

    Otherwise the order of events would depend on the scheduler of this machine.
    """

    def __init__(self, clock: VirtualClock, github: Sandbox) -> None:
        self._clock = clock
        self._github = github

    def __call__(self) -> datetime:
        return self._clock()

    def advance(self, by: timedelta) -> None:
        self._github.settle()
        self._clock.advance(by)


# The promises.


def assert_no_event_is_requested_twice(
    history: History, requests: Iterable[Request], successes: Collection[str]
) -> None:
    """Check that a run requests each event once, and none whose success the log shows.

    A request counts unless its response shows that GitHub refused it.
    """
    guids = history.guids()
    counts = Counter(
        guids[int(request.path.split("/")[-2])]
        for request in requests
        if request.path.endswith("/attempts")
        and (request.status is None or not 400 <= request.status < 500)
    )
    assert all(count == 1 for count in counts.values()), counts
    assert not counts.keys() & successes
    for guid in history.attempts.keys() - history.redelivered_by_hand:
        *earlier, _ = history.attempts[guid]
        assert not any(attempt.succeeded for attempt in earlier), f"{guid} was delivered again"


def assert_nothing_is_lost(history: History, variables: RecordedVariables) -> None:
    """Check that the next run reads the log back to each event that it has to redeliver."""
    if not variables.values_saved:
        return
    saved = variables.values_saved[-1]
    checkpoint = parse_checkpoint(saved.text, now=saved.at)
    assert checkpoint
    for guid in history.open_events():
        assert history.newest(guid) >= checkpoint - OVERLAP, f"{guid} is out of reach"


def assert_nothing_is_given_up_early(
    history: History,
    report: Report,
    *,
    now: datetime,
    give_up_after: timedelta,
    max_attempts: int | None,
) -> None:
    """Check that a run gives up an event only for one of the documented reasons.

    The event is too old, has had all its attempts, or has left the log.
    """
    for result in report.results:
        attempts = history.attempts[result.decision.delivery.guid]
        if is_gone(result):
            assert result.decision.delivery.delivered_at < now - RETENTION
        elif result.outcome is Outcome.GIVEN_UP:
            has_had_all = max_attempts is not None and len(attempts) >= max_attempts
            assert has_had_all or attempts[0].at < report.window.now - give_up_after


def assert_no_run_waits_for_long(duration: timedelta, *, slow_requests: int) -> None:
    """Check the duration of a run. It may be longer if GitHub limits the rate of its requests."""
    per_minute = int(PER_MINUTE * MIN_RATE_FACTOR)
    seconds = MAX_WAIT_SECONDS + math.ceil(slow_requests / per_minute) * MINUTE
    assert duration <= timedelta(seconds=seconds) + 2 * VERIFY


def requested(results: Iterable[EventResult]) -> list[str]:
    """Return the GUIDs whose redelivery a run requested, or would request, in order."""
    outcomes = ACCEPTED | {Outcome.DUE, Outcome.REFUSED, Outcome.UNANSWERED}
    return [
        result.decision.delivery.guid
        for result in results
        if result.outcome in outcomes or is_gone(result)
    ]


def is_gone(result: EventResult) -> bool:
    """Whether GitHub refused a redelivery because the delivery had left its log."""
    return result.outcome is Outcome.GIVEN_UP and result.decision.verdict is Verdict.REDELIVER


class RandomDays(RuleBasedStateMachine):
    """Steps in any order. After each run, it checks the promises."""

    def __init__(self) -> None:
        super().__init__()
        COUNTS["examples"] += 1
        self.clock = VirtualClock(START)
        self.variables = RecordedVariables(self.clock)
        with ExitStack() as resources:
            self.receiver = resources.enter_context(Receiver())
            sandbox = Sandbox(clock=self.clock, retention=RETENTION)
            self.github = resources.enter_context(running(sandbox))
            self.resources = resources.pop_all()
        self.github.repository("acme/ops").variables = self.variables
        self.hook = self.github.org("acme").hook(self.receiver.url, secret="hush")
        self.history = History(self.hook, self.clock)
        self.behaviour = "well"
        self.successes = 0
        self.has_failed = False
        """Whether a promise was broken. More checks would hide the first failure."""

    @initialize(
        give_up_after=st.sampled_from([RETENTION, RETENTION, timedelta(hours=18)]),
        max_attempts=st.sampled_from([None, None, 3]),
        max_redeliveries=st.sampled_from([None, None, 1, 3]),
        probe=st.sampled_from([None, None, 1, 2]),
        delay=st.sampled_from(DELAYS),
    )
    def start(
        self,
        give_up_after: timedelta,
        max_attempts: int | None,
        max_redeliveries: int | None,
        probe: int | None,
        delay: int,
    ) -> None:
        self.give_up_after = give_up_after
        self.max_attempts = max_attempts
        self.max_redeliveries = max_redeliveries
        self.probe = probe
        self.delay_log(delay)

    # Steps.

    @rule(names=NAMES, age=AGES)
    def have_outage(self, names: list[str], age: str) -> None:
        before = self.behaviour
        self.change_receiver("broken")
        self.emit_events(names)
        self.advance(age, 0)
        self.change_receiver(before)

    @rule(names=NAMES)
    def emit_events(self, names: list[str]) -> None:
        for name in names[: MAX_OPEN_EVENTS - len(self.history.open_events())]:
            guid = f"event-{len(self.history.attempts) + 1}"
            self.history.attempts[guid] = []
            self.hook.emit(name, guid=guid)
            self.clock.advance(timedelta(milliseconds=700))
            COUNTS["events"] += 1
        self.history.record_new_attempts()

    @rule(behaviour=st.sampled_from(sorted(BEHAVIOURS)))
    def change_receiver(self, behaviour: str) -> None:
        self.behaviour = behaviour
        BEHAVIOURS[behaviour](self.receiver)

    @rule(pause=PAUSES, offset=OFFSETS)
    def advance(self, pause: str, offset: int) -> None:
        duration = DURATIONS[pause] + timedelta(milliseconds=offset)
        self.clock.advance(max(duration, timedelta()))

    @rule(seconds=st.sampled_from(DELAYS))
    def delay_log(self, seconds: int) -> None:
        self.history.log_delay = timedelta(seconds=seconds)
        self.github.show_late(seconds)

    @rule(data=st.data())
    def redeliver_by_hand(self, data: st.DataObject) -> None:
        if attempts := self.history.visible_attempts():
            guid, delivery_id = data.draw(st.sampled_from(attempts))
            self.history.redelivered_by_hand.add(guid)
            self.hook.redeliver(delivery_id)
            self.history.record_new_attempts()
            COUNTS["redeliveries by hand"] += 1

    @precondition(lambda self: self.successes < MAX_SUCCESSES)
    @rule(number=st.sampled_from([30, 110]))
    def record_successes(self, number: int) -> None:
        self.successes += number
        for _ in range(number):
            self.hook.record()

    @rule(remaining=st.integers(0, 16), reset_in=st.sampled_from([5, 200, 3600]))
    def use_up_rate_limit(self, remaining: int, reset_in: int) -> None:
        self.github.rate_limit(remaining=remaining, reset_in=reset_in)

    @rule(pause=PAUSES, offset=OFFSETS)
    def run_after_dry_run(self, pause: str, offset: int) -> None:
        """Compare what a run requests with what a dry run shows.

        The run may request less because of a rate limit or a probe.
        """
        self.advance(pause, offset)
        start = self.clock()
        try:
            planned = requested(self.redeliver(dry_run=True).results)
        except RedeliverError:
            planned = None
        has_waited = self.clock() != start
        report = self.run()
        if report is None or planned is None or has_waited:
            return
        COUNTS["dry runs compared"] += 1
        if self.probe is None and not report.limit:
            assert requested(report.results) == planned
        else:
            assert set(requested(report.results)) <= set(planned)

    @rule(
        names=NAMES,
        age=AGES,
        disturbances=st.lists(DISTURBANCES, min_size=1, max_size=2),
        pause=PAUSES,
    )
    def disturb_run(
        self, names: list[str], age: str, disturbances: list[Disturbance], pause: str
    ) -> None:
        self.have_outage(names, age)
        self.run(*disturbances)
        self.advance(pause, 0)
        self.run()

    @rule(names=NAMES, age=AGES, end=RUN_ENDS, pause=PAUSES)
    def end_run(self, names: list[str], age: str, end: RunEnd, pause: str) -> None:
        self.have_outage(names, age)
        self.run(end)
        self.advance(pause, 0)
        self.run()

    def teardown(self) -> None:
        with self.resources:
            if not self.has_failed:
                self.recover()
                received = self.receiver.received()
                accepted = {delivery.guid for delivery in received if delivery.status == 200}
                assert self.history.open_events() <= accepted

    def recover(self) -> None:
        """Repair receiver, log and rate limit, and run until no event is open."""
        self.receiver.behave()
        self.delay_log(0)
        self.github.rate_limit(remaining=5000, reset_in=3600)
        self.clock.advance(SETTLED)
        self.max_redeliveries = None
        for _ in range(3):
            self.run()
            self.clock.advance(SCHEDULE)

    # A run.

    def run(self, *disturbances: Disturbance | RunEnd) -> Report | None:
        """Run once, check the promises, and return the report if there is one."""
        self.has_failed = True
        start, requests_before = self.clock(), len(self.github.requests)
        successes = self.history.visible_successes()
        was_first = not self.variables.values_saved
        lines: list[str] = []
        for disturbance in disturbances:
            disturbance.inject(self.github)
        report = self.try_to_redeliver(lines)
        self.github.mend()
        self.github.settle()
        self.history.record_new_attempts()
        if was_first and self.variables.values_saved:
            self.history.scanned_since = self.clock() - LOOKBACK
        self.history.record_report(report, lines)

        requests = self.github.requests[requests_before:]
        assert_no_event_is_requested_twice(self.history, requests, successes)
        assert_nothing_is_lost(self.history, self.variables)
        if report:
            assert_nothing_is_given_up_early(
                self.history,
                report,
                now=self.clock(),
                give_up_after=self.give_up_after,
                max_attempts=self.max_attempts,
            )
        is_slow = any("half as fast" in line for line in lines)
        assert_no_run_waits_for_long(
            self.clock() - start, slow_requests=len(requests) if is_slow else 0
        )
        self.has_failed = False
        return report

    def try_to_redeliver(self, lines: list[str]) -> Report | None:
        """Run once, and return the report, or None if the run ended with an error or was killed."""
        COUNTS["runs"] += 1
        try:
            report = self.redeliver(lines=lines)
        except RedeliverError:
            COUNTS["runs with an error"] += 1
        except Killed:
            COUNTS["killed runs"] += 1
        except Interrupted:
            COUNTS["cancelled runs"] += 1
        else:
            COUNTS["cancelled runs"] += report.interrupted is not None
            return report
        return None

    def redeliver(self, *, dry_run: bool = False, lines: list[str] | None = None) -> Report:
        return run_in_process(
            self.github,
            self.hook,
            SettlingClock(self.clock, self.github),
            give_up_after=self.give_up_after,
            max_attempts=self.max_attempts,
            max_redeliveries=self.max_redeliveries,
            probe=self.probe,
            verify=VERIFY,
            dry_run=dry_run,
            lines=lines,
        )

    @invariant()
    def check_checkpoints(self) -> None:
        """Check that all values of the variable are checkpoints, in order and not in the future."""
        COUNTS["steps"] += 1
        checkpoints = []
        for saved in self.variables.values_saved:
            checkpoint = parse_checkpoint(saved.text, now=saved.at)
            assert checkpoint
            assert checkpoint <= saved.at
            checkpoints.append(checkpoint)
        assert checkpoints == sorted(checkpoints)


def test_redeliver_keeps_its_promises_on_random_days(add_to_summary: Callable[[str], None]) -> None:
    """No event is lost, delivered twice or given up early."""
    handler = signal.getsignal(signal.SIGUSR1)
    try:
        run_state_machine_as_test(
            RandomDays,
            settings=settings(
                max_examples=25 * SOAK,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        signal.signal(signal.SIGUSR1, handler)
    counts = ", ".join(f"{COUNTS[what]} {what}" for what in sorted(COUNTS) if what != "examples")
    add_to_summary(f"{COUNTS['examples']} random days: {counts}")

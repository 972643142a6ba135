"""Random days: outages, troubles, faults and runs in any order; redeliver keeps its promises.

The sandbox is in virtual time, the receivers are real, and redeliver runs in this process. Runs do
not overlap here; in `test_every_request`, they do.
"""

from collections.abc import Iterable
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from redeliver.core.checkpoint import parse_checkpoint
from redeliver.core.decision import Verdict
from redeliver.core.outcome import ACCEPTED, EventResult, Outcome
from redeliver.errors import RateLimitError, RedeliverError
from redeliver.reporting.report import Report
from tests.exhaustive.disturbances import DISTURBANCES, RUN_ENDS, Disturbance, RunEnd
from tests.exhaustive.history import RETENTION
from tests.exhaustive.random_github import (
    AGES,
    NAMES,
    OFFSETS,
    PAUSES,
    WEBHOOKS,
    RandomGitHub,
)
from tests.exhaustive.world import LOOKBACK
from tests.support.outage import SCHEDULE

SETTLED = timedelta(minutes=46)
"""After this time the log shows every row, no run waits because of another, and no event waits."""

TIME_TO_RECOVER = timedelta(days=2)
"""How long runs get to deliver all events that they can, if GitHub does not redeliver others."""


class RandomDays(RandomGitHub):
    """Steps in any order. After each run, the world checks the promises."""

    has_failed = False
    """Whether a promise was broken. More checks would hide the first failure."""

    @rule(pause=PAUSES, offset=OFFSETS)
    def run_after_dry_run(self, pause: str, offset: int) -> None:
        """Compare what a run requests with what a dry run shows.

        The run may request less because of a probe, or of a rate limit, which can also end the
        reading. If it meets an event with trouble, another can take its place. A rate limit that
        ends the reading of the dry run may leave more to the run: `World.run` sets the limit anew.
        """
        self.advance(pause, offset)
        start = self.world.clock()
        is_troubled = bool(self.world.troubles.keys() & self.world.history.open_events())
        try:
            preview = self.world.preview()
            planned = None if is_cut_short(preview) else requested(preview.results)
        except RedeliverError:
            planned = None
        has_waited = self.world.clock() != start
        report = self.run()
        if report is None or planned is None or has_waited or is_troubled:
            return
        if self.world.probe is None and not (report.limit or is_cut_short(report)):
            assert requested(report.results) == planned
        else:
            assert set(requested(report.results)) <= set(planned)

    @rule(
        webhook=WEBHOOKS,
        names=NAMES,
        age=AGES,
        disturbances=st.lists(DISTURBANCES, max_size=2),
        pause=PAUSES,
    )
    def disturb_run(
        self,
        webhook: int,
        names: list[str],
        age: str,
        disturbances: list[Disturbance],
        pause: str,
    ) -> None:
        self.have_outage(webhook, names, age)
        self.run(*disturbances)
        self.advance(pause, 0)
        self.run()

    @rule(
        webhook=WEBHOOKS,
        names=NAMES,
        age=AGES,
        number=st.integers(20, 99),
        old=PAUSES,
        successes=st.sampled_from([0, 30]),
    )
    def run_after_late_rows(
        self, webhook: int, names: list[str], age: str, number: int, old: str, successes: int
    ) -> None:
        """Run when late rows may be above the failures in the log, at the end of a page."""
        self.have_outage(webhook, names, age)
        self.record_late_rows(webhook, number, old)
        self.record_successes(webhook, successes)
        self.run()

    @rule(
        webhook=WEBHOOKS,
        names=NAMES,
        age=AGES,
        end=RUN_ENDS,
        times=st.sampled_from([1, 1, 2, 4]),
        pause=PAUSES,
    )
    def end_runs(
        self, webhook: int, names: list[str], age: str, end: RunEnd, times: int, pause: str
    ) -> None:
        """End one run, or several, at the same point."""
        self.have_outage(webhook, names, age)
        for _ in range(times):
            self.run(end)
            self.advance(pause, 0)
        self.run()

    @rule(runs=st.integers(2, 13), end=st.none() | st.none() | RUN_ENDS)
    def run_on_schedule(self, runs: int, end: RunEnd | None) -> None:
        """Run every six hours, also while receivers are down and webhooks are switched off."""
        for number in range(runs):
            self.run_six_hours_before_next(*([end] if end else []), is_first=number == 0)

    @rule(
        webhook=WEBHOOKS,
        names=NAMES,
        runs=st.integers(3, 20),
        minutes=st.sampled_from([1, 1, 5]),
        end=st.none() | st.none() | RUN_ENDS,
    )
    def run_often(
        self, webhook: int, names: list[str], runs: int, minutes: int, end: RunEnd | None
    ) -> None:
        """Run every minute or every five, as a loop does, while events fail now and then."""
        for number in range(runs):
            if number % 4 == 0:
                self.have_outage(webhook, names, "a minute")
            self.run(*([end] if end and number == runs // 2 else []))
            self.world.clock.advance(timedelta(minutes=minutes))

    def teardown(self) -> None:
        if hasattr(self, "world"):
            with self.world:
                if not self.has_failed:
                    self.recover()

    def recover(self) -> None:
        """Repair all but the events with trouble, and run until no event is open."""
        world, history = self.world, self.world.history
        for receiver, hook in zip(world.receivers, world.hooks, strict=True):
            receiver.behave()
            hook.switch_on()
        self.delay_log(0)
        world.remaining = None
        world.github.rate_limit(remaining=5000, reset_in=3600)
        world.clock.advance(SETTLED)
        world.max_redeliveries = None
        time_to_recover = TIME_TO_RECOVER if world.troubles else timedelta()
        max_age = min(world.give_up_after, RETENTION) - time_to_recover
        if not world.variables.values_saved:  # the next run only looks back `lookback`
            max_age = min(max_age, LOOKBACK)
        deliverable = {
            guid
            for guid in history.open_events() - world.troubles.keys()
            if history.first(guid) >= world.clock() - max_age
        }
        for number in range(14):
            self.run_six_hours_before_next(is_first=number == 0)
            if number > 1 and not history.open_events():
                break
        assert history.open_events() == set()
        assert history.delivered() == world.accepted()
        for guid in deliverable - history.delivered():
            assert world.max_attempts, f"{guid} was not delivered"
            assert len(history.attempts[guid]) >= world.max_attempts, f"{guid} was not delivered"

    def run(self, *disturbances: Disturbance | RunEnd) -> Report | None:
        self.has_failed = True
        report = self.world.run(*disturbances)
        self.has_failed = False
        return report

    def run_six_hours_before_next(
        self, *disturbances: Disturbance | RunEnd, is_first: bool
    ) -> None:
        """Run once, and advance the clock to the next run.

        The first run cannot know that the next one starts in six hours.
        """
        start = self.world.clock()
        if is_first:
            self.run(*disturbances)
        else:
            self.has_failed = True
            self.world.run(*disturbances, until_next=SCHEDULE)
            self.has_failed = False
        self.world.clock.advance(max(start + SCHEDULE - self.world.clock(), timedelta()))

    @invariant()
    def check_checkpoints(self) -> None:
        """Check that all values of the variable are checkpoints, in order and not in the future."""
        checkpoints = []
        for saved in self.world.variables.values_saved:
            read = parse_checkpoint(saved.text, now=saved.at)
            assert read
            assert read.checkpoint.time <= saved.at
            checkpoints.append(read.checkpoint.time)
        assert checkpoints == sorted(checkpoints)


def is_cut_short(report: Report) -> bool:
    """Whether a rate limit has ended the reading of a log."""
    return any(isinstance(scan.error, RateLimitError) for scan in report.scans)


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


def test_redeliver_keeps_its_promises_on_random_days() -> None:
    """No event is lost, delivered twice or given up early, and no run is green before a loss."""
    run_state_machine_as_test(
        RandomDays,
        settings=settings(
            max_examples=settings().max_examples // 4,
            stateful_step_count=20,
            suppress_health_check=list(HealthCheck),
        ),
    )

"""A world in virtual time: webhooks, their receivers, GitHub, and runs that are checked."""

import signal
import threading
from contextlib import ExitStack
from datetime import timedelta
from typing import Protocol, Self

from github_sandbox import Hook, Receiver, Sandbox, VirtualClock
from github_sandbox.model.delivery_log import SortBy
from redeliver.core.policy import AS_LONG_AS_LOGGED
from redeliver.errors import Interrupted, RedeliverError
from redeliver.reporting.report import Report
from tests.exhaustive.disturbances import Killed
from tests.exhaustive.history import RETENTION, History, RecordedVariables
from tests.exhaustive.promises import (
    assert_a_green_run_loses_nothing,
    assert_no_event_is_requested_twice,
    assert_no_run_waits_for_long,
    assert_nothing_is_given_up_early,
    assert_nothing_is_lost,
    time_until_next_run,
)
from tests.exhaustive.troubles import inject_troubles
from tests.support.builders import START
from tests.support.outage import SCHEDULE
from tests.support.sandboxes import running
from tests.support.virtual_run import SettlingClock, run_in_process

LOOKBACK = timedelta(hours=24)


class Injectable(Protocol):
    """Something that goes wrong in one run."""

    def inject(self, github: Sandbox) -> None:
        """Inject it before the run."""
        ...


class World:
    """Each webhook of acme has a receiver of its own. Runs are for all webhooks, if several."""

    def __init__(
        self, webhooks: int, *, sort_logs_by: SortBy = "delivered_at", workers: int = 1
    ) -> None:
        self.clock = VirtualClock(START)
        self.variables = RecordedVariables(self.clock)
        with ExitStack() as resources:
            self.receivers = [resources.enter_context(Receiver()) for _ in range(webhooks)]
            sandbox = Sandbox(clock=self.clock, retention=RETENTION, sort_logs_by=sort_logs_by)
            self.github = resources.enter_context(running(sandbox))
            resources.callback(signal.signal, signal.SIGUSR1, signal.getsignal(signal.SIGUSR1))
            self._resources = resources.pop_all()
        self.github.repository("acme/ops").variables = self.variables
        acme = self.github.org("acme")
        self.hooks: list[Hook] = [acme.hook(receiver.url) for receiver in self.receivers]
        self.history = History(self.hooks, self.clock)
        self.troubles: dict[str, str] = {}
        """The lasting troubles of single events, by GUID."""
        self.workers = workers
        self.verify = timedelta(seconds=30)
        self.give_up_after = RETENTION
        self.max_attempts: int | None = None
        self.max_redeliveries: int | None = None
        self.probe: int | None = None
        self.remaining: int | None = None
        """How many requests of the rate limit are left when a run starts; None changes nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._resources.close()

    def accepted(self) -> set[str]:
        """Return the GUIDs of the events that their receivers have accepted."""
        return {
            delivery.guid
            for receiver in self.receivers
            for delivery in receiver.received()
            if delivery.status == 200
        }

    def run(self, *disturbances: Injectable, until_next: timedelta | None = None) -> Report | None:
        """Run once, check the promises, and return the report if there is one.

        A run that is killed, or that ends with an error, has none. `until_next` is the time until
        the next run starts, None if it is unknown.
        """
        start, requests_before = self.clock(), len(self.github.requests)
        expected_pause = time_until_next_run(self.variables, start)
        successes = self.history.visible_successes()
        was_first = not self.variables.values_saved
        lines: list[str] = []
        if self.remaining is not None:
            self.github.rate_limit(remaining=self.remaining, reset_in=3600)
        for disturbance in disturbances:
            disturbance.inject(self.github)
        report = self._try_to_redeliver(lines)
        self.github.mend()
        self.github.settle()
        self.history.record_new_attempts()
        if was_first and self.variables.values_saved:
            self.history.scanned_since = self.clock() - LOOKBACK
        given_up_before = self.history.given_up.copy()
        self.history.record_run(lines)

        requests = self.github.requests[requests_before:]
        assert_no_event_is_requested_twice(self.history, requests, successes)
        assert_nothing_is_lost(self.history, self.variables)
        assert self.history.recovered <= self.history.delivered()
        assert_nothing_is_given_up_early(
            self.history,
            self.history.given_up - given_up_before,
            start=start,
            now=self.clock(),
            give_up_after=self.give_up_after,
            max_attempts=self.max_attempts,
        )
        if report and not report.is_failed:
            assert_a_green_run_loses_nothing(
                self.history,
                start=start,
                until_next=until_next or expected_pause,
                give_up_after=self.give_up_after,
            )
        is_slow = any("half as fast" in line for line in lines)
        assert_no_run_waits_for_long(
            self.clock() - start, verify=self.verify, slow_requests=len(requests) if is_slow else 0
        )
        return report

    def run_on_schedule(self, *disturbances: Injectable) -> Report | None:
        """Run once, check the promises, and advance the clock to the next run, six hours later."""
        start = self.clock()
        report = self.run(*disturbances, until_next=SCHEDULE)
        self.clock.advance(max(start + SCHEDULE - self.clock(), timedelta()))
        return report

    def preview(self) -> Report:
        """Make a dry run, or raise `RedeliverError`."""
        return self._redeliver([], dry_run=True)

    def _try_to_redeliver(self, lines: list[str]) -> Report | None:
        try:
            return self._redeliver(lines)
        except (RedeliverError, Killed, Interrupted):
            return None
        finally:
            # A killed run may have workers that are still sending their last requests.
            for thread in threading.enumerate():
                if thread.name.startswith("worker-") and thread.is_alive():
                    thread.join()

    def _redeliver(self, lines: list[str], *, dry_run: bool = False) -> Report:
        inject_troubles(self.github, self.history, self.troubles)
        whole_log = self.give_up_after == RETENTION
        return run_in_process(
            self.github,
            self.hooks[0] if len(self.hooks) == 1 else None,
            SettlingClock(self.clock, self.github),
            give_up_after=AS_LONG_AS_LOGGED if whole_log else self.give_up_after,
            max_attempts=self.max_attempts,
            max_redeliveries=self.max_redeliveries,
            probe=self.probe,
            verify=self.verify,
            fail_unrecovered=True,
            workers=self.workers,
            dry_run=dry_run,
            lines=lines,
        )

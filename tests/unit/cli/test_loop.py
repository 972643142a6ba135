"""The loop starts runs on time, survives what may pass, and ends with a signal."""

import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from signal import SIGINT, SIGTERM

import pytest

from redeliver import settings
from redeliver.cli.loop import NEEDS_A_USER, Loop, opening
from redeliver.cli.terminal import Screen
from redeliver.core.outcome import Outcome
from redeliver.errors import (
    AccessError,
    BusyError,
    Interrupted,
    RateLimitError,
    RedeliverError,
    UnavailableError,
)
from redeliver.interruption import interruptible
from redeliver.reporting.report import Report
from tests.support.builders import (
    APP_INPUTS,
    GOOD_INPUTS,
    NOW,
    OWN_WEBHOOK_INPUTS,
    a_report,
    a_result,
)
from tests.support.fakes import FakeTime
from tests.unit.cli.screens import FakeScreen

HEADING = "Run of 2026-11-24 12:00:00 UTC"

ERROR = "Error: run of 2026-11-24 12:00:00 UTC:"
"""How an error begins, wherever standard error goes."""

QUIET = f"{HEADING}: nothing to redeliver. From now on, a run without news prints nothing"

Run = Callable[[Screen], Report] | Report | RedeliverError


@dataclass
class Runs:
    """The runs of a loop, one after the other. A signal comes after the last one."""

    runs: Sequence[Run]
    takes: Sequence[float] = ()
    """How many seconds each run takes; if there is none, no time."""
    time: FakeTime = field(default_factory=FakeTime)
    started: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    at_once: list[bool] = field(default_factory=list)
    """Of each run, whether it has no event wait."""

    def loop(self, *, every: float = 60) -> int:
        """Run all, and return the exit status."""
        start = self.time.now

        def run(screen: Screen, *, at_once: bool) -> Report:
            number = len(self.started)
            self.at_once.append(at_once)
            self.started.append(self.time.now - start)
            self.time.now += self.takes[number] if self.takes else 0
            match self.runs[number]:
                case Report() as report:
                    screen.conclude(report)
                    return report
                case RedeliverError() as error:
                    raise error
                case call:
                    return call(screen)

        def sleep(seconds: float) -> None:
            assert seconds >= 0
            if len(self.started) == len(self.runs):
                raise Interrupted(SIGTERM)
            self.time.sleep(seconds)

        loop = Loop(
            run,
            lambda: FakeScreen(self.said),
            every=timedelta(seconds=every),
            now=lambda: NOW,
            clock=self.time,
            sleep=sleep,
        )
        return loop.until_signal()


def printed(*runs: Run) -> list[str]:
    """Return what these runs print before the signal."""
    all_runs = Runs(runs)
    assert all_runs.loop() == 128 + SIGTERM
    *lines, last = all_runs.said
    assert last == "2026-11-24 12:00:00 UTC: SIGTERM stops this process"
    return lines


def test_the_interval_is_from_start_to_start() -> None:
    runs = Runs([a_report()] * 4, takes=[10, 0, 59, 0])

    runs.loop(every=60)

    assert runs.started == [0, 60, 120, 180]


def test_a_run_that_takes_long_is_followed_by_the_next_at_once() -> None:
    runs = Runs([a_report()] * 4, takes=[70, 200, 0, 0])

    runs.loop(every=60)

    assert runs.started == [0, 70, 270, 330]


def test_the_first_completed_run_lets_no_event_wait() -> None:
    runs = Runs([UnavailableError("down"), a_report(), a_report(), UnavailableError("down")])

    runs.loop()

    assert runs.at_once == [True, True, False, False]


def test_the_first_quiet_run_says_that_others_print_nothing() -> None:
    assert printed(*[a_report()] * 5) == [QUIET]
    assert printed(a_report(a_result(Outcome.DEFERRED)), a_report()) == [QUIET]


def test_a_run_with_news_is_not_called_quiet() -> None:
    def speak(screen: Screen) -> Report:
        screen.remark("These webhooks are switched off: 7")
        return a_report()

    assert printed(speak) == [HEADING, "These webhooks are switched off: 7"]


@pytest.mark.parametrize("kind", NEEDS_A_USER)
def test_an_error_that_needs_a_user_ends_the_loop_at_first(kind: type[RedeliverError]) -> None:
    for runs in ([kind("wrong")], [UnavailableError("down"), kind("wrong")]):
        with pytest.raises(kind):
            Runs(runs).loop()


@pytest.mark.parametrize("kind", NEEDS_A_USER)
def test_any_error_is_survived_after_a_completed_run(kind: type[RedeliverError]) -> None:
    assert printed(a_report(), kind("wrong"), kind("wrong")) == [QUIET, HEADING, f"{ERROR} wrong"]


@pytest.mark.parametrize("kind", [UnavailableError, RateLimitError, BusyError])
def test_an_error_that_may_pass_is_survived_at_any_time(
    kind: type[RedeliverError],
) -> None:
    assert printed(kind("later"), a_report()) == [
        HEADING,
        f"{ERROR} later",
        f"{HEADING}: runs work again, after 1 failed run",
    ]


def test_an_error_is_printed_when_it_changes() -> None:
    down, busy = UnavailableError("down"), BusyError("busy")

    assert printed(down, down, busy, down, down, a_report(), down) == [
        *(HEADING, f"{ERROR} down"),
        *(HEADING, f"{ERROR} busy"),
        *(HEADING, f"{ERROR} down"),
        f"{HEADING}: runs work again, after 5 failed runs",
        *(HEADING, f"{ERROR} down"),
    ]


def test_a_run_that_could_not_read_a_log_counts_as_failed() -> None:
    def fail(screen: Screen) -> Report:
        screen.fail("no access to webhook 1")
        return a_report(error=AccessError("no access to webhook 1"))

    assert printed(fail, fail, a_report(), a_report()) == [
        HEADING,
        f"{ERROR} no access to webhook 1",
        f"{HEADING}: runs work again, after 2 failed runs",
        QUIET,
    ]


def test_a_run_that_was_interrupted_ends_the_loop() -> None:
    runs = Runs([a_report(), replace(a_report(), interrupted=SIGINT)])

    assert runs.loop() == 128 + SIGINT
    assert runs.said == [QUIET]


def test_a_signal_that_ends_a_run_early_ends_the_loop() -> None:
    def stop(_: Screen) -> Report:
        raise Interrupted(SIGTERM)

    with pytest.raises(Interrupted):
        Runs([stop]).loop()


def test_a_signal_after_the_last_wait_of_a_run_ends_the_loop() -> None:
    """It comes while the report is printed, and no wait of the run has raised it."""

    def be_signalled(screen: Screen, *, at_once: bool) -> Report:
        del screen, at_once
        signal.pthread_kill(threading.get_ident(), SIGTERM)
        return a_report()

    loop = Loop(be_signalled, FakeScreen, every=timedelta(seconds=1), now=lambda: NOW)
    with interruptible():
        assert loop.until_signal() == 128 + SIGTERM


def test_a_bug_ends_the_loop() -> None:
    def fail(_: Screen) -> Report:
        raise LookupError("a bug")

    with pytest.raises(LookupError):
        Runs([a_report(), fail]).loop()


@pytest.mark.parametrize(
    ("inputs", "every", "expected"),
    [
        (
            GOOD_INPUTS,
            timedelta(seconds=90),
            "A run starts every 90s, for webhook 123456789 of acme. ",
        ),
        (
            GOOD_INPUTS | {"hook-id": "1,2", "dry-run": "true"},
            timedelta(minutes=90),
            "A dry run starts every 90m, for webhooks 1, 2 of acme. ",
        ),
        (
            APP_INPUTS | {"org": "", "repo": "acme/shop", "hook-id": "all"},
            timedelta(hours=24),
            "A run starts every 24h, for all webhooks of acme/shop. ",
        ),
        (
            GOOD_INPUTS | {"hook-id": "", "hook-url": "ci.example.com/s3cret"},
            timedelta(seconds=1),
            "A run starts every 1s, for the webhook of acme whose payload URL matches 'hook-url'. ",
        ),
        (
            OWN_WEBHOOK_INPUTS,
            timedelta(minutes=1),
            "A run starts every 1m, for the webhook of GitHub App Iv23liAcme. ",
        ),
    ],
    ids=["a webhook", "several webhooks", "all webhooks", "an address", "an App's webhook"],
)
def test_the_first_line_says_what_the_loop_does(
    inputs: dict[str, str], every: timedelta, expected: str
) -> None:
    line = opening(settings.parse(inputs), every)

    assert line.startswith(expected)
    assert line.endswith("Ctrl-C, SIGINT or SIGTERM stops this process")

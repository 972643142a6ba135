"""The headline, the closing line, the warnings and the problem say what happened."""

from dataclasses import replace
from datetime import datetime
from signal import Signals

import pytest

from redeliver.core.decision import Verdict
from redeliver.core.event_filter import EventFilter
from redeliver.core.outcome import NOT_REACHED, STOP_REASONS, EventResult, Outcome
from redeliver.errors import UnavailableError
from redeliver.reporting import messages, outputs
from redeliver.reporting.summary import summary
from tests.support.builders import (
    DRY_RUN,
    FOUR_ATTEMPTS,
    NOW,
    a_decision,
    a_report,
    a_result,
    a_scan_result,
    a_window,
    ago,
)


def test_a_run_without_a_store_says_that_it_keeps_nothing() -> None:
    kept_nowhere = replace(a_report(), store="", checkpoint=None)

    assert outputs.outputs(kept_nowhere)["checkpoint"] == ""
    assert messages.closing(kept_nowhere).startswith("No checkpoint is kept")


def test_a_dry_run_says_so() -> None:
    dry = replace(a_report(a_result(Outcome.DUE)), options=DRY_RUN)

    assert "dry run, 1 event failed: 1 would be redelivered" in summary(dry)
    assert "Dry run: nothing was redelivered" in messages.closing(dry)
    assert "Dry run: nothing was redelivered" in messages.closing(replace(dry, checkpoint=None))


@pytest.mark.parametrize(
    ("checkpoint", "expected"),
    [
        (NOW, "Checkpoint saved: 2026-11-24 12:00:00 UTC, the start of this run"),
        (ago(minutes=-3), "Another run has saved a later checkpoint: 2026-11-24 12:03:00 UTC. The"),
        (ago(hours=1), "Checkpoint saved: 2026-11-24 11:00:00 UTC, when the oldest refused"),
        (ago(hours=2), "Checkpoint saved: 2026-11-24 10:00:00 UTC. The next run starts there"),
        (ago(hours=6), "Checkpoint not moved (2026-11-24 06:00:00 UTC): the next run checks"),
    ],
)
def test_the_closing_says_where_the_checkpoint_is(checkpoint: datetime, expected: str) -> None:
    refused = a_report(a_result(Outcome.REFUSED))  # an hour old

    assert messages.closing(replace(refused, checkpoint=checkpoint)).startswith(expected)


def test_a_first_checkpoint_is_not_said_to_have_stayed() -> None:
    first = replace(a_report(), window=a_window(None), checkpoint=ago(hours=24))

    assert messages.closing(first) == (
        "Checkpoint saved: 2026-11-23 12:00:00 UTC: the next run checks the deliveries since then "
        "again"
    )


@pytest.mark.parametrize(("number", "status"), [(Signals.SIGINT, 130), (Signals.SIGTERM, 143)])
def test_a_stopped_run_names_its_signal(number: Signals, status: int) -> None:
    stopped = replace(a_report(a_result(Outcome.DEFERRED)), interrupted=number)

    assert stopped.status == status
    problem = messages.problem(stopped) or ""
    assert problem == f"stopped by {number.name}. A later run redelivers what this one did not"


@pytest.mark.parametrize(
    ("patterns", "warning"),
    [
        (("push", "!s3cret"), "entry 2 of 'events' matches no event that this version of"),
        (("s3cret", "push", "s3c*", "s3cret.s3cret"), "entries 1, 3 and 4 of 'events' match no"),
    ],
)
def test_unknown_events_are_one_warning(patterns: tuple[str, ...], warning: str) -> None:
    """It does not repeat an entry, which may be a secret."""
    options = a_report().options
    policy = replace(options.policy, events=EventFilter(patterns))
    report = replace(a_report(), options=replace(options, policy=policy))

    [found] = messages.warnings(report)

    assert found.startswith(warning)
    assert "update redeliver" in found
    assert "s3c" not in found


def test_a_rate_limit_is_a_warning_with_its_end() -> None:
    left = a_result(Outcome.DEFERRED, because=NOT_REACHED)
    limited = replace(a_report(left), limit="used up until 12:30:00 UTC")

    assert limited.status == 0
    assert messages.warnings(limited) == ["used up until 12:30:00 UTC"]
    assert "> **Warning:** used up until 12&#58;30&#58;00 UTC" in summary(limited)


def test_given_up_events_are_a_warning_for_each_reason() -> None:
    verdicts = (Verdict.TOO_OLD, Verdict.EXPIRED, Verdict.EXHAUSTED)
    old, expired, exhausted = (verdict.reason(FOUR_ATTEMPTS) for verdict in verdicts)
    results = [
        EventResult.before_requests(
            a_decision(verdict=verdict), FOUR_ATTEMPTS, due=Outcome.DEFERRED
        )
        for verdict in (Verdict.TOO_OLD, *verdicts)
    ]

    never = "No later run with the same"
    by_hand = (
        "With 'guids', you can redeliver an event as long as one of its attempts is in GitHub's log"
    )
    assert messages.warnings(a_report(*results)) == [
        f"{given_up} again. {by_hand}"
        for given_up in (
            f"2 events were given up because {old}. {never} 'give-up-after' tries them",
            f"1 event was given up because {expired}. No later run tries it",
            f"1 event was given up because {exhausted}. {never} 'max-attempts' tries it",
        )
    ]
    assert (old, expired, exhausted) == (
        "the first attempt is older than 'give-up-after' (3d)",
        "the first attempt is no longer in GitHub's log, only later ones",
        "'max-attempts' (4) is reached",
    )


def test_a_dry_run_warns_of_what_would_be_given_up() -> None:
    dry = replace(a_report(a_result(Outcome.GIVEN_UP, because="it is old")), options=DRY_RUN)

    (warning,) = messages.warnings(dry)

    assert warning == "a real run would give up 1 event, because it is old"


def test_an_event_that_left_the_log_is_given_up() -> None:
    refused = a_result(Outcome.REFUSED, because="GitHub responded 404, Not Found")

    (warning,) = messages.warnings(a_report(refused.gone()))

    assert warning.startswith(
        "1 event was given up because GitHub responded 404, Not Found, and GitHub's log no longer "
        "has this delivery. "
    )


@pytest.mark.parametrize(
    ("number", "retried"), [(1, "the event that is"), (2, "the 2 events that are")]
)
def test_the_closing_says_that_later_runs_retry_events(number: int, retried: str) -> None:
    failing = [a_result(Outcome.STILL_FAILING)] * number

    assert messages.closing(a_report(*failing)) == (
        "Checkpoint saved: 2026-11-24 12:00:00 UTC, the start of this run. The next run looks at "
        f"deliveries and redeliveries that fail after that. Later runs retry {retried} still "
        "failing"
    )


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        pytest.param(
            [7],
            ". 1 event waits because its last redelivery failed, until 2026-11-24 12:07:00 UTC. If "
            "the receiver works again, start a run by hand, which tries it at once (outside "
            "GitHub Actions: with 'at-once')",
            id="one",
        ),
        pytest.param(
            [9, 7],
            ". 2 events wait because their last redelivery failed, the first until 2026-11-24 "
            "12:07:00 UTC. If the receiver works again, start a run by hand, which tries them at "
            "once (outside GitHub Actions: with 'at-once')",
            id="two",
        ),
    ],
)
def test_the_closing_says_how_to_try_events_at_once(minutes: list[int], expected: str) -> None:
    waiting = [a_result(Outcome.WAITING) for _ in minutes]
    results = [
        replace(result, decision=replace(result.decision, waits_until=ago(minutes=-number)))
        for result, number in zip(waiting, minutes, strict=True)
    ]

    assert messages.closing(a_report(*results)).endswith(expected)


def test_deliveries_that_no_run_saw_are_a_warning() -> None:
    gap = replace(a_report(), window=a_window(ago(hours=80)))

    (warning,) = messages.warnings(gap)

    assert warning == (
        "deliveries from 2026-11-21 03:50:00 UTC to 2026-11-21 12:00:00 UTC may have left GitHub's "
        "log before a run dealt with them, because the checkpoint is older than GitHub keeps the "
        "log. GitHub can no longer redeliver them: compare what GitHub has (issues, pull requests "
        "and so on) with what your receiver has. Then check why no run has moved the checkpoint "
        "since"
    )
    assert warning.split()[2] in summary(gap)


def test_a_first_run_that_saved_nothing_says_so() -> None:
    nothing = replace(a_report(a_result(Outcome.DEFERRED)), checkpoint=None)

    assert messages.closing(nothing) == (
        "No checkpoint was saved: the next run looks back as far as 'lookback' again"
    )


def test_a_failed_run_has_no_headline_of_success() -> None:
    unsaved = replace(a_report(), trouble=("cannot write the variable",))

    assert messages.headline(a_report()) == "nothing to redeliver"
    assert messages.headline(unsaved) == "failed, without finding anything to redeliver"


def test_an_unread_log_is_no_success() -> None:
    unread = a_scan_result(scanned=0, error=UnavailableError("GitHub is down"))

    assert messages.problem(a_report(error=UnavailableError("GitHub is down"))) == "GitHub is down"
    shown = summary(replace(a_report(), scans=(unread,)))
    assert "Read nothing of [webhook 1 of organization acme]" in shown


def test_a_special_reason_to_defer_events_is_a_warning() -> None:
    down = "the receiver seems to be down"
    results = [a_result(Outcome.DEFERRED, because=because) for because in (down, down)]
    results += [a_result(Outcome.DEFERRED, because=because) for because in STOP_REASONS]
    over_the_limit = a_decision(verdict=Verdict.SURPLUS)
    results.append(EventResult(decision=over_the_limit, outcome=Outcome.DEFERRED))

    assert messages.warnings(a_report(*results)) == [f"2 events deferred to a later run: {down}"]

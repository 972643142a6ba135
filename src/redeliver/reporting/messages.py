"""What a run says at its end: headline, closing line, warnings, and why it failed."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from signal import Signals

from redeliver.core.decision import Verdict
from redeliver.core.outcome import OUTCOME_UNKNOWN, STOP_REASONS, Outcome
from redeliver.reporting import losses, passed, replay, retries, skipped, tokens, under_way
from redeliver.reporting.counts import NOT_FAILED_OUTCOMES
from redeliver.reporting.format import count, is_or_are, them, utc
from redeliver.reporting.report import FAIL_FOR_TOKEN, Report, delivered_before

GIVEN_UP_BY = {Verdict.TOO_OLD: "give-up-after", Verdict.EXHAUSTED: "max-attempts"}
"""The settings that make a run give up an event."""


def headline(report: Report) -> str:
    """Say what happened, in one line."""
    prefix = "dry run, " if report.options.dry_run else ""
    if report.failed:
        return f"{prefix}{_events(report)}: {_counted(report)}"
    if report.is_failed:
        return f"{prefix}failed, without finding anything to redeliver"
    return f"{prefix}nothing to redeliver"


def _events(report: Report) -> str:
    delivered = delivered_before(report)
    failed = report.failed - delivered
    if not delivered:
        return f"{count(failed, 'event')} failed"
    had = f"{count(delivered, 'event')} had been delivered before"
    return f"{count(failed, 'event')} failed and {had}" if failed else had


def closing(report: Report) -> str:
    """Say what the checkpoint is now, and what the next run does."""
    if report.options.is_replay:
        return replay.closing(report)
    if under_way.is_held(report):
        return under_way.closing(report)
    if report.options.dry_run:
        return f"Dry run: nothing was redelivered, and no checkpoint was saved{_waiting(report)}"
    if report.checkpoint is None:
        nothing = "No checkpoint was saved" if report.store else "No checkpoint is kept"
        return f"{nothing}: the next run looks back as far as 'lookback' again{_waiting(report)}"
    return f"{_checkpoint(report, report.checkpoint)}{_retries(report)}{_waiting(report)}"


def _checkpoint(report: Report, checkpoint: datetime) -> str:
    """Say why the checkpoint is where it is, and where the next run starts to look."""
    saved, window = f"Checkpoint saved: {utc(checkpoint)}", report.window
    after = "The next run looks at deliveries and redeliveries that fail after that"
    if checkpoint > window.now:
        return f"Another run has saved a later checkpoint: {utc(checkpoint)}. {after}"
    if checkpoint == window.now:
        return f"{saved}, the start of this run. {after}"
    if checkpoint == window.checkpoint:
        where = f"Checkpoint not moved ({utc(checkpoint)})" if window.saved else saved
        return f"{where}: the next run checks the deliveries since then again"
    open_results = [result for result in report.results if not result.outcome.dealt_with]
    oldest = min(open_results, key=lambda r: r.decision.delivery.delivered_at, default=None)
    if oldest and oldest.decision.delivery.delivered_at.replace(microsecond=0) == checkpoint:
        saved += f", when the oldest {oldest.outcome.for_users.value} event failed"
    elif checkpoint in {time.replace(microsecond=0) for time in report.holds}:
        saved += ", because a row after that could not be read"
    return f"{saved}. The next run starts there"


def _retries(report: Report) -> str:
    number = len(retries.to_retry(report))
    if not number:
        return ""
    failing = "event that is" if number == 1 else f"{number:,} events that are"
    return f". Later runs retry the {failing} still failing"


def _waiting(report: Report) -> str:
    """Say how to try events at once that wait after a failed redelivery."""
    times = [r.decision.waits_until for r in report.results_with(Outcome.WAITING)]
    first = min(filter(None, times), default=None)
    if first is None:
        return ""
    number, one = len(times), len(times) == 1
    return (
        f". {count(number, 'event')} {'waits' if one else 'wait'} because "
        f"{'its' if one else 'their'} last redelivery failed, "
        f"{'until' if one else 'the first until'} {utc(first)}. If the receiver works again, start "
        f"a run by hand, which tries {them(number)} at once (outside GitHub Actions: with "
        "'at-once')"
    )


def problem(report: Report) -> str | None:
    """Return why the run failed, with advice; None if it did not fail."""
    problems = [*dict.fromkeys(str(s.error) for s in report.scans if s.error), *report.trouble]
    problems += skipped.unknown_formats(report)
    problems += replay.problems(report)
    if report.interrupted:
        is_replay = report.options.is_replay
        problems.insert(0, stopped(report.interrupted, by_next_run=not is_replay))
    if not problems:  # usually, the errors above are the reason
        problems += _not_redelivered(report)
    if report.options.fail_unrecovered:
        problems += _unrecovered(report)
    return ". Also, ".join(problems) or None


def _not_redelivered(report: Report) -> Iterator[str]:
    is_replay = report.options.is_replay
    of_failed = f"of {report.failed:,} {'' if delivered_before(report) else 'failed '}events"
    found = []
    if number := report.count(Outcome.REFUSED):
        found.append(f"GitHub refused to redeliver {number:,} {of_failed}")
    if number := report.count(Outcome.UNANSWERED):
        found.append(f"GitHub did not confirm the redelivery of {number:,} {of_failed}")
    if number := report.count(Outcome.UNREAD):
        found.append(
            f"GitHub's log could not be read back to the first attempt of {number:,} {of_failed}"
        )
    if found:
        next_run = "" if is_replay else "; the next run tries again"
        advice = f"The log of this run has the reason{next_run}"
        yield f"{', and '.join(found)}. {advice}"


def _unrecovered(report: Report) -> Iterator[str]:
    failing, given_up = report.count(Outcome.STILL_FAILING), report.count(Outcome.GIVEN_UP)
    of_failed, were = f"of {report.failed:,} failed events", "was" if given_up == 1 else "were"
    found = [f"{failing:,} {of_failed} {is_or_are(failing)} still failing"] if failing else []
    found += [f"{given_up:,} {of_failed} {were} given up"] if given_up else []
    if report.not_shown:
        found.append(
            f"{report.not_shown:,} {of_failed} had already failed a redelivery before this run, "
            "and GitHub's log shows no success yet"
        )
    found += [losses.may_leave(report)] if report.leaving else []
    found += [losses.may_be_unseen(report.unseen)] if report.unseen else []
    found += [losses.rows_may_leave(report)] if report.rows_leaving else []
    found += tokens.expiring(report, FAIL_FOR_TOKEN)
    if found:
        yield f"the run fails because 'fail-on' is 'unrecovered': {'; '.join(found)}"


def warnings(report: Report) -> list[str]:
    """Return what the user should know even if the run did not fail."""
    found = [report.limit] if report.limit else []
    if not report.scans:
        found.append(
            "there is no webhook, so this run read nothing, and did not move the checkpoint. Check "
            "'org' or 'repo'"
        )
    found += _unknown_events(report)
    found += replay.warnings(report)
    found += _deferred(report)
    found += retries.warning(report)
    found += _given_up(report)
    if report.leaving:
        found.append(losses.may_leave(report))
    found += _outcomes_not_seen(report)
    found += skipped.warnings(report)
    found += passed.older(report)
    found += passed.by_hand(report)
    if report.unseen:
        found.append(losses.may_be_unseen(report.unseen))
    found += tokens.expiring(report, tokens.WARN_BEFORE)
    return found


def _unknown_events(report: Report) -> Iterator[str]:
    """Warn of entries that are misspelled, or name events that are newer than this version."""
    entries = [str(position) for position in report.options.policy.events.unknown]
    if not entries:
        return
    *others, last = entries
    found = f"entries {', '.join(others)} and {last}" if others else f"entry {last}"
    yield (
        f"{found} of 'events' {'match' if others else 'matches'} no event that this version of "
        "redeliver knows. If GitHub has added such an event recently, the filter works, and you "
        "can update redeliver to end this warning. Otherwise, correct what is misspelled: it "
        "matches nothing"
    )


def _deferred(report: Report) -> Iterator[str]:
    yield from under_way.warnings(report)
    # Nothing went wrong with events over the limit, and what stopped a run is reported anyway.
    unexpected = [
        result.because
        for result in report.results_with(Outcome.DEFERRED)
        if result.decision.verdict is not Verdict.SURPLUS and result.because not in STOP_REASONS
    ]
    for because, number in Counter(unexpected).most_common():
        deferred = "not redelivered" if report.options.is_replay else "deferred to a later run"
        yield f"{count(number, 'event')} {deferred}: {because}"


def _given_up(report: Report) -> Iterator[str]:
    reasons = Counter(
        (result.because, GIVEN_UP_BY.get(result.decision.verdict))
        for result in report.results_with(Outcome.GIVEN_UP)
    )
    for (because, setting), number in reasons.most_common():
        events, were = count(number, "event"), "was" if number == 1 else "were"
        if report.options.dry_run:
            yield f"a real run would give up {events}, because {because}"
        else:
            same = f" with the same '{setting}'" if setting else ""
            yield (
                f"{events} {were} given up because {because}. No later run{same} tries "
                f"{'it' if number == 1 else 'them'} again. With 'guids', you can redeliver an "
                "event as long as one of its attempts is in GitHub's log"
            )


def _outcomes_not_seen(report: Report) -> Iterator[str]:
    webhooks = [result.key.webhook for result in report.results_with(*OUTCOME_UNKNOWN)]
    reasons = Counter(report.unverified[hook] for hook in webhooks if hook in report.unverified)
    for because, number in reasons.items():
        redeliveries = count(number, "redelivery", "redeliveries")
        yield f"the outcome of {redeliveries} is unknown: {because}"


def stopped(by: Signals, *, by_next_run: bool = True) -> str:
    """Say that a signal stopped the run."""
    next_run = ". A later run redelivers what this one did not" if by_next_run else ""
    return f"stopped by {by.name}{next_run}"


def _counted(report: Report) -> str:
    counts = Counter(
        result.outcome.for_users
        for result in report.results
        if result.outcome not in NOT_FAILED_OUTCOMES
    )
    return ", ".join(f"{counts[kind]:,} {kind.value}" for kind in Outcome if counts[kind])

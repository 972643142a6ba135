"""Sentences about the health of receivers, with advice."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from redeliver.core.health import FailureKind, Health, HealthVerdict
from redeliver.core.health_counter import SLOW_FROM
from redeliver.core.scan import ScanResult
from redeliver.reporting.format import count, percent, utc
from redeliver.reporting.report import Report

WORKS_AGAIN = timedelta(hours=1)
"""How long before the last success the last failure must be, so that advice is not needed."""

REASONS = {
    FailureKind.NO_CONNECTION: (
        "GitHub could not connect to the receiver",
        "Check that the receiver runs, and that GitHub can reach the webhook's URL",
    ),
    FailureKind.TIMEOUT: (
        "the receiver did not respond in time",
        "Let the receiver respond first, and work afterwards",
    ),
    FailureKind.REJECTED: (
        "the receiver rejected the delivery (401, 403 or 404)",
        "Check the webhook's secret, and the path of its URL",
    ),
    FailureKind.ERROR: (
        "the receiver responded with an error",
        "Read the receiver's log. GitHub follows no redirects (301 to 308)",
    ),
}
"""How deliveries fail, and what to do about it."""


def by_severity(report: Report) -> list[tuple[ScanResult, Health]]:
    """Return the webhooks whose health is known, the worst first."""
    verdicts = list(HealthVerdict)
    known = [(scan, scan.health) for scan in report.scans if scan.health]
    return sorted(known, key=lambda pair: verdicts.index(pair[1].verdict))


def log_line(scan: ScanResult, receiver_timeout: timedelta) -> str:
    """Say what is wrong with the receiver of a webhook; empty if nothing is, as far as is known."""
    if not scan.health or scan.health.verdict is HealthVerdict.HEALTHY:
        return ""
    verdict = scan.health.verdict.value
    return f"Health of {scan.webhook.name}: {verdict}. {details(scan.health, receiver_timeout)}"


def details(health: Health, receiver_timeout: timedelta) -> str:
    """Say in sentences why the verdict is what it is, and what to do."""
    return ". ".join(_details(health, receiver_timeout))


def _details(health: Health, receiver_timeout: timedelta) -> Iterator[str]:
    if health.down_since:
        yield from _down(health, health.down_since)
    elif health.verdict is HealthVerdict.SLOW:
        yield from _slow(health, receiver_timeout.total_seconds())
    elif health.verdict is HealthVerdict.SILENT:
        yield _silent(health)
    else:
        yield _failed(health)
    if health.verdict is HealthVerdict.FAILING:
        yield from _failing(health)
    if health.p95 is not None:
        yield f"95 % of the responses took at most {max(health.p95, 0.1):g} s"
    if health.throttled:
        yield f"GitHub throttled {count(health.throttled, 'delivery', 'deliveries')}"


def _down(health: Health, since: datetime) -> Iterator[str]:
    if health.last_success:
        yield (
            f"No delivery has succeeded since {utc(since)}: {health.in_a_row:,} in a row failed. "
            f"The last success was at {utc(health.last_success)}"
        )
    else:
        yield (
            f"All {health.in_a_row:,} deliveries that were read failed. The oldest is of "
            f"{utc(since)}, so the receiver may have been down for longer"
        )
    yield from _most_failures(health)


def _failing(health: Health) -> Iterator[str]:
    why, *advice = _most_failures(health)
    yield why
    if health.last_failure and health.last_success:
        if health.last_success - health.last_failure > WORKS_AGAIN:
            yield f"None has failed since {utc(health.last_failure)}, so the receiver works again"
            return
        advice.append(
            f"The last failure was at {utc(health.last_failure)}, the last success at "
            f"{utc(health.last_success)}"
        )
    yield from advice


def _failed(health: Health) -> str:
    deliveries = count(health.deliveries, "first delivery", "first deliveries")
    if not health.failed:
        return f"{deliveries}, none failed"
    share = percent(health.failed / health.deliveries)
    return f"{health.failed:,} of {deliveries} failed ({share})"


def _most_failures(health: Health) -> Iterator[str]:
    """Say why most deliveries failed, and what to do; nothing if none of the window did."""
    for kind, number in list(health.failures.items())[:1]:
        why, advice = REASONS[kind]
        failures = f"{health.failed:,} failures"
        which = f"all {failures}" if number == health.failed else f"{number:,} of {failures}"
        which = "the only failure" if health.failed == 1 else which
        yield f"In {which} in this run's time window, {why}"
        yield advice


def _slow(health: Health, waits: float) -> Iterator[str]:
    share = percent(health.slow / health.responses)
    yield (
        f"{share} of {count(health.responses, 'response')} took more than {SLOW_FROM * waits:g} s. "
        f"GitHub stops waiting at {waits:g} s, and then the event arrives twice. Let the receiver "
        "respond first, and work afterwards"
    )


def _silent(health: Health) -> str:
    last = max(time for time in (health.last_success, health.last_failure) if time)
    return (
        f"GitHub sent no new event; the last delivery or redelivery was at {utc(last)}. If you "
        "expected events, check on GitHub that the webhook is active, and to which events it "
        "subscribes"
    )

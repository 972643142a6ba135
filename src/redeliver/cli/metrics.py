"""Write the results of the last run to a file, as metrics for Prometheus' node exporter.

All metrics are gauges of the last run. A counter would need the values of all runs before it.
https://prometheus.io/docs/practices/naming/
"""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from redeliver.cli.checkpoint_file import real
from redeliver.core.delivery import Webhook
from redeliver.core.health import HealthVerdict
from redeliver.core.outcome import Outcome
from redeliver.errors import FileError, InputError
from redeliver.reporting.report import Report
from redeliver.settings import Settings

SUFFIX = ".prom"
"""The node exporter reads only files whose names end so:
https://github.com/prometheus/node_exporter#textfile-collector
"""

OUTCOMES = tuple(o for o in Outcome if o.for_users is o and o is not Outcome.DUE)
"""The outcomes of a real run as users see them. Together they have every event exactly once."""

READABLE_BY_ALL = 0o022
"""The umask for the file: the node exporter runs as another user."""


class MetricsFile:
    """The metrics of the last run, in a file that each run replaces."""

    def __init__(self, path: Path, settings: Settings) -> None:
        """Check the path; raise `InputError` or `FileError` if no metrics can be there."""
        self._file = real(path)
        self._owner = settings.org or settings.repo or f"app {settings.app_id}"
        if self._file.suffix != SUFFIX:
            raise InputError(
                f"'metrics-file' must end in {SUFFIX}, because the node exporter reads no other "
                "files"
            )
        if not self._file.parent.is_dir():
            raise FileError(
                f"'metrics-file' is in {self._file.parent}, which is not a directory: create it, "
                "or correct the path. Nothing was redelivered"
            )
        if self._file.exists() and not self._file.is_file():
            # A write would replace a device by a file.
            raise FileError(
                f"{self._file} is not a regular file, so it cannot hold metrics: choose another "
                "path. Nothing was redelivered"
            )

    def write(
        self, report: Report | None, *, ended: datetime, seconds: float, succeeded: bool
    ) -> None:
        """Replace the metrics by those of a run that took `seconds`, or raise `FileError`.

        `report` is None if the run ended with an error before it had one. At every moment, the file
        has all metrics of one run.
        """
        gauges = _Gauges(self._file.name)
        gauges.set("last_run_timestamp_seconds", "When the last run ended.", ended.timestamp())
        gauges.set("last_run_duration_seconds", "How long the last run took.", seconds)
        gauges.set("last_run_success", "Whether the exit status of the last run was 0.", succeeded)
        if report:
            _add_times(gauges, report)
            _add_counts(gauges, report, self._owner)
        umask = os.umask(READABLE_BY_ALL)
        try:
            write_to_textfile(str(self._file), gauges.registry)
        except OSError as error:
            raise FileError(
                f"the metrics could not be written to {self._file}: {error.strerror}. This does "
                "not affect redeliveries. Check that the user who runs redeliver may write in "
                "that directory, and that the disk is not full"
            ) from error
        finally:
            os.umask(umask)


class _Gauges:
    """Gauges that all have the label `file`.

    The node exporter refuses a series that is in two files. With this label, none is, even if two
    commands on a server are for the same webhook.
    """

    def __init__(self, file_name: str) -> None:
        self.registry = CollectorRegistry()
        self._file_name = file_name

    def set(self, name: str, text: str, value: float) -> None:
        """Add a gauge with one value."""
        self.add(name, text, (), [((), value)])

    def add(
        self,
        name: str,
        text: str,
        labels: Iterable[str],
        values: Iterable[tuple[Iterable[str], float]],
    ) -> None:
        """Add a gauge with a value for each combination of the labels."""
        gauge = Gauge(f"redeliver_{name}", text, ["file", *labels], registry=self.registry)
        for texts, value in values:
            gauge.labels(self._file_name, *texts).set(value)


def _add_times(gauges: _Gauges, report: Report) -> None:
    if report.checkpoint:
        gauges.set(
            "checkpoint_timestamp_seconds",
            "The checkpoint: up to when every failure has been dealt with.",
            report.checkpoint.timestamp(),
        )
    gauges.add(
        "token_expiration_timestamp_seconds",
        "When a token expires, by the input that has it, as far as GitHub tells.",
        ["input"],
        [([name], end.timestamp()) for name, end in report.token_expirations.items()],
    )


def _add_counts(gauges: _Gauges, report: Report, owner: str) -> None:
    labels = ["owner", "webhook"]
    of_webhook = {scan.webhook: [owner, _id(scan.webhook)] for scan in report.scans}
    gauges.add(
        "read_deliveries",
        "Deliveries that the last run read in GitHub's log.",
        labels,
        [(of_webhook[scan.webhook], scan.scanned) for scan in report.scans],
    )
    gauges.add(
        "failed_deliveries",
        "Deliveries among them that have failed.",
        labels,
        [(of_webhook[scan.webhook], scan.failed_deliveries) for scan in report.scans],
    )
    gauges.add(
        "receiver_health",
        "How well the receiver works: 1 for the verdict that the last run came to, else 0.",
        [*labels, "verdict"],
        [
            ([*of_webhook[scan.webhook], verdict.value], float(scan.health.verdict is verdict))
            for scan in report.scans
            if scan.health
            for verdict in HealthVerdict
        ],
    )
    gauges.add(
        "receiver_response_seconds",
        "Within how many seconds 95 % of the responses came.",
        labels,
        [
            (of_webhook[scan.webhook], scan.health.p95)
            for scan in report.scans
            if scan.health and scan.health.p95 is not None
        ],
    )
    outcomes = _outcomes(report)
    gauges.add(
        "events",
        "Events that had failed, by what became of them in the last run.",
        [*labels, "outcome"],
        [
            ([*texts, outcome.name.lower()], outcomes[webhook][outcome])
            for webhook, texts in of_webhook.items()
            for outcome in OUTCOMES
        ],
    )


def _outcomes(report: Report) -> Mapping[Webhook, Counter[Outcome]]:
    """Count the events of each webhook by outcome."""
    counts = defaultdict[Webhook, Counter[Outcome]](Counter)
    for result in report.results:
        counts[result.key.webhook][result.outcome.for_users] += 1
    return counts


def _id(webhook: Webhook) -> str:
    """Return what the label calls a webhook; that of a GitHub App has no id."""
    return str(webhook.id) if webhook.id else "app"

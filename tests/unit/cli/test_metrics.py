"""The metrics of a run say what its report says, and are replaced as a whole."""

import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from redeliver.cli.metrics import MetricsFile
from redeliver.core.health import HealthVerdict
from redeliver.core.outcome import Outcome
from redeliver.errors import FileError, InputError
from redeliver.reporting.report import Report
from redeliver.settings import Settings, parse
from tests.support.builders import (
    GOOD_INPUTS,
    NOW,
    ONE_RESULT_OF_EACH,
    OWN_WEBHOOK_INPUTS,
    a_report,
    a_result,
    a_scan_result,
    a_webhook,
    failed,
    health_of,
)
from tests.support.metrics import Values, metrics_in

ENDED = NOW.replace(minute=5)

SETTINGS = parse(GOOD_INPUTS)

RUN = {
    "last_run_timestamp_seconds": {"": ENDED.timestamp()},
    "last_run_duration_seconds": {"": 12.5},
    "last_run_success": {"": 1},
}
"""The metrics of a run without a report."""


def write(file: Path, report: Report | None = None, *, settings: Settings = SETTINGS) -> Values:
    """Write the metrics of a successful run, and return them as they were read again."""
    MetricsFile(file, settings).write(report, ended=ENDED, seconds=12.5, succeeded=True)
    return metrics_in(file)


@contextmanager
def a_full_disk() -> Iterator[None]:
    """Let this process write no byte to any file."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "redeliver.prom"


def test_a_run_without_a_report_says_when_it_ended(file: Path) -> None:
    assert write(file) == RUN

    MetricsFile(file, SETTINGS).write(None, ended=ENDED, seconds=12.5, succeeded=False)

    assert metrics_in(file)["last_run_success"] == {"": 0}


def test_each_verdict_on_a_receiver_is_0_or_1(file: Path) -> None:
    down = health_of(*(failed(minutes=n) for n in range(1, 6)))
    scans = (replace(a_scan_result(), health=down), a_scan_result(webhook=a_webhook(2)))

    values = write(file, replace(a_report(), scans=scans))

    label = "owner=acme, webhook=1"
    assert {name: value for name, value in values["receiver_health"].items() if value} == {
        "owner=acme, verdict=down, webhook=1": 1
    }
    assert len(values["receiver_health"]) == len(HealthVerdict)
    assert values["receiver_response_seconds"] == {label: 0.3}


def test_the_checkpoint_and_the_ends_of_tokens_are_times(file: Path) -> None:
    report = replace(a_report(), token_expirations={"token": ENDED, "variable-token": NOW})

    values = write(file, report)

    assert values["checkpoint_timestamp_seconds"] == {"": NOW.timestamp()}
    assert values["token_expiration_timestamp_seconds"] == {
        "input=token": ENDED.timestamp(),
        "input=variable-token": NOW.timestamp(),
    }


def test_a_time_that_is_unknown_is_left_out(file: Path) -> None:
    values = write(file, replace(a_report(), checkpoint=None))

    assert "checkpoint_timestamp_seconds" not in values
    assert values["token_expiration_timestamp_seconds"] == {}


def test_every_event_is_counted_once_by_its_outcome(file: Path) -> None:
    real = [result for result in ONE_RESULT_OF_EACH if result.outcome is not Outcome.DUE]

    values = write(file, a_report(*real))

    expected = dict.fromkeys(
        ("recovered", "still_failing", "pending", "refused", "given_up", "delivered", "filtered"), 1
    )
    assert values["events"] == {
        f"outcome={name}, owner=acme, webhook=1": number
        for name, number in {**expected, "deferred": 5}.items()
    }
    assert sum(values["events"].values()) == len(real)


def test_each_webhook_has_its_own_numbers(file: Path) -> None:
    scans = (a_scan_result(), a_scan_result(webhook=a_webhook(2), scanned=9, failed_deliveries=0))

    values = write(file, replace(a_report(a_result(Outcome.REFUSED)), scans=scans))

    assert values["read_deliveries"] == {
        "owner=acme, webhook=1": 230,
        "owner=acme, webhook=2": 9,
    }
    assert values["failed_deliveries"] == {
        "owner=acme, webhook=1": 46,
        "owner=acme, webhook=2": 0,
    }
    assert values["events"]["outcome=refused, owner=acme, webhook=1"] == 1
    assert {n for labels, n in values["events"].items() if "webhook=2" in labels} == {0}


@pytest.mark.parametrize(
    ("inputs", "labels"),
    [
        pytest.param(
            {**GOOD_INPUTS, "org": "", "repo": "acme/shop"},
            "owner=acme/shop, webhook=1",
            id="a repository's",
        ),
        pytest.param(
            OWN_WEBHOOK_INPUTS, "owner=app Iv23liAcme, webhook=app", id="a GitHub App's own"
        ),
    ],
)
def test_a_webhook_is_named_by_owner_and_id(
    file: Path, inputs: dict[str, str], labels: str
) -> None:
    webhook = replace(a_webhook(), id=None) if inputs is OWN_WEBHOOK_INPUTS else a_webhook()

    report = replace(a_report(), scans=(a_scan_result(webhook=webhook),))

    assert write(file, report, settings=parse(inputs))["read_deliveries"] == {labels: 230}


def test_everybody_may_read_the_file_whatever_the_umask(file: Path) -> None:
    """The units for systemd have `UMask=0077`, and the node exporter is another user."""
    file.touch(mode=0o600)

    write(file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert list(file.parent.iterdir()) == [file]


def test_a_symbolic_link_stays_and_its_target_is_replaced(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.prom"
    link.symlink_to(file)

    MetricsFile(link, SETTINGS).write(None, ended=ENDED, seconds=12.5, succeeded=True)

    assert link.is_symlink()
    assert metrics_in(file) == RUN


def test_a_full_disk_leaves_the_old_metrics(file: Path) -> None:
    metrics = MetricsFile(file, SETTINGS)
    metrics.write(None, ended=ENDED, seconds=12.5, succeeded=True)

    with (
        a_full_disk(),
        pytest.raises(FileError, match=r"could not be written to .*: File too larg"),
    ):
        metrics.write(a_report(), ended=NOW, seconds=1, succeeded=False)

    assert metrics_in(file) == RUN
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    ("path", "kind", "error"),
    [
        pytest.param("redeliver.txt", InputError, "must end in .prom", id="another ending"),
        pytest.param("none/a.prom", FileError, "which is not a directory", id="no directory"),
        pytest.param("dir.prom", FileError, "is not a regular file", id="a directory"),
    ],
)
def test_a_path_for_no_metrics_is_refused(
    tmp_path: Path, path: str, kind: type[Exception], error: str
) -> None:
    (tmp_path / "dir.prom").mkdir()

    with pytest.raises(kind, match=error):
        MetricsFile(tmp_path / path, SETTINGS)

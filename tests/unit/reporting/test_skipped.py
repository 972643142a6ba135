"""What a run says of rows that it could not read."""

from dataclasses import replace

import pytest

from redeliver.core.unreadable import UnreadableRow
from redeliver.reporting import messages
from redeliver.reporting.report import Report
from tests.support.builders import a_report, a_scan_result, ago


def with_rows(*rows: UnreadableRow, store: str = "variable X of acme/ops") -> Report:
    return replace(a_report(), store=store, scans=(replace(a_scan_result(), unreadable=rows),))


def a_row(number: int = 7, *, succeeded: bool = False) -> UnreadableRow:
    return UnreadableRow(
        problem="'status' is missing",
        id=str(number),
        succeeded=succeeded,
        earliest=ago(hours=2),
        latest=ago(hours=1),
    )


@pytest.mark.parametrize(
    ("report", "warning"),
    [
        pytest.param(
            with_rows(a_row()),
            "1 row of the delivery log of webhook 1 of organization acme could not be read, so "
            "this run skipped it: delivery 7 ('status' is missing). If the webhook's page on "
            "GitHub shows that this delivery failed, redeliver it there. The checkpoint stays "
            "before this row until 2026-11-27 11:00:00 UTC at the latest. Also, please report this "
            "as a bug in redeliver",
            id="one row",
        ),
        pytest.param(
            with_rows(*map(a_row, range(7)), store=""),
            "7 rows of the delivery log of webhook 1 of organization acme could not be read, so "
            "this run skipped them: delivery 0 ('status' is missing), delivery 1 ('status' is "
            "missing), delivery 2 ('status' is missing), delivery 3 ('status' is missing), "
            "delivery 4 ('status' is missing), and 2 more. If the webhook's page on GitHub shows "
            "that one of these deliveries failed, redeliver it there. Also, please report this as "
            "a bug in redeliver",
            id="many rows, and no checkpoint",
        ),
        pytest.param(
            with_rows(a_row(succeeded=True)),
            "1 row of the delivery log of webhook 1 of organization acme could not be read, so "
            "this run skipped it: delivery 7 ('status' is missing). GitHub lists it as delivered. "
            "Also, please report this as a bug in redeliver",
            id="a success",
        ),
    ],
)
def test_a_warning_says_what_follows_from_skipped_rows(report: Report, warning: str) -> None:
    assert messages.warnings(report) == [warning]

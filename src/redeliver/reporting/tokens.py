"""What a run says of tokens that expire soon."""

from collections.abc import Iterator
from datetime import timedelta

from redeliver.reporting.format import age, utc
from redeliver.reporting.report import Report

WARN_BEFORE = timedelta(days=14)
"""How long before a token expires a run warns of it."""


def expiring(report: Report, within: timedelta) -> Iterator[str]:
    """Say which tokens expire within this time, and what to do."""
    for token_input, end in report.expiring(within).items():
        left = age(end - report.window.now)
        yield (
            f"the token in input '{token_input}' expires at {utc(end)}, in {left}. After that, "
            "every run fails. Before that, create a new token, and save it where this input gets "
            "its value, such as a secret"
        )

"""The values of flags and typed commands."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import timedelta

import pytest

from github_sandbox.command import values


@pytest.mark.parametrize(
    ("convert", "text", "value"),
    [
        (values.port, "0", 0),
        (values.port, "65535", 65535),
        (values.number_of_events, "1", 1),
        (values.number_of_events, "1000", 1000),
        (values.failing_status, "300", 300),
        (values.failing_status, "599", 599),
        (values.time_span, "30s", timedelta(seconds=30)),
        (values.time_span, "20m", timedelta(minutes=20)),
        (values.time_span, "3h", timedelta(hours=3)),
        (values.time_span, "2d", timedelta(days=2)),
    ],
)
def test_a_valid_value_is_converted(
    convert: Callable[[str], object], text: str, value: object
) -> None:
    assert convert(text) == value


@pytest.mark.parametrize(
    ("convert", "texts", "advice"),
    [
        (values.port, ["", "-1", "65536", "http"], "a number from 0 to 65535"),
        (values.number_of_events, ["", "0", "1001", "20x", "-1"], "a number from 1 to 1000"),
        (values.failing_status, ["", "299", "600", "5xx", "5000"], "a status code from 300 to 599"),
        (values.time_span, ["", "5", "0m", "m", "2w", "1h30m"], "such as 30s, 20m, 3h or 2d"),
    ],
)
def test_an_invalid_value_is_an_error_with_the_valid_ones(
    convert: Callable[[str], object], texts: list[str], advice: str
) -> None:
    for text in texts:
        with pytest.raises(ArgumentTypeError, match=advice):
            convert(text)

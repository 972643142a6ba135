"""Convert the values of flags and typed commands, or say which values are allowed."""

import re
from argparse import ArgumentTypeError
from datetime import timedelta

MAX_EVENTS = 1000
"""More would take longer than a few seconds."""


def port(text: str) -> int:
    """Convert the number of a port."""
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) >= 2**16:
        raise ArgumentTypeError("must be a number from 0 to 65535, where 0 means any free port")
    return int(text)


def number_of_events(text: str) -> int:
    """Convert a number of events."""
    if not re.fullmatch("[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_EVENTS:
        raise ArgumentTypeError(f"must be a number from 1 to {MAX_EVENTS}")
    return int(text)


def failing_status(text: str) -> int:
    """Convert the status code of a response that GitHub counts as a failure."""
    if not re.fullmatch("[3-5][0-9]{2}", text):
        raise ArgumentTypeError("must be a status code from 300 to 599")
    return int(text)


def time_span(text: str) -> timedelta:
    """Convert a time span."""
    match = re.fullmatch("([1-9][0-9]{0,3})([smhd])", text)
    if not match:
        raise ArgumentTypeError("must be a time span such as 30s, 20m, 3h or 2d")
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    return timedelta(**{units[match[2]]: int(match[1])})

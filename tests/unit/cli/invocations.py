"""Resolved command lines."""

from redeliver.cli.environment import Invocation, resolve
from redeliver.cli.flags import parse as parse_flags


def invoke(*arguments: str, **environment: str) -> Invocation:
    """Resolve a command line and environment variables."""
    given = parse_flags(arguments)
    assert given
    return resolve(given.values, environment)

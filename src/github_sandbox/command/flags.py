"""The flags of the command."""

import argparse
from dataclasses import dataclass

from github_sandbox.command import values


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the flags say."""

    port: int
    failures: int


def create_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of the flags, which can also report an error."""
    parser = argparse.ArgumentParser(prog="python -m github_sandbox", description=description)
    parser.add_argument(
        "--port",
        type=values.port,
        default=8000,
        metavar="NUMBER",
        help="port to listen on, 0 for any free one (default: %(default)s)",
    )
    parser.add_argument(
        "--failures",
        type=values.number_of_events,
        default=8,
        metavar="NUMBER",
        help="how many deliveries have failed in the last 12 hours (default: %(default)s)",
    )
    return parser


def parse(parser: argparse.ArgumentParser) -> Options:
    """Parse the command line, or end the process with a message."""
    arguments = parser.parse_args()
    return Options(
        port=arguments.port,
        failures=arguments.failures,
    )

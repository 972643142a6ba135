"""The entry point of the command: flags and environment in; lines, a table or JSON out.

It needs the packages in the extra `cli`. The exit statuses are those of
sysexits.h: see EXIT_STATUSES.
"""

import os
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

from redeliver.cli.environment import ENVIRONMENT, refuse_secrets
from redeliver.cli.wording import Wording
from redeliver.errors import (
    AccessError,
    BusyError,
    CheckpointError,
    FileError,
    InputError,
    Interrupted,
    RateLimitError,
    RedeliverError,
    UnavailableError,
)
from redeliver.interruption import interruptible
from redeliver.reporting import messages

if TYPE_CHECKING:
    from redeliver.cli.terminal import Stream

PACKAGES = ("click", "prometheus_client", "rich")
"""The packages that only the command needs."""

EXIT_STATUSES: Mapping[int, str] = {
    os.EX_OK: "Success. Warnings count the deferred events, except those over --max-redeliveries "
    "and those that wait after a failed redelivery.",
    1: "The run completed with problems: for example, a delivery log could not be read, GitHub "
    "refused or did not confirm a redelivery, or the checkpoint could not be saved. With --fail-on "
    "unrecovered, also if an event is still failing or was given up, or if events may leave "
    "GitHub's log before a run deals with them.",
    os.EX_USAGE: "A flag or an environment variable is wrong. Nothing was redelivered.",
    os.EX_DATAERR: "The variable or the file holds something that is not a checkpoint. It was not "
    "changed.",
    os.EX_UNAVAILABLE: "GitHub sent no usable response, so nothing was redelivered. Or the command "
    "is not fully installed.",
    os.EX_SOFTWARE: "A bug in redeliver. Please report it.",
    os.EX_CANTCREAT: "The checkpoint file cannot be read or written, or --metrics-file is in a "
    "directory that does not exist. Nothing was redelivered.",
    os.EX_IOERR: "The run completed, but the report could not be written to standard output, or "
    "the metrics could not be written to their file.",
    os.EX_TEMPFAIL: "Try again later: another run is using the checkpoint file, or GitHub is rate "
    "limiting requests.",
    os.EX_NOPERM: "The token or App is invalid or lacks a permission, or the organization, "
    "repository or webhook does not exist. Nothing was redelivered.",
    130: "Stopped by SIGINT. A later run redelivers what this one did not.",
    143: "Stopped by SIGTERM. A later run redelivers what this one did not.",
}
"""The exit statuses for the help; docs/own-server.md has the same."""

STATUS_OF: Mapping[type[RedeliverError], int] = {
    InputError: os.EX_USAGE,
    CheckpointError: os.EX_DATAERR,
    FileError: os.EX_CANTCREAT,
    BusyError: os.EX_TEMPFAIL,
    RateLimitError: os.EX_TEMPFAIL,  # before its base class
    UnavailableError: os.EX_UNAVAILABLE,
    AccessError: os.EX_NOPERM,
}
"""The exit status for each error that ends a run; the first matching class counts."""


def main() -> int:
    """Run with the options of the command line, once or in a loop, and return the exit status."""
    if not all(map(find_spec, PACKAGES)):
        sys.stderr.write(
            "redeliver: a package that the command needs is not installed. "
            "Run: pip install 'redeliver-webhooks[cli]'\n"
        )
        return os.EX_UNAVAILABLE
    from redeliver.cli import terminal  # noqa: PLC0415 - needs rich, which may be missing

    errors, wording = terminal.Stream(sys.stderr), Wording()
    try:
        return _run(errors, wording)
    except RedeliverError as error:
        errors.print(wording(f"Error: {error}"))
        return next(status for kind, status in STATUS_OF.items() if isinstance(error, kind))
    except Interrupted as stop:
        errors.print(wording(f"Error: {messages.stopped(stop.signal)}"))
        return 128 + stop.signal
    except Exception:  # noqa: BLE001 - even the traceback of a bug is sanitized
        for line in traceback.format_exc().splitlines():
            errors.print(wording(line))
        errors.print("Error: this is a bug in redeliver. Please report it with the lines above")
        return os.EX_SOFTWARE


def _run(errors: "Stream", wording: "Wording") -> int:
    from redeliver.cli import flags, job, loop, terminal  # noqa: PLC0415 - need click and rich

    arguments = sys.argv[1:]
    refuse_secrets(arguments, os.environ)
    tables = {
        "Environment variables": ENVIRONMENT,
        "Exit status": {str(k): v for k, v in EXIT_STATUSES.items()},
    }
    found = flags.parse(arguments, tables=tables)
    if found is None:
        return os.EX_OK
    command = job.Command(
        flags=found.values,
        environment=os.environ,
        wording=wording,
        out=terminal.Stream(sys.stdout),
        errors=errors,
        as_json=found.as_json,
        now=_now,
    )
    first = command.read()
    command = command.prepare(first)
    screen = command.new_screen()
    with interruptible():  # first, so that a signal cannot keep the run from cleaning up
        if first.every:
            screen.say(loop.opening(first.settings, first.every))
            runs = loop.Loop(command.run_anew, command.new_screen, every=first.every, now=_now)
            return runs.until_signal()
        _, status = command.run(lambda: first, screen)
    return status


def _now() -> datetime:
    """Return this machine's time, for the log of a loop and for metrics."""
    return datetime.now(tz=UTC)  # noqa: TID251 - GitHub's time is unknown while GitHub is down

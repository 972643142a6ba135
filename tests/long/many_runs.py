"""Make a thousand runs in one process, without waiting, and print what the process has after some.

A test starts this as a program, because the process of the tests also has the sandbox.
"""

import gc
import json
import os
import sys
import threading
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGTERM

from redeliver.cli import flags
from redeliver.cli.job import Command
from redeliver.cli.loop import Loop
from redeliver.cli.terminal import Stream
from redeliver.cli.wording import Wording
from redeliver.errors import Interrupted

MEASURED = (200, 1000)
"""After how many runs to measure."""


def main() -> None:
    """Run with the command line of this process."""
    found = flags.parse(sys.argv[1:])
    assert found
    command = Command(
        flags=found.values,
        environment=os.environ,
        wording=Wording(),
        out=Stream(sys.stderr),
        errors=Stream(sys.stderr),
        as_json=False,
        now=now,
    )
    runs = 0

    def sleep(_seconds: float) -> None:
        nonlocal runs
        runs += 1
        if runs in MEASURED:
            sys.stdout.write(json.dumps({"runs": runs} | measure()) + "\n")
        if runs == MEASURED[-1]:
            raise Interrupted(SIGTERM)

    loop = Loop(
        command.run_anew,
        command.new_screen,
        every=timedelta(seconds=1),
        now=now,
        sleep=sleep,
    )
    tracemalloc.start()
    loop.until_signal()


def now() -> datetime:
    """Return a time for the log."""
    return datetime(2026, 11, 24, tzinfo=UTC)


def measure() -> dict[str, int]:
    """Return how much memory, threads and files this process has, in bytes or as a number."""
    gc.collect()
    return {
        "traced": tracemalloc.get_traced_memory()[0],
        "threads": threading.active_count(),
        "files": len([*Path("/proc/self/fd").iterdir()]),
    }


if __name__ == "__main__":
    main()

"""Run a command, and print its output, duration, CPU time and peak memory as JSON.

Usage: `python -I -S launch.py COMMAND…`.

A small process has to start the command: the peak memory of a child includes its parent's memory
at the fork, and the process with the simulated GitHub is large. It also runs in the image, which
has nothing of this directory: `process.py` passes it as text.
"""

import json
import os
import sys
import tempfile
import time


def main() -> None:
    """Run the command."""
    command = sys.argv[1:]
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        child = os.posix_spawnp(
            command[0],
            command,
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, output.fileno(), number) for number in (1, 2)],
        )
        _, status, usage = os.wait4(child, 0)
        seconds = time.monotonic() - began
        output.seek(0)
        text = output.read().decode(errors="replace")
    measured = {
        "began": began,
        "seconds": seconds,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss * 1024,
        "status": os.waitstatus_to_exitcode(status),
        "output": text,
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main()

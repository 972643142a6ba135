"""Run a command, and print its duration, CPU time and peak memory as JSON.

Usage: `python -I -S launch.py FILE COMMAND…`. The command's output goes to FILE.

A small process has to start the command: the peak memory of a child includes its parent's memory
at the fork, and the process with the simulated GitHub is large.
"""

import json
import os
import sys
import time


def main() -> None:
    """Run the command."""
    output_path, *command = sys.argv[1:]
    output = os.open(output_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    began = time.monotonic()
    child = os.posix_spawnp(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)],
    )
    _, status, usage = os.wait4(child, 0)
    measured = {
        "began": began,
        "seconds": time.monotonic() - began,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss * 1024,
        "status": os.waitstatus_to_exitcode(status),
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main()

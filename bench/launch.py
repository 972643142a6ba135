"""Run a command, and print as JSON what it took: `python -I -S launch.py FILE COMMAND…`.

What the command prints goes to FILE. This is a process of its own because the peak memory of a
child counts what its parent had when it was forked, and the one that has the miniature GitHub in
it has much.
"""

import json
import os
import sys
import time


def main() -> None:
    """Run the command."""
    log, *command = sys.argv[1:]
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    began = time.monotonic()
    child = os.posix_spawnp(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)],
    )
    _, status, usage = os.wait4(child, 0)
    took = {
        "began": began,
        "seconds": time.monotonic() - began,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss * 1024,
        "status": os.waitstatus_to_exitcode(status),
    }
    print(json.dumps(took))


if __name__ == "__main__":
    main()

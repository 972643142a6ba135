"""Measure how long programs take to start: until they have imported what they need."""

import os
from collections.abc import Mapping
from statistics import median

from bench.process import Command, checked, run_process
from bench.programs import entrypoint, node_modules

REPETITIONS = 7

# redeliver, too, starts without garbage collection. The end of the process is not part of its
# start: the time is printed before, and os._exit leaves out Python's shutdown.
PYTHON = """
import gc, os, time
gc.disable()
{imports}
print(time.monotonic(), flush=True)
os._exit(0)
"""
NODE = """
{imports}
console.log(Number(process.hrtime.bigint()) / 1e9);
"""

PYTHON_STARTS = {
    "Python": "",
    "Python and requests": "import requests",
    "Python, requests and PyGithub": "import github",
    "redeliver, with all of these": "import redeliver.action",
}
NODE_STARTS = {
    "Node": "",
    "Node and octokit": "await import('{node_modules}/octokit/dist-bundle/index.js');",
}


def start_times(image: str, most_runs: int | None) -> Mapping[str, float]:
    """Return the seconds from the start of a process until these are imported."""
    python = entrypoint(image)[0]
    count = most_runs or REPETITIONS
    starts = {}
    for name, imports in PYTHON_STARTS.items():
        words = [python, "-I", "-X", "utf8", "-c", PYTHON.format(imports=imports)]
        starts[name] = _seconds(Command(words=words, environment={}, image=image), count)
    for name, imports in NODE_STARTS.items():
        line = imports.format(node_modules=node_modules())
        words = ["node", "--input-type=module", "--eval", NODE.format(imports=line)]
        environment = {"PATH": os.environ["PATH"]}
        starts[name] = _seconds(Command(words=words, environment=environment), count)
    return starts


def _seconds(command: Command, count: int) -> float:
    """Return the median of `count` runs, after one that is discarded."""
    processes = [checked(run_process(command)) for _ in range(1 + count)]
    return median(float(process.output) - process.began for process in processes[1:])

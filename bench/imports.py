"""Measure how long programs take to start: until they have imported what they need."""

import os
from collections.abc import Mapping

from bench.process import Command, checked, run_process
from bench.programs import entrypoint, node_modules
from bench.times import Times

REPETITIONS = 15

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
    "redeliver": (
        "from redeliver.deferred_imports import PACKAGES, defer_imports\n"
        "defer_imports(*PACKAGES)\nimport redeliver.action"
    ),
}
NODE_STARTS = {
    "Node": "",
    "Node and octokit": "await import('{node_modules}/octokit/dist-bundle/index.js');",
}


def start_times(image: str, most_runs: int | None) -> Mapping[str, Times]:
    """Return the seconds from the start of a process until these are imported.

    The processes take turns, so that a busy moment of the machine does not hit only one of them.
    """
    commands = _commands(image)
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(1 + (most_runs or REPETITIONS)):
        for name, command in commands.items():
            process = checked(run_process(command))
            if number:  # the first process of each fills the machine's caches
                seconds[name].append(float(process.output) - process.began)
    return {name: Times(each) for name, each in seconds.items()}


def _commands(image: str) -> dict[str, Command]:
    python = entrypoint(image)[0]
    commands = {}
    for name, imports in PYTHON_STARTS.items():
        words = [python, "-I", "-X", "utf8", "-c", PYTHON.format(imports=imports)]
        commands[name] = Command(words=words, environment={}, image=image)
    for name, imports in NODE_STARTS.items():
        line = imports.format(node_modules=node_modules())
        words = ["node", "--input-type=module", "--eval", NODE.format(imports=line)]
        commands[name] = Command(words=words, environment={"PATH": os.environ["PATH"]})
    return commands

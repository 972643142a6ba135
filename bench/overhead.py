"""Measure the CPU time of redeliver's own code, its imports, its image, and octokit's install."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, cast

from bench.cases import PER_PAGE
from bench.measure import HERE, run_process
from redeliver.console import ProgressLines
from redeliver.core.delivery import HookId
from redeliver.core.policy import RECEIVER_TIMEOUT, RETENTION, Policy, RunOptions
from redeliver.engine.ports import NullStore, Runtime
from redeliver.engine.run import run
from redeliver.github_api.permissions import Permission, Purpose
from redeliver.github_api.response import Response
from redeliver.github_api.throttle import Throttle
from redeliver.github_api.webhooks import organization_hook

if TYPE_CHECKING:
    from redeliver.github_api.client import Client

REPETITIONS = 7
PAGES = 500
MICRO = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """Microseconds of CPU time per delivery, in redeliver's own code and in the JSON parser."""

    ours: float
    json: float


def cpu() -> Cpu:
    """Run on pages in memory, so that only redeliver's own code and the JSON parser take time."""
    now = datetime.now(UTC).replace(microsecond=0)
    pages = list(_pages(now))
    seconds = median(_run_on(pages, now) for _ in range(REPETITIONS))
    began = time.process_time()
    for page in pages:
        json.loads(page.text)
    parsing = time.process_time() - began
    deliveries = PAGES * PER_PAGE
    return Cpu(
        ours=(seconds - parsing) / deliveries * MICRO,
        json=parsing / deliveries * MICRO,
    )


def _pages(now: datetime) -> Iterator[Response]:
    purpose = Permission(inputs="").to("read")
    for number in range(PAGES):
        rows = [
            {
                "id": 2_310_000_000_000_000_001 - number * PER_PAGE - place,
                "guid": f"{number:08x}-{place:04x}-11f0-8de9-0242ac120002",
                "delivered_at": f"{now - timedelta(seconds=number):%Y-%m-%dT%H:%M:%SZ}",
                "redelivery": False,
                "duration": 0.25,
                "status": "OK",
                "status_code": 200,
                "event": "push",
                "action": None,
                "installation_id": None,
                "repository_id": 510_000_001,
                "throttled_at": None,
            }
            for place in range(PER_PAGE)
        ]
        headers = {"link": f'<https://github.example/x?cursor=v1_{number}>; rel="next"'}
        if number == PAGES - 1:
            headers = {}
        yield Response(purpose=purpose, status=200, headers=headers, text=json.dumps(rows))


class _PagesInMemory:
    """A `Client` that responds with the next page, without sending the request.

    Afterwards it lists nothing: a run without a checkpoint also looks for older failures.
    """

    def __init__(self, pages: list[Response]) -> None:
        self._pages = iter(pages)

    def request(
        self,
        _method: str,
        _path: str,
        purpose: Purpose,
        **_: object,
    ) -> Response:
        return next(self._pages, Response(purpose=purpose, status=200, headers={}, text="[]"))


class _SilentConsole:
    """A console that prints nothing, but computes progress lines as the one for a step's log."""

    def __init__(self) -> None:
        self.progress = ProgressLines(self.say)
        self.remark = self.detail = self.say

    def say(self, line: str) -> None:
        pass

    def mask(self, secret: str) -> None:
        pass


def _run_on(pages: list[Response], now: datetime) -> float:
    """Return the seconds of CPU time of a run that reads these pages."""
    hook = organization_hook(
        cast("Client", _PagesInMemory(pages)), "https://github.example", "acme", HookId(1)
    )
    console = _SilentConsole()
    runtime = Runtime(
        clock=lambda: now,
        monotonic=time.monotonic,
        retention=lambda: RETENTION,
        receiver_timeout=lambda: RECEIVER_TIMEOUT,
        token_expirations=dict,
        random=lambda: 0,
        throttle=Throttle(console.say, per_minute=0),
        console=console,
        sleep=lambda _: None,
        workers=1,
    )
    began = time.process_time()
    options = RunOptions(lookback=timedelta(days=1), policy=Policy())
    run([hook], NullStore(), runtime, options)
    return time.process_time() - began


def imports() -> Mapping[str, float]:
    """Return the seconds of Python's own start, and how many more each import takes."""
    modules = {
        "requests": "requests",
        "PyGithub, requests included": "github",
        "all of redeliver, PyGithub included": "redeliver.action",
    }
    start = _seconds_of_python("")
    return {"Python's own start": start} | {
        label: _seconds_of_python(f"import {module}") - start for label, module in modules.items()
    }


def _seconds_of_python(program: str) -> float:
    command = [sys.executable, "-I", "-c", program]
    return median(run_process(command).seconds for _ in range(REPETITIONS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Seconds to build the image without a cache, and its size in bytes."""

    seconds: float
    size: int
    size_without_base: int


def image() -> Image | None:
    """Build the image, or return None if no Docker engine is running."""
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        return None
    build = ["docker", "build", "--no-cache", "--quiet", "--tag", "redeliver-bench", "."]
    seconds = median(run_process(build, cwd=HERE.parent).seconds for _ in range(3))
    base = next(
        line.split()[1]
        for line in (HERE.parent / "Dockerfile").read_text().splitlines()
        if line.startswith("FROM")
    )
    size = _size("redeliver-bench")
    return Image(seconds=seconds, size=size, size_without_base=size - _size(base))


def _size(name: str) -> int:
    inspect = ["docker", "image", "inspect", "--format", "{{.Size}}", name]
    return int(subprocess.run(inspect, capture_output=True, check=True).stdout)


def npm_install() -> tuple[float, int]:
    """Install octokit as a workflow does, with an empty cache. Return seconds and bytes on disk."""
    seconds, size = [], 0
    for _ in range(3):
        with tempfile.TemporaryDirectory(prefix="npm-") as directory:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE.parent / name, directory)
            install = ["npm", "ci", "--omit=dev", "--cache", f"{directory}/cache"]
            seconds.append(run_process([*install, "--loglevel=error"], cwd=Path(directory)).seconds)
            installed = Path(directory, "node_modules").rglob("*")
            size = sum(path.stat().st_size for path in installed if path.is_file())
    return median(seconds), size

"""What the benchmarks run on: the machine, and the versions of the programs."""

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.preparation import base_image, octokit_version

DEBIANS_PYTHON = "/usr/bin"
"""Where Debian's package installs Python. Docker's official image has it in /usr/local/bin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine, and the versions of the programs."""

    cores: int
    processor: str
    system: str
    python: str
    """The version that redeliver runs on."""
    node: str
    octokit: str
    base_image: str
    """The base of the image in which redeliver runs."""
    is_official_base: bool
    """Whether that image is the one from Docker Hub."""


def machine() -> Machine:
    """Describe this machine."""
    base = base_image()
    ask = "import os, sys; print(os.path.realpath(sys.executable), sys.version.split()[0])"
    path, python = _output(["docker", "run", "--rm", base, "python3", "-c", ask]).split()
    return Machine(
        cores=os.cpu_count() or 1,
        processor=_processor(),
        system=f"{platform.system()} {platform.machine()}",
        python=python,
        node=_output(["node", "--version"]).removeprefix("v"),
        octokit=octokit_version(),
        base_image=base,
        is_official_base=not path.startswith(DEBIANS_PYTHON),
    )


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()

"""Keep the wheels of redeliver's packages in the tool cache of a runner."""

import os
import shutil
import tempfile
from pathlib import Path


def directory() -> Path:
    """Return the directory in the tool cache. It is relative if there is no tool cache."""
    return Path(os.environ.get("RUNNER_TOOL_CACHE", "")) / "redeliver" / "wheels"


def keep(downloaded: Path, cache: Path) -> str:
    """Copy wheels to the tool cache, and return a line about it. The run does not need the copy."""
    problem = "RUNNER_TOOL_CACHE is not an absolute path"
    if cache.is_absolute():
        try:
            cache.mkdir(parents=True, exist_ok=True)
            # Moving a file replaces a link, which might lead to any place; copying follows it.
            with tempfile.TemporaryDirectory(dir=cache) as copies:
                for wheel in downloaded.iterdir():
                    shutil.copy(wheel, copies)
                    (Path(copies) / wheel.name).replace(cache / wheel.name)
        except OSError as error:
            problem = str(error)
        else:
            return f"The next run on this machine finds the packages in {cache}"
    return f"The packages are in RUNNER_TEMP, so the next run downloads them again: {problem}"

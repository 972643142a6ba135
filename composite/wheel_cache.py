"""Keep the wheels of redeliver's packages in the tool cache, which runners of a machine may share.

Each set of pinned packages has a directory of its own, so that two versions of redeliver on one
machine do not remove each other's wheels. A run removes the directories that no run has used for 30
days.
"""

import filecmp
import hashlib
import os
import re
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

MAX_UNUSED = 30 * 24 * 60 * 60
"""Seconds."""

NAME = re.compile("[0-9a-f]{16}")
"""The name of such a directory. Nothing else is removed: other programs may write to a tool
cache, too."""


def directory(requirements: Path) -> Path | None:
    """Return the directory for these pinned packages, or None if there is no tool cache."""
    tool_cache = Path(os.environ.get("RUNNER_TOOL_CACHE", ""))
    if not tool_cache.is_absolute():
        return None
    # Windows allows 260 characters in a path, so this is not the whole hash.
    name = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    return tool_cache / "redeliver" / "wheels" / name


def copy_wheels(cache: Path, target: Path) -> bool:
    """Copy the wheels in the cache to the new directory `target`, and return whether there are any.

    pip gets copies, because another runner could change a file after pip has compared its hash, and
    because Windows would not let another runner replace a file that pip has opened.
    """
    with suppress(OSError):  # this user may not be allowed to write
        os.utime(cache)
    target.mkdir()
    try:
        for wheel in cache.glob("*.whl"):
            if _is_regular(wheel):
                shutil.copyfile(wheel, target / wheel.name)
    except OSError:  # another runner may have removed it, or be about to replace it
        return False
    return any(target.iterdir())


def keep(wheels: Path, cache: Path | None) -> str:
    """Copy wheels to the cache, and return a line about it. The run does not need the copy."""
    problem = "RUNNER_TOOL_CACHE is not an absolute path"
    if cache:
        try:
            cache.mkdir(parents=True, exist_ok=True)
            # Another runner sees a wheel only when it is complete. Moving a file replaces a link,
            # which might lead to any place; copying follows it.
            with tempfile.TemporaryDirectory(dir=cache, ignore_cleanup_errors=True) as copies:
                for wheel in wheels.iterdir():
                    kept = cache / wheel.name
                    # Another runner may have kept the same wheel, and have it open at this moment.
                    if not (_is_regular(kept) and filecmp.cmp(wheel, kept, shallow=False)):
                        shutil.copyfile(wheel, Path(copies) / wheel.name)
                        (Path(copies) / wheel.name).replace(kept)
        except OSError as error:
            problem = str(error)
        else:
            return f"The next run on this machine finds the packages in {cache}"
    return f"The packages are in RUNNER_TEMP, so the next run downloads them again: {problem}"


def remove_unused(cache: Path) -> None:
    """Remove what other versions of redeliver have kept, if no run has used it for 30 days.

    A run that begins to use such a directory now finds no complete set, and downloads the packages.
    """
    too_old = time.time() - MAX_UNUSED
    with suppress(OSError):  # there is no cache yet, or this user may not read it
        for other in cache.parent.iterdir():
            is_unused = NAME.fullmatch(other.name) and other.lstat().st_mtime < too_old
            if is_unused and other != cache:
                shutil.rmtree(other, ignore_errors=True)


def _is_regular(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()

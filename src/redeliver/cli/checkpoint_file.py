"""The checkpoint in a file, which one run at a time may use."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from redeliver.core.checkpoint import (
    SETTLED,
    SavedCheckpoint,
    format_checkpoint,
    parse_checkpoint,
)
from redeliver.errors import BusyError, CheckpointError, FileError

PRIVATE = 0o600

MAX_LENGTH = 1000
"""How many characters of the file are read; a checkpoint has far fewer."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock the checkpoint at `path` in the block; raise `BusyError` if another run has locked it.

    The lock is on a second file, because each write replaces the first one. The second file is
    never deleted: otherwise one run could lock the deleted file while another creates and locks a
    new one. The kernel releases the lock when the process ends, even if it is killed.
    """
    file = real(path)
    lock = file.with_name(f"{file.name}.lock")
    try:
        # A write would replace a device such as /dev/null by a file.
        if file.exists() and not file.is_file():
            raise FileError(
                f"{file} is not a regular file, so it cannot hold a checkpoint: choose another path"
            )
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, PRIVATE)
    except OSError as error:
        raise _failure(f"open {lock}", error) from error
    try:
        _lock(descriptor, file, lock)
        try:
            yield
        finally:
            # Closing is not enough: a process forked since may have a copy of the descriptor.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, file: Path, lock: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BusyError(
            f"another run is using {file}: it has locked {lock}. "
            "This run did nothing. Try again when the other run has ended"
        ) from None
    except OSError as error:
        raise FileError(
            f"cannot lock {lock}: {error.strerror}. Some file systems, mostly network file "
            "systems, do not support locks: keep the checkpoint on a local disk"
        ) from error


def real(path: Path) -> Path:
    """Return the path without symbolic links, so that all names of a file share one lock."""
    return Path(os.path.realpath(path))


class CheckpointFile:
    """The checkpoint in a file that only its owner may read; `clock` is GitHub's."""

    is_shared = False  # `locked` excludes other runs

    def __init__(self, path: Path, *, clock: Callable[[], datetime]) -> None:
        self._file = real(path)
        self._clock = clock
        self.name = f"file {self._file}"

    def read(self) -> SavedCheckpoint | None:
        """Return the checkpoint, or None when there is no file yet.

        Raise `CheckpointError` when the file holds anything else. The message does not repeat it.
        """
        try:
            with self._file.open(encoding="utf-8", errors="replace") as file:
                text = file.read(MAX_LENGTH)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failure(f"read {self.name}", error) from error
        saved = _parse(text, now=self._clock())
        if saved is None:
            raise CheckpointError(
                f"{self.name} does not hold a checkpoint that redeliver wrote, or its checkpoint "
                "is in the future. redeliver did not change the file. Choose another "
                "--checkpoint-file. If nothing else uses the file, you can delete it instead, "
                f"{SETTLED}: the next run then looks back as far as --lookback"
            )
        return saved

    def write(self, checkpoint: datetime, *, once: bool = False) -> bool:  # noqa: ARG002 - of Store
        """Save `checkpoint` and return True; the lock excludes other runs.

        At every moment, the file holds the old checkpoint or the new one.
        """
        times = {
            "checkpoint": format_checkpoint(checkpoint),
            "written": format_checkpoint(self._clock()),
        }
        # Always the same name, so that killed runs leave at most one such file.
        new = self._file.with_name(f"{self._file.name}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        try:
            with os.fdopen(os.open(new, flags, PRIVATE), "w", encoding="ascii") as file:
                file.write(f"{json.dumps(times)}\n")
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._file)
            _sync(self._file.parent)
        except OSError as error:
            raise _failure(f"write {self.name}", error) from error
        return True


def _parse(text: str, *, now: datetime) -> SavedCheckpoint | None:
    try:
        found = json.loads(text)
        checkpoint = parse_checkpoint(found["checkpoint"], now=now)
        written = parse_checkpoint(found["written"], now=now)
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None
    if checkpoint is None or written is None:
        return None
    return SavedCheckpoint(checkpoint=checkpoint, written=written)


def _sync(directory: Path) -> None:
    """Write the directory to disk, so that the new name survives a crash of the machine."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failure(to: str, error: OSError) -> FileError:
    return FileError(
        f"cannot {to}: {error.strerror}. Check that the directory exists, and that the user who "
        "runs redeliver may read and write in it"
    )

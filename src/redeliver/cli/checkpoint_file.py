"""The checkpoint in a file, which one run at a time may use."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from redeliver.core.checkpoint import (
    SLOT,
    UNMARKED,
    Checkpoint,
    Claim,
    Ended,
    Mark,
    SavedCheckpoint,
    format_checkpoint,
    parse_checkpoint,
)
from redeliver.core.window import SETTLED
from redeliver.errors import BusyError, CheckpointError, FileError

PRIVATE = 0o600

MAX_LENGTH = 1000
"""How many characters of the file are read; a checkpoint has far fewer."""

MAX_TRIES = 100
"""How often the lock's file is opened. A second try is rare: it needs a run that ends just then."""

NO_LOCKS = (
    "Some file systems, mostly network file systems, do not support locks: keep the checkpoint on "
    "a local disk"
)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock the checkpoint at `path` in the block; raise `BusyError` if another run has locked it.

    The lock is on a second file, because each write replaces the first one. The second file is
    deleted at the end. Only a run that is killed leaves it behind, or one that cannot lock it. The
    kernel releases the lock of a killed run, so the next run can lock the same file.
    """
    file = real(path)
    lock = file.with_name(f"{file.name}.lock")
    try:
        # A write would replace a device such as /dev/null by a file.
        if file.exists() and not file.is_file():
            raise FileError(
                f"{file} is not a regular file, so it cannot hold a checkpoint: choose another path"
            )
        descriptor = _open_and_lock(lock, file)
    except OSError as error:
        raise _failure(f"open {lock}", error) from error
    try:
        yield
    finally:
        _delete(lock, descriptor)  # while it is locked: later, another run may have locked it
        os.close(descriptor)  # this releases the lock


def _open_and_lock(lock: Path, file: Path) -> int:
    """Open the file `lock`, lock it, and return its descriptor.

    Another run can delete the file after this one has opened it. A lock on a deleted file excludes
    nobody, so this run then opens the new file.
    """
    for _ in range(MAX_TRIES):
        with ExitStack() as on_failure:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, PRIVATE)
            on_failure.callback(os.close, descriptor)
            _lock(descriptor, file, lock)
            if _is_at(lock, descriptor):
                on_failure.pop_all()
                return descriptor
    raise FileError(
        f"cannot lock {lock}: in {MAX_TRIES} tries, the file was replaced each time before it was "
        f"locked. {NO_LOCKS}"
    )


def _lock(descriptor: int, file: Path, lock: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BusyError(
            f"another run is using {file}: it has locked {lock}. "
            "This run did nothing. Try again when the other run has ended"
        ) from None
    except OSError as error:
        raise FileError(f"cannot lock {lock}: {error.strerror}. {NO_LOCKS}") from error


def _delete(lock: Path, descriptor: int) -> None:
    """Delete the file `lock` if it is the open one, and empty as redeliver creates it.

    Without the file nothing changes for the next run, so it does not matter if this fails.
    """
    is_empty = os.fstat(descriptor).st_size == 0  # as redeliver creates it
    if is_empty and _is_at(lock, descriptor):
        with suppress(OSError):
            lock.unlink()


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether `path` leads to the open file. It does not after the file was deleted."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False


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
        try:
            return _parse(text, now=self._clock())
        except ValueError as error:
            raise CheckpointError(
                f"{self.name} does not hold a checkpoint: {error}. redeliver did not change the "
                "file. Choose another --checkpoint-file. If nothing else uses the file, you can "
                f"delete it instead, {SETTLED}: the next run then looks back as far as --lookback"
            ) from None

    def write(self, checkpoint: Checkpoint, *, once: bool = False) -> bool:  # noqa: ARG002 - of Store
        """Save `checkpoint` and return True; the lock excludes other runs.

        At every moment, the file holds the old checkpoint or the new one.
        """
        content = {
            "checkpoint": format_checkpoint(checkpoint.time),
            "written": format_checkpoint(self._clock()),
            **_fields(checkpoint.mark),
        }
        # Always the same name, so that killed runs leave at most one such file.
        new = self._file.with_name(f"{self._file.name}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        try:
            with os.fdopen(os.open(new, flags, PRIVATE), "w", encoding="ascii") as file:
                file.write(f"{json.dumps(content)}\n")
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._file)
            _sync(self._file.parent)
        except OSError as error:
            raise _failure(f"write {self.name}", error) from error
        return True


def _fields(mark: Mark) -> Mapping[str, bool | int | list[str]]:
    """Return the fields that say whether redeliveries may be under way."""
    if isinstance(mark, Claim):
        return {"settled": False, "claim": mark.signature}
    return {"settled": not mark.unknown, "unknown": [*map(format_checkpoint, mark.unknown)]}


def _parse(text: str, *, now: datetime) -> SavedCheckpoint:
    """Return the checkpoint, or raise `ValueError` with what is wrong, without the text itself."""
    if not text.strip():
        raise ValueError("it is empty")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON, or not complete") from None
    if not isinstance(found, dict) or not {"checkpoint", "written"} <= found.keys():
        raise ValueError("its JSON is not an object with the fields 'checkpoint' and 'written'")
    checkpoint, written = (_time(found[name], name, now=now) for name in ("checkpoint", "written"))
    try:
        mark = _mark(found, now=now)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(
            "its field 'unknown' or 'claim' is not as this version of redeliver writes it"
        ) from None
    return SavedCheckpoint(checkpoint=Checkpoint(checkpoint, mark), written=written)


def _mark(found: Mapping[str, Any], *, now: datetime) -> Mark:
    if "unknown" in found:
        # A slot can end after this.
        return Ended(tuple(_time(text, "unknown", now=now + SLOT) for text in found["unknown"]))
    return Claim(int(found["claim"])) if "claim" in found else UNMARKED


def _time(value: object, name: str, *, now: datetime) -> datetime:
    """Return the time in a field, or raise `ValueError`."""
    saved = parse_checkpoint(value, now=now) if isinstance(value, str) else None
    if saved is None:
        raise ValueError(
            f"its field '{name}' is not a text of 13 digits, the milliseconds since 1970, or is in "
            "the future"
        )
    return saved.checkpoint.time


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

"""The checkpoint file: always complete, private, and locked by one run at a time."""

import errno
import fcntl
import json
import re
import stat
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from redeliver.cli.checkpoint_file import CheckpointFile, locked
from redeliver.core.checkpoint import (
    Checkpoint,
    Claim,
    Ended,
    Mark,
    SavedCheckpoint,
    format_checkpoint,
)
from redeliver.errors import BusyError, CheckpointError, FileError
from tests.support.builders import START as START_WITH_MILLISECONDS

START = START_WITH_MILLISECONDS.replace(microsecond=0)
EARLIER = START - timedelta(hours=6)

DOCS = (Path(__file__).parents[3] / "docs" / "own-server.md").read_text()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.json"


def a_file(path: Path, *, now: datetime = START) -> CheckpointFile:
    return CheckpointFile(path, clock=lambda: now)


def lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def names(path: Path) -> set[str]:
    """Return the names of all files in the directory of `path`."""
    return {file.name for file in path.parent.iterdir()}


def at_next_lock(monkeypatch: pytest.MonkeyPatch, other_runs: Callable[[], None]) -> None:
    """Let other runs act at the next attempt to lock a file, after it was opened."""

    def act_and_lock(descriptor: int, operation: int) -> None:
        monkeypatch.undo()
        other_runs()
        fcntl.flock(descriptor, operation)

    monkeypatch.setattr("fcntl.flock", act_and_lock)


def content(checkpoint: object, written: object, **fields: object) -> str:
    return json.dumps({"checkpoint": checkpoint, "written": written, **fields})


def test_a_missing_file_has_no_checkpoint(path: Path) -> None:
    assert a_file(path).read() is None
    assert not path.exists()


@pytest.mark.parametrize(
    ("mark", "fields"),
    [
        pytest.param(Claim(345), {"settled": False, "claim": 345}, id="of a run under way"),
        pytest.param(
            Ended(), {"settled": True, "unknown": []}, id="of a run that knows all outcomes"
        ),
        pytest.param(
            Ended((EARLIER, START)),
            {"settled": False, "unknown": [*map(format_checkpoint, (EARLIER, START))]},
            id="of a run with a pending redelivery",
        ),
    ],
)
def test_a_checkpoint_is_read_as_it_was_written(
    path: Path, mark: Mark, fields: dict[str, object]
) -> None:
    checkpoint = Checkpoint(EARLIER, mark)

    assert a_file(path).write(checkpoint)

    later = a_file(path, now=START + timedelta(hours=1))
    assert later.read() == SavedCheckpoint(checkpoint=checkpoint, written=START)
    times = {"checkpoint": format_checkpoint(EARLIER), "written": format_checkpoint(START)}
    assert json.loads(path.read_text()) == times | fields


def test_a_file_is_read_although_a_slot_ends_in_the_future(path: Path) -> None:
    checkpoint = Checkpoint(EARLIER, Ended((START + timedelta(minutes=6),)))
    a_file(path).write(checkpoint)

    assert a_file(path).read() == SavedCheckpoint(checkpoint=checkpoint, written=START)


def test_a_file_with_an_infinite_claim_is_refused(path: Path) -> None:
    times = {name: format_checkpoint(EARLIER) for name in ("checkpoint", "written")}
    path.write_text(json.dumps(times | {"claim": 1}).replace("1}", "1e400}"))

    with pytest.raises(CheckpointError):
        a_file(path).read()


def test_a_file_without_a_mark_is_that_of_a_run_under_way(path: Path) -> None:
    path.write_text(content(format_checkpoint(EARLIER), format_checkpoint(START)))

    assert a_file(path).read() == SavedCheckpoint(checkpoint=Checkpoint(EARLIER), written=START)


def test_the_docs_say_how_to_write_the_file_by_hand(path: Path) -> None:
    [example] = re.findall(r'^ *(\{"checkpoint": .*\})$', DOCS, flags=re.MULTILINE)
    path.write_text(example)

    by_hand = Checkpoint(datetime(2026, 11, 24, 6, tzinfo=UTC), Ended())
    assert a_file(path).read() == SavedCheckpoint(checkpoint=by_hand, written=by_hand.time)


def test_only_its_owner_may_read_the_file(path: Path) -> None:
    with locked(path):
        a_file(path).write(Checkpoint(EARLIER))
        a_file(path).write(Checkpoint(START))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes == {"checkpoint.json": 0o600, "checkpoint.json.lock": 0o600}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "it is empty", id="an empty file"),
        pytest.param(" \n", "it is empty", id="an empty line"),
        pytest.param("hunter2", "it is not JSON", id="text"),
        pytest.param('"hunter2"', "its JSON is not an object", id="a string"),
        pytest.param("[" * 900, "it is not JSON, or not complete", id="JSON that is not complete"),
        pytest.param("{}", "its JSON is not an object with the fields", id="an empty object"),
        pytest.param(
            format_checkpoint(EARLIER), "its JSON is not an object", id="a bare checkpoint"
        ),
        pytest.param(
            content(int(format_checkpoint(EARLIER)), format_checkpoint(EARLIER)),
            "its field 'checkpoint' is not a text of 13 digits",
            id="a number as checkpoint",
        ),
        pytest.param(
            content(format_checkpoint(EARLIER), "hunter2"),
            "its field 'written' is not a text of 13 digits",
            id="an invalid time of writing",
        ),
        pytest.param(
            content(format_checkpoint(EARLIER)[:-3], format_checkpoint(EARLIER)),
            "its field 'checkpoint' is not a text of 13 digits",
            id="seconds instead of milliseconds",
        ),
        pytest.param(
            content(format_checkpoint(START + timedelta(hours=1)), format_checkpoint(START)),
            "its field 'checkpoint' is .* or is in the future",
            id="a time in the future",
        ),
        pytest.param(
            content(format_checkpoint(EARLIER), format_checkpoint(START), unknown="hunter2"),
            "its field 'unknown' or 'claim' is not as this version of redeliver writes it",
            id="another version's outcomes",
        ),
        pytest.param(
            content(format_checkpoint(EARLIER), format_checkpoint(START), claim=None),
            "its field 'unknown' or 'claim' is not as this version of redeliver writes it",
            id="another version's claim",
        ),
        pytest.param(
            content(format_checkpoint(EARLIER), format_checkpoint(START))[:-1] + " " * 2000,
            "it is not JSON, or not complete",
            id="a long file",
        ),
    ],
)
def test_invalid_content_is_an_error_that_does_not_quote_it(
    path: Path, text: str, why: str
) -> None:
    """The file is not changed."""
    path.write_text(text)

    with pytest.raises(CheckpointError, match=f"does not hold a checkpoint: {why}") as caught:
        a_file(path).read()

    assert "hunter2" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert path.read_text() == text


def test_binary_content_is_an_error(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(CheckpointError):
        a_file(path).read()


def in_a_missing_directory(path: Path) -> Path:
    return path.parent / "none" / "checkpoint.json"


def below_a_file(path: Path) -> Path:
    path.touch()
    return path / "checkpoint.json"


def a_directory(path: Path) -> Path:
    path.mkdir()
    return path


def a_circular_link(path: Path) -> Path:
    path.symlink_to(path.name)
    return path


def a_device(_path: Path) -> Path:
    return Path("/dev/null")


@pytest.mark.parametrize(
    "make",
    [in_a_missing_directory, below_a_file, a_directory, a_device],
    ids=lambda make: make.__name__.replace("_", " "),
)
def test_a_path_that_cannot_be_a_file_is_an_error(path: Path, make: Callable[[Path], Path]) -> None:
    """The error is raised before any file is written."""
    unusable = make(path)
    before = sorted(path.parent.rglob("*"))

    with pytest.raises(FileError), locked(unusable):
        pytest.fail("it was locked")

    assert sorted(path.parent.rglob("*")) == before
    assert not Path("/dev/null.lock").exists()


@pytest.mark.parametrize(
    "make", [a_directory, a_circular_link], ids=["a directory", "a circular link"]
)
def test_a_file_that_cannot_be_read_is_an_error(path: Path, make: Callable[[Path], Path]) -> None:
    make(path)

    with pytest.raises(FileError, match=f"cannot read file {path}: "):
        a_file(path).read()


def test_a_write_that_fails_is_an_error_and_changes_nothing(path: Path) -> None:
    a_file(path).write(Checkpoint(EARLIER))
    other_file = path.parent / "other"
    other_file.write_text("something")
    (path.parent / "checkpoint.json.new").symlink_to(other_file)

    with pytest.raises(FileError, match=f"cannot write file {path}"):
        a_file(path).write(Checkpoint(START))

    assert a_file(path).read() == SavedCheckpoint(checkpoint=Checkpoint(EARLIER), written=START)
    assert other_file.read_text() == "something"


def test_a_new_file_that_a_killed_run_left_is_overwritten(path: Path) -> None:
    (path.parent / "checkpoint.json.new").write_text('{"checkpoint": "17')

    a_file(path).write(Checkpoint(EARLIER))

    assert a_file(path).read() == SavedCheckpoint(checkpoint=Checkpoint(EARLIER), written=START)
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.json"]


def test_a_locked_file_is_locked_under_each_of_its_names(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = path.parent / "link"
    link.symlink_to(path)
    monkeypatch.chdir(path.parent)

    with locked(path):
        for name in (path, Path(path.name), link):
            with pytest.raises(BusyError, match=f"{path}.lock"), locked(name):
                pytest.fail("it was locked twice")
    with locked(link):
        pass


def test_a_write_to_a_link_changes_the_target_of_the_link(path: Path) -> None:
    link = path.parent / "link"
    link.symlink_to(path)

    a_file(link).write(Checkpoint(EARLIER))

    assert link.is_symlink()
    assert a_file(path).read() == SavedCheckpoint(checkpoint=Checkpoint(EARLIER), written=START)


def test_a_file_system_without_locks_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    # Few machines have a file system without locks to test with.
    monkeypatch.setattr("fcntl.flock", fail)

    with pytest.raises(FileError, match=r"No locks available.*on a local disk"), locked(path):
        pytest.fail("it continued without a lock")


def test_a_lock_is_released_and_deleted_when_a_run_fails(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(path):
        raise ZeroDivisionError

    assert names(path) == set()
    with locked(path):
        assert names(path) == {"checkpoint.json.lock"}
    assert names(path) == set()


def test_a_lock_that_a_killed_run_left_is_used_and_deleted(path: Path) -> None:
    lock_of(path).touch()
    inode = lock_of(path).stat().st_ino

    with locked(path):
        assert lock_of(path).stat().st_ino == inode

    assert names(path) == set()


def test_a_file_with_the_locks_name_and_content_is_kept(path: Path) -> None:
    """It belongs to another program: with --checkpoint-file poetry, the lock is poetry.lock."""
    lock_of(path).write_text("something")

    with locked(path):
        pass

    assert lock_of(path).read_text() == "something"


def test_a_deleted_lock_excludes_nobody_so_a_new_one_is_locked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run ends after this one has opened the lock's file, and before it locks it."""
    other_run = ExitStack()
    other_run.enter_context(locked(path))
    at_next_lock(monkeypatch, other_run.close)

    with locked(path):
        assert names(path) == {"checkpoint.json.lock"}
        with pytest.raises(BusyError), locked(path):
            pytest.fail("it was locked twice")

    assert names(path) == set()


def test_a_new_lock_of_a_third_run_excludes_this_run(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above, but a third run starts before this one sees that the file was deleted."""
    other_run, third_run = ExitStack(), ExitStack()

    def end_and_start() -> None:
        other_run.close()
        third_run.enter_context(locked(path))

    other_run.enter_context(locked(path))
    at_next_lock(monkeypatch, end_and_start)

    with pytest.raises(BusyError), locked(path):
        pytest.fail("it was locked twice")

    with pytest.raises(BusyError), locked(path):
        pytest.fail("the lock of the third run was deleted")
    third_run.close()
    assert names(path) == set()


def test_a_run_does_not_delete_the_lock_of_another(path: Path) -> None:
    """A user has deleted the lock's file while the first run was using it."""
    second_run = ExitStack()
    with locked(path):
        lock_of(path).unlink()
        second_run.enter_context(locked(path))

    with pytest.raises(BusyError), locked(path):
        pytest.fail("it was locked twice")
    second_run.close()
    assert names(path) == set()


def test_a_lock_that_is_always_another_file_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a run would try for ever on a file system without stable inode numbers."""
    monkeypatch.setattr("os.path.samestat", lambda *_: False)

    with (
        pytest.raises(FileError, match=r"the file was replaced each time.*on a local disk"),
        locked(path),
    ):
        pytest.fail("it continued without a lock")


def test_a_lock_that_cannot_be_deleted_is_released(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError

    # For root, permissions cannot make this fail.
    monkeypatch.setattr("os.unlink", fail)

    with locked(path):
        pass
    with locked(path):
        assert names(path) == {"checkpoint.json.lock"}

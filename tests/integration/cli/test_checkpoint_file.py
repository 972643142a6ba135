"""The checkpoint in a file: whole at any moment, its owner's only, one run's at a time."""

import errno
import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from redeliver.cli.checkpoint_file import CheckpointFile, locked
from redeliver.core.checkpoint import SavedCheckpoint, format_checkpoint
from redeliver.errors import BusyError, CheckpointError, FileError

NOW = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=6)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.json"


def a_file(path: Path, *, now: datetime = NOW) -> CheckpointFile:
    return CheckpointFile(path, clock=lambda: now)


def content(checkpoint: object, written: object) -> str:
    return json.dumps({"checkpoint": checkpoint, "written": written})


def test_no_file_is_no_checkpoint_yet(path: Path) -> None:
    assert a_file(path).read() is None
    assert not path.exists()


def test_what_was_written_is_read_with_githubs_time_of_writing(path: Path) -> None:
    assert a_file(path).write(EARLIER)

    later = a_file(path, now=NOW + timedelta(hours=1))
    assert later.read() == SavedCheckpoint(checkpoint=EARLIER, written=NOW)
    assert json.loads(path.read_text()) == {
        "checkpoint": format_checkpoint(EARLIER),
        "written": format_checkpoint(NOW),
    }


def test_the_file_is_its_owners_only_and_nothing_else_is_left(path: Path) -> None:
    with locked(path):
        a_file(path).write(EARLIER)
        a_file(path).write(NOW)

    left = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert left == {"checkpoint.json": 0o600, "checkpoint.json.lock": 0o600}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("hunter2", id="words"),
        pytest.param('"hunter2"', id="a string"),
        pytest.param("[" * 900, id="no end"),
        pytest.param("{}", id="another object"),
        pytest.param(format_checkpoint(EARLIER), id="only the milliseconds"),
        pytest.param(
            content(int(format_checkpoint(EARLIER)), format_checkpoint(EARLIER)), id="a number"
        ),
        pytest.param(content(format_checkpoint(EARLIER), "hunter2"), id="no time of writing"),
        pytest.param(
            content(format_checkpoint(EARLIER)[:-3], format_checkpoint(EARLIER)), id="seconds"
        ),
        pytest.param(
            content(format_checkpoint(NOW + timedelta(hours=1)), format_checkpoint(NOW)),
            id="the future",
        ),
        pytest.param(
            content(format_checkpoint(EARLIER), format_checkpoint(NOW))[:-1] + " " * 2000,
            id="too long",
        ),
    ],
)
def test_anything_else_is_an_error_that_does_not_repeat_it_and_stays(path: Path, text: str) -> None:
    path.write_text(text)

    with pytest.raises(CheckpointError, match="does not hold a checkpoint") as caught:
        a_file(path).read()

    assert "hunter2" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert path.read_text() == text


def test_bytes_that_are_no_text_are_no_checkpoint(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(CheckpointError):
        a_file(path).read()


def in_no_directory(path: Path) -> Path:
    return path.parent / "none" / "checkpoint.json"


def below_a_file(path: Path) -> Path:
    path.touch()
    return path / "checkpoint.json"


def a_directory(path: Path) -> Path:
    path.mkdir()
    return path


def a_circle(path: Path) -> Path:
    path.symlink_to(path.name)
    return path


def a_device(_path: Path) -> Path:
    return Path("/dev/null")


@pytest.mark.parametrize(
    "where",
    [in_no_directory, below_a_file, a_directory, a_device],
    ids=lambda where: where.__name__.replace("_", " "),
)
def test_a_place_that_keeps_no_file_is_refused_before_anything_is_done(
    path: Path, where: Callable[[Path], Path]
) -> None:
    place = where(path)
    before = sorted(path.parent.rglob("*"))

    with pytest.raises(FileError), locked(place):
        pytest.fail("it was locked")

    assert sorted(path.parent.rglob("*")) == before
    assert not Path("/dev/null.lock").exists()


@pytest.mark.parametrize("where", [a_directory, a_circle], ids=["a directory", "a circle"])
def test_a_file_that_cannot_be_read_is_an_error(path: Path, where: Callable[[Path], Path]) -> None:
    where(path)

    with pytest.raises(FileError, match=f"cannot read file {path}: "):
        a_file(path).read()


def test_a_write_that_fails_is_an_error_and_leaves_what_was_there(path: Path) -> None:
    a_file(path).write(EARLIER)
    elsewhere = path.parent / "elsewhere"
    elsewhere.write_text("theirs")
    (path.parent / "checkpoint.json.new").symlink_to(elsewhere)

    with pytest.raises(FileError, match=f"cannot write file {path}"):
        a_file(path).write(NOW)

    assert a_file(path).read() == SavedCheckpoint(checkpoint=EARLIER, written=NOW)
    assert elsewhere.read_text() == "theirs"


def test_what_a_run_that_was_killed_left_half_written_is_in_nobodys_way(path: Path) -> None:
    (path.parent / "checkpoint.json.new").write_text('{"checkpoint": "17')

    a_file(path).write(EARLIER)

    assert a_file(path).read() == SavedCheckpoint(checkpoint=EARLIER, written=NOW)
    assert [each.name for each in path.parent.iterdir()] == ["checkpoint.json"]


def test_a_second_run_is_kept_off_however_it_names_the_file(
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


def test_a_link_stays_one_and_what_it_leads_to_is_written(path: Path) -> None:
    link = path.parent / "link"
    link.symlink_to(path)

    a_file(link).write(EARLIER)

    assert link.is_symlink()
    assert a_file(path).read() == SavedCheckpoint(checkpoint=EARLIER, written=NOW)


def test_a_file_system_without_locks_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    # Not ours, but the kernel's: no file system without locks is at hand everywhere.
    monkeypatch.setattr("fcntl.flock", fail)

    with pytest.raises(FileError, match=r"No locks available.*on a local one"), locked(path):
        pytest.fail("it must not go on without")


def test_the_lock_is_let_go_of_when_a_run_fails(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(path):
        raise ZeroDivisionError

    with locked(path):
        pass

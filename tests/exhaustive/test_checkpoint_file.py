"""Processes write and lock the checkpoint file, and are killed at many moments."""

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from redeliver.cli.checkpoint_file import CheckpointFile
from redeliver.core.checkpoint import EPOCH, SECOND
from tests.support.builders import START

WRITER = """
import sys
from datetime import timedelta
from pathlib import Path
from redeliver.core.checkpoint import EPOCH, Checkpoint
from redeliver.cli.checkpoint_file import CheckpointFile, locked

path = Path(sys.argv[1])
seconds = int(sys.argv[2])
with locked(path):
    while True:
        seconds += 1
        instant = EPOCH + timedelta(seconds=seconds)
        CheckpointFile(path, clock=lambda: instant).write(Checkpoint(instant))
        sys.stdout.write(f"{seconds}\\n")
        sys.stdout.flush()
"""
"""Writes one checkpoint after another, and prints each after saving it."""

LOCKER = """
import fcntl
import sys
import time
from pathlib import Path
from redeliver.cli.checkpoint_file import locked
from redeliver.errors import BusyError

path, witness = Path(sys.argv[1]), open(sys.argv[2], "w")
until = time.monotonic() + float(sys.argv[3])
held = busy = 0
while time.monotonic() < until:
    try:
        with locked(path):
            fcntl.lockf(witness, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(witness, fcntl.LOCK_UN)
            held += 1
    except BusyError:
        busy += 1
print(held, busy)
"""
"""Locks the file again and again. In the block it locks another file, which is never deleted, in
another way. That fails if two processes are in the block. The kernel releases it first when a
process is killed, because its file was opened first."""

KILLS = 24
LOCKERS = 4
SECONDS = 2.0


def test_a_killed_writer_leaves_a_complete_checkpoint(tmp_path: Path) -> None:
    """The file has the last checkpoint that the writer printed, or the next."""
    path = tmp_path / "checkpoint.json"
    file = CheckpointFile(path, clock=lambda: START)
    seconds = (START - timedelta(days=20) - EPOCH) // SECOND
    for delay in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-I", "-c", WRITER, str(path), str(seconds)],
            env={},  # without coverage, because a killed process leaves no data
            stdout=subprocess.PIPE,
        ) as writer:
            assert writer.stdout
            first = writer.stdout.readline()  # so that it is killed while it writes
            time.sleep(delay / 1000)
            writer.kill()
            lines = [first, *writer.stdout.read().splitlines(keepends=True)]
        printed = [int(line) for line in lines if line.endswith(b"\n")]

        saved = file.read()

        assert saved
        seconds = (saved.checkpoint.time - EPOCH) // SECOND
        assert seconds >= printed[-1], "no saved checkpoint is lost"
        assert saved.written == saved.checkpoint.time, "both are from the same write"
    left = {entry.name for entry in tmp_path.iterdir()}
    assert left <= {"checkpoint.json", "checkpoint.json.lock", "checkpoint.json.new"}


@pytest.mark.parametrize("kills", [0, 12], ids=["that end", "that are killed"])
def test_of_several_processes_one_at_a_time_holds_the_lock(tmp_path: Path, kills: int) -> None:
    """A process often opens the lock's file just when another one deletes it."""
    path, witness = tmp_path / "checkpoint.json", tmp_path / "witness"

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-I", "-c", LOCKER, str(path), str(witness), str(SECONDS)],
            env={},  # without coverage, which would make it slow
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    running = [start() for _ in range(LOCKERS)]
    for kill in range(kills):
        time.sleep(0.1 + kill / 100)
        with running.pop(0) as victim:
            victim.kill()
            assert victim.communicate() == ("", "")
        running.append(start())
    outputs = [process.communicate() for process in running]

    assert [errors for _, errors in outputs] == [""] * LOCKERS
    held, busy = (
        sum(map(int, column)) for column in zip(*(out.split() for out, _ in outputs), strict=True)
    )
    assert held > LOCKERS
    assert busy > LOCKERS
    assert {entry.name for entry in tmp_path.iterdir()} == {"witness"}

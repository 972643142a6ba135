"""A process that writes the checkpoint file is killed at many moments."""

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from redeliver.cli.checkpoint_file import CheckpointFile
from redeliver.core.checkpoint import EPOCH, format_checkpoint
from tests.support.builders import START

WRITER = """
import sys
from datetime import timedelta
from pathlib import Path
from redeliver.core.checkpoint import EPOCH
from redeliver.cli.checkpoint_file import CheckpointFile, locked

path = Path(sys.argv[1])
milliseconds = int(sys.argv[2])
with locked(path):
    while True:
        milliseconds += 1
        instant = EPOCH + timedelta(milliseconds=milliseconds)
        CheckpointFile(path, clock=lambda: instant).write(instant)
        sys.stdout.write(f"{milliseconds}\\n")
        sys.stdout.flush()
"""
"""Writes one checkpoint after another, and prints each after saving it."""

KILLS = 24


def test_a_killed_writer_leaves_a_complete_checkpoint(
    tmp_path: Path, add_to_summary: Callable[[str], None]
) -> None:
    """The file has the last checkpoint that the writer printed, or the next."""
    path = tmp_path / "checkpoint.json"
    file = CheckpointFile(path, clock=lambda: START)
    milliseconds = int(format_checkpoint(START - timedelta(hours=6)))
    count = 0
    for delay in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-I", "-c", WRITER, str(path), str(milliseconds)],
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
        milliseconds = (saved.checkpoint - EPOCH) // timedelta(milliseconds=1)
        assert milliseconds >= printed[-1], "no saved checkpoint is lost"
        assert saved.written == saved.checkpoint, "both are from the same write"
        count += len(printed)
    left = {entry.name for entry in tmp_path.iterdir()}
    assert left <= {"checkpoint.json", "checkpoint.json.lock", "checkpoint.json.new"}
    add_to_summary(f"{KILLS} kills of a process that had saved {count:,} checkpoints in a file")

"""The runners of one machine, with several versions of redeliver, may share a tool cache."""

import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.e2e.without_docker.runner import (
    NOWHERE,
    Runner,
    a_runner,
    serving_slowly,
    wheels_name,
)

DAY = 24 * 60 * 60
TIMEOUT = 300


def contents_of(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def test_two_runners_may_download_at_the_same_moment(
    runner: Runner, wheels: Path, action: Path, index: Path, tmp_path: Path
) -> None:
    other = a_runner(tmp_path / "other", action, index)
    both_need_the_last_wheel = threading.Barrier(2, timeout=TIMEOUT)
    with (
        serving_slowly(index, both_need_the_last_wheel.wait) as variables,
        ThreadPoolExecutor() as threads,
    ):
        variables |= {"RUNNER_TOOL_CACHE": str(runner.tool_cache)}
        steps = [threads.submit(each.start, **variables) for each in (runner, other)]

    for each, step in zip((runner, other), steps, strict=True):
        each.assert_starts_redeliver(step.result())
        assert f"finds the packages in {runner.wheels}" in step.result().stdout
    assert contents_of(runner.wheels) == contents_of(wheels)


def test_wheels_that_another_runner_kept_meanwhile_stay(
    runner: Runner, wheels: Path, action: Path, index: Path, tmp_path: Path
) -> None:
    """The other runner may have them open, and then Windows would not let this one replace them."""
    other = a_runner(tmp_path / "other", action, index)
    inodes = {}

    def start_other() -> None:
        other.assert_starts_redeliver(other.start(RUNNER_TOOL_CACHE=str(runner.tool_cache)))
        inodes.update({file: file.stat().st_ino for file in runner.wheels.iterdir()})

    with serving_slowly(index, start_other) as variables:
        step = runner.start(**variables)

    runner.assert_starts_redeliver(step)
    assert f"finds the packages in {runner.wheels}" in step.stdout
    assert len(inodes) == len(list(wheels.iterdir()))
    assert {file: file.stat().st_ino for file in runner.wheels.iterdir()} == inodes


def test_a_file_that_is_no_wheel_does_not_stop_a_run(runner: Runner, wheels: Path) -> None:
    """Whoever may write to the tool cache could put a pipe there, which blocks its reader."""
    shutil.copytree(wheels, runner.wheels)
    [idna] = runner.wheels.glob("idna-*.whl")
    idna.unlink()
    os.mkfifo(idna)

    step = runner.start("timeout", str(TIMEOUT))

    runner.assert_starts_redeliver(step)
    assert contents_of(runner.wheels) == contents_of(wheels)


def test_wheels_that_no_run_has_used_for_a_month_go(runner: Runner, wheels: Path) -> None:
    shutil.copytree(wheels, runner.wheels)
    directories = {
        "0123456789abcdef": 31,
        "fedcba9876543210": 29,
        "another": 31,
        runner.wheels.name: 31,
    }
    now = time.time()
    for name, age in directories.items():
        directory = runner.wheels.parent / name
        directory.mkdir(exist_ok=True)
        (directory / "some.whl").touch()
        os.utime(directory, (now - age * DAY, now - age * DAY))

    step = runner.start(PIP_INDEX_URL=NOWHERE)

    runner.assert_starts_redeliver(step)
    left = {directory.name for directory in runner.wheels.parent.iterdir()}
    assert left == directories.keys() - {"0123456789abcdef"}
    assert runner.wheels.stat().st_mtime >= now - 1, "this run has used it"


def test_two_versions_of_redeliver_keep_their_wheels(
    runner: Runner, action: Path, tmp_path: Path
) -> None:
    later = shutil.copytree(action, tmp_path / "later")
    with (later / "requirements" / "runtime.txt").open("a") as requirements:
        requirements.write("# A later version has other packages.\n")
    versions = {name: {"GITHUB_ACTION_PATH": str(name / "composite")} for name in (action, later)}
    for variables in versions.values():
        runner.assert_starts_redeliver(runner.start(**variables))
        (runner.directory / "output").write_text("")

    for variables in versions.values():
        runner.assert_starts_redeliver(runner.start(**variables, PIP_INDEX_URL=NOWHERE))
        (runner.directory / "output").write_text("")
    names = {directory.name for directory in runner.wheels.parent.iterdir()}
    assert names == {wheels_name(action), wheels_name(later)}

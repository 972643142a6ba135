"""The action without Docker starts whatever the runner's directories are, or says what is wrong.

The tests run the action's own command with the real pip, which installs the real packages.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.without_docker.runner import (
    NOWHERE,
    PASSWORD,
    WITHOUT_PRIVILEGES,
    Runner,
    a_runner,
    on_a_small_disk,
    serving,
    the_error,
)


@pytest.mark.parametrize(
    ("tool_cache", "reason"),
    [
        ("", "RUNNER_TOOL_CACHE is not an absolute path"),
        ("tools", "RUNNER_TOOL_CACHE is not an absolute path"),
        ("/proc/none/tools", "No such file or directory"),
        ("/dev/null", "Not a directory"),
    ],
)
def test_without_a_tool_cache_the_packages_are_temporary(
    runner: Runner, tool_cache: str, reason: str
) -> None:
    step = runner.start(RUNNER_TOOL_CACHE=tool_cache)

    runner.assert_starts_redeliver(step)
    downloading, unused = step.stdout.splitlines()
    assert downloading == "Downloading the packages of redeliver"
    assert unused.startswith(
        "The packages are in RUNNER_TEMP, so the next run downloads them again"
    )
    assert reason in unused
    assert step.stderr == ""
    assert list((runner.directory / "workspace").iterdir()) == []


def test_a_tool_cache_of_another_user_is_not_used(runner: Runner) -> None:
    runner.tool_cache.mkdir(mode=0o555)

    step = runner.start(*WITHOUT_PRIVILEGES)

    runner.assert_starts_redeliver(step)
    assert "the next run downloads them again: [Errno 13] Permission denied" in step.stdout


@pytest.mark.parametrize(
    ("options", "reason"), [("ro", "Read-only file system"), ("size=1m", "No space left on device")]
)
def test_a_tool_cache_that_cannot_be_written_is_not_used(
    runner: Runner, options: str, reason: str
) -> None:
    runner.tool_cache.mkdir()

    step = runner.start(*on_a_small_disk(runner.tool_cache, options))

    runner.assert_starts_redeliver(step)
    assert "the next run downloads them again: " in step.stdout
    assert reason in step.stdout


def test_a_read_only_tool_cache_supplies_its_packages(runner: Runner, wheels: Path) -> None:
    shutil.copytree(wheels, runner.wheels)
    runner.wheels.chmod(0o555)

    step = runner.start(*WITHOUT_PRIVILEGES, PIP_INDEX_URL=NOWHERE)

    runner.assert_starts_redeliver(step)
    assert step.stdout == ""


def test_a_link_in_the_tool_cache_is_replaced_and_not_followed(
    runner: Runner, wheels: Path
) -> None:
    cache = runner.wheels
    cache.mkdir(parents=True)
    victim = runner.directory / "victim"
    victim.write_text("untouched")
    for wheel in wheels.iterdir():
        (cache / wheel.name).symlink_to(victim)

    step = runner.start()

    runner.assert_starts_redeliver(step)
    assert victim.read_text() == "untouched"
    assert {file.name for file in cache.iterdir()} == {file.name for file in wheels.iterdir()}
    assert not any(file.is_symlink() for file in cache.iterdir())


def test_the_directory_of_the_action_stays_as_it_is(runner: Runner, action: Path) -> None:
    """A runner that is not root could not remove files that root has written in a container."""
    runner.assert_starts_redeliver(runner.start())

    assert not (action / "composite" / "__pycache__").exists()


def test_only_the_temporary_directory_of_the_runner_needs_space(
    runner: Runner, index: Path
) -> None:
    full = runner.directory / "full"
    full.mkdir()
    with serving(index) as port:
        step = runner.start(
            *on_a_small_disk(full, "size=1m"),
            TMPDIR=str(full),
            PIP_INDEX_URL=f"http://bob:{PASSWORD}@127.0.0.1:{port}",
        )

    runner.assert_starts_redeliver(step)


@pytest.mark.parametrize("name", ["RUNNER_TEMP", "GITHUB_OUTPUT"])
def test_a_variable_that_is_not_set_is_named(runner: Runner, name: str) -> None:
    error = the_error(runner.start(**{name: ""}))

    assert error.startswith(f"{name} is not set. Every runner sets this variable")


@pytest.mark.parametrize(
    ("temporary", "reason"),
    [
        ("/dev/null", "Not a directory"),
        ("/proc/none", "No such file or directory"),
        ("/tmp/a:b", "contains the PATH separator"),  # noqa: S108 - it is not created
    ],
)
def test_a_temporary_directory_that_cannot_be_used_is_named(
    runner: Runner, temporary: str, reason: str
) -> None:
    error = the_error(runner.start(RUNNER_TEMP=temporary))

    assert error.startswith(f"the virtual environment {temporary}/redeliver could not be created")
    assert reason in error
    assert "RUNNER_TEMP must be a directory" in error


def test_outputs_that_cannot_be_written_are_an_error(runner: Runner) -> None:
    error = the_error(runner.start(GITHUB_OUTPUT="/proc/none"))

    assert error.startswith("GITHUB_OUTPUT could not be written: [Errno 2]")


@pytest.fixture(scope="session")
def latin_1(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables of a locale with a code page, which lacks most characters."""
    locales = tmp_path_factory.mktemp("locales")
    make = ["localedef", "--no-archive", "-f", "ISO-8859-1", "-i", "en_US", str(locales / "latin")]
    if subprocess.run(make, capture_output=True, check=False).returncode != 0:
        pytest.fail("this machine lacks the description of a code page: install Debian's locales")
    return {"LOCPATH": str(locales), "LC_ALL": "latin"}


def test_directories_may_have_characters_outside_the_code_page(
    latin_1: dict[str, str], action: Path, index: Path, tmp_path: Path
) -> None:
    """No directory of the runner can be written in the locale's encoding."""
    directory = tmp_path / "Zoë's files" / "日本"
    copy = shutil.copytree(action, directory / "action")
    packages = shutil.copytree(index, directory / "index")
    runner = a_runner(directory, copy, packages)
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "TMPDIR": str(runner.home)}

    first = runner.start(**latin_1, **ascii_only)

    runner.assert_starts_redeliver(first)
    assert first.stdout.endswith(f"finds the packages in {runner.wheels}\n")
    assert first.stderr == ""
    (directory / "output").write_text("")

    second = runner.start(**latin_1, **ascii_only, PIP_INDEX_URL=NOWHERE)

    runner.assert_starts_redeliver(second)
    assert second.stdout + second.stderr == ""


def test_an_error_names_a_directory_outside_the_code_page(
    latin_1: dict[str, str], runner: Runner
) -> None:
    error = the_error(runner.start(**latin_1, RUNNER_TEMP="/dev/null/日本"))

    assert error.startswith("the virtual environment /dev/null/日本/redeliver could not be created")


def test_a_directory_with_undecodable_bytes_is_an_error(runner: Runner) -> None:
    """The file GITHUB_OUTPUT has to be UTF-8, so it cannot name such a directory."""
    temporary = os.fsdecode(os.fsencode(runner.directory) + b"/Zo\xeb")
    Path(temporary).mkdir()

    error = the_error(runner.start(RUNNER_TEMP=temporary))

    assert "RUNNER_TEMP must be a directory" in error

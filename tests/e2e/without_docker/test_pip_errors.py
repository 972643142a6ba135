"""When pip fails, the action without Docker says what pip said, without secrets, and what to do."""

import re
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.e2e.without_docker.runner import (
    NOWHERE,
    PASSWORD,
    Runner,
    on_a_small_disk,
    serving,
    the_error,
)


@pytest.mark.parametrize("login", [f"bob:{PASSWORD}Typo@", ""])
def test_a_wrong_password_of_an_index_is_an_error_without_it(
    runner: Runner, index: Path, login: str
) -> None:
    with serving(index) as port:
        error = the_error(runner.start(PIP_INDEX_URL=f"http://{login}127.0.0.1:{port}"))

    assert "401 Client Error: Unauthorized" in error
    assert "with a user name and password if it needs them" in error
    assert PASSWORD not in error


def test_an_index_that_cannot_be_reached_is_an_error(runner: Runner) -> None:
    url = f"http://bob:{PASSWORD}@127.0.0.1:9"
    step = runner.start(PIP_INDEX_URL=url, PIP_RETRIES="0", FORCE_COLOR="1")

    error = the_error(step)

    assert error.startswith(
        "the packages of redeliver could not be installed. pip said:\nCould not"
    )
    assert "Connection refused" in error
    assert "This runner must reach PyPI, or a mirror" in error
    assert PASSWORD not in step.stdout + step.stderr
    assert "[31m" not in step.stdout  # red


def test_a_package_with_another_hash_is_an_error(
    runner: Runner, index: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    changed = shutil.copytree(index, tmp_path_factory.mktemp("changed"), dirs_exist_ok=True)
    [wheel] = changed.glob("cryptography/*.whl")
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("planted.py", "")

    error = the_error(runner.start(PIP_INDEX_URL=changed.as_uri()))

    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in error
    assert "cryptography==" in error
    assert "Got  " in error
    assert error.endswith("Check the mirror or proxy that this runner uses")


def test_a_package_for_another_platform_is_an_error(
    runner: Runner, index: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = shutil.copytree(index, tmp_path_factory.mktemp("other"), dirs_exist_ok=True)
    [wheel] = other.glob("cryptography/*.whl")
    name = re.sub("[^-]*$", "plan9_mips.whl", wheel.name)
    wheel.rename(wheel.with_name(name))
    (wheel.parent / "index.html").write_text(f'<a href="{name}">{name}</a>')

    error = the_error(runner.start(PIP_INDEX_URL=other.as_uri()))

    assert "No matching distribution found for cryptography==" in error
    assert "There are packages only for Linux, macOS on Apple silicon and Windows on x64" in error


def test_a_full_disk_is_an_error(runner: Runner) -> None:
    temporary = runner.directory / "temp"

    error = the_error(runner.start(*on_a_small_disk(temporary, "size=4m")))

    assert "No space left on device" in error
    assert error.endswith("Free some space on the disk of RUNNER_TEMP")


def test_an_error_that_pip_does_not_expect_is_one_line(runner: Runner) -> None:
    error = the_error(runner.start(PIP_INDEX_URL="https://127.0.0.1:9", PIP_CERT="/nowhere"))

    assert "pip said:\nERROR: Exception:\nOSError: Could not find a suitable TLS CA" in error
    assert error.endswith("Check the settings of pip on this runner")


@pytest.mark.parametrize(
    "settings",
    [
        {"PIP_INDEX_URL": f"http://bob:{PASSWORD}/@127.0.0.1:9"},
        {"PIP_INDEX_URL": f"http://{PASSWORD}:1/2@127.0.0.1:9"},
        {"PIP_INDEX_URL": "http://127.0.0.1:9", "PIP_PROXY": f"http://bob:{PASSWORD}/@127.0.0.1:9"},
        {
            "PIP_INDEX_URL": "http://127.0.0.1:9",
            "http_proxy": f"http://bob:{PASSWORD}/@127.0.0.1:9",
        },
    ],
)
def test_the_password_in_a_wrong_url_is_not_shown(runner: Runner, settings: dict[str, str]) -> None:
    step = runner.start(**settings, PIP_RETRIES="0")

    assert the_error(step)
    assert PASSWORD.lower() not in (step.stdout + step.stderr).lower()


def test_no_words_of_pip_act_as_a_command(runner: Runner) -> None:
    error = the_error(
        runner.start(
            PIP_INDEX_URL=f"{NOWHERE}/::stop::", PIP_FIND_LINKS="/##[stop]", PIP_RETRIES="0"
        )
    )

    assert "/: :stop: :/" in error
    assert "/## [stop]" in error

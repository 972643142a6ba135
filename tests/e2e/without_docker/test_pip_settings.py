"""Settings of pip say how the action without Docker downloads packages, and change nothing else."""

import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from github_sandbox import Proxy
from tests.e2e.without_docker.runner import (
    NOWHERE,
    PASSWORD,
    IndexServer,
    Runner,
    an_index,
    serving,
)


@pytest.mark.parametrize(
    "settings",
    [
        {"PIP_CONSTRAINT": "{home}/constraints.txt"},
        {"PIP_DRY_RUN": "1"},
        {"PIP_NO_INDEX": "1"},
        {"PIP_PLATFORM": "win_amd64"},
        {"PIP_PREFIX": "{home}/elsewhere"},
        {"PIP_REPORT": "{home}/elsewhere"},
        {"PIP_ROOT": "{home}/elsewhere"},
        {"PIP_TARGET": "{home}/elsewhere"},
        {"PIP_USER": "1"},
        {
            "PIP_ABI": "cp27m",
            "PIP_BUILD_CONSTRAINT": "/nowhere",
            "PIP_CACHE_DIR": "/dev/null/cache",
            "PIP_IMPLEMENTATION": "pp",
            "PIP_LOG": "/nowhere/log",
            "PIP_NO_BINARY": ":all:",
            "PIP_NO_DEPS": "0",
            "PIP_ONLY_BINARY": ":none:",
            "PIP_PYTHON": "/nowhere/python",
            "PIP_PYTHON_VERSION": "2.7",
            "PIP_QUIET": "3",
            "PIP_REQUIREMENT": "/nowhere",
            "PIP_REQUIRE_VIRTUALENV": "1",
            "PIP_UPLOADED_PRIOR_TO": "2001-01-01",
            "PIP_USE_FEATURE": "a-feature-that-does-not-exist",
            "_PIP_RUNNING_IN_SUBPROCESS": "1",
        },
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_a_variable_of_pip_does_not_change_the_environment(
    runner: Runner, settings: dict[str, str]
) -> None:
    (runner.home / "constraints.txt").write_text("requests<2\n")
    variables = {name: text.format(home=runner.home) for name, text in settings.items()}

    step = runner.start(**variables, RUNNER_TOOL_CACHE="")

    runner.assert_starts_redeliver(step)
    assert not (runner.home / "elsewhere").exists()


HOSTILE_FILE = """
[global]
quiet = 3
python = /nowhere/python
constraint = /nowhere
[install]
user = true
"""


PLACES = {
    "xdg/pip/pip.conf": {"XDG_CONFIG_DIRS": "xdg"},
    ".pip/pip.conf": {},
    ".config/pip/pip.conf": {},
    "pip.conf": {"PIP_CONFIG_FILE": "pip.conf"},
}
"""Where pip looks for files below the home directory, and the variables that name these places."""


def write_file(runner: Runner, place: str, text: str) -> dict[str, str]:
    """Write a file of pip, and return the variables that name it."""
    file = runner.home / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return {name: str(runner.home / path) for name, path in PLACES[place].items()}


@pytest.mark.parametrize("place", PLACES)
def test_a_file_of_pip_names_the_index_and_changes_nothing_else(
    runner: Runner, index: Path, place: str
) -> None:
    variables = write_file(runner, place, f"{HOSTILE_FILE}index_url = {index.as_uri()}\n")

    step = runner.start(**variables, PIP_INDEX_URL="", RUNNER_TOOL_CACHE="", HTTPS_PROXY=NOWHERE)

    runner.assert_starts_redeliver(step)


def test_the_file_of_pip_beside_python_counts_as_well(
    runner: Runner, index: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site = tmp_path_factory.mktemp("site")
    subprocess.run([sys.executable, "-m", "venv", site], check=True)
    (site / "pip.conf").write_text(f"{HOSTILE_FILE}index_url = {index.as_uri()}\n")

    step = runner.start(
        python=str(site / "bin" / "python"),
        PIP_INDEX_URL="",
        RUNNER_TOOL_CACHE="",
        HTTPS_PROXY=NOWHERE,
    )

    runner.assert_starts_redeliver(step)


@pytest.mark.parametrize("place", [".config/pip/pip.conf", "pip.conf"])
def test_a_file_of_pip_overrides_that_of_the_whole_machine(
    runner: Runner, index: Path, place: str
) -> None:
    """The newest pip lists the settings in its files in the order of the files' names."""
    variables = {
        **write_file(runner, "xdg/pip/pip.conf", f"[global]\nindex-url = {NOWHERE}\n"),
        **write_file(runner, place, f"[global]\nindex-url = {index.as_uri()}\n"),
    }

    step = runner.start(**variables, PIP_INDEX_URL="", PIP_RETRIES="0")

    runner.assert_starts_redeliver(step)


def test_a_variable_of_pip_overrides_its_files(runner: Runner) -> None:
    write_file(runner, ".pip/pip.conf", f"[global]\nindex-url = {NOWHERE}\nretries = 0\n")

    step = runner.start()

    runner.assert_starts_redeliver(step)


def test_a_file_that_pip_cannot_read_is_not_used(runner: Runner) -> None:
    write_file(runner, ".pip/pip.conf", f"index-url = https://bob:{PASSWORD}@example.com\n")

    step = runner.start()

    runner.assert_starts_redeliver(step)
    assert "pip's configuration files could not be read, so they are not used" in step.stdout
    assert "File contains no section headers" in step.stdout
    assert PASSWORD not in step.stdout + step.stderr


def test_pip_reads_no_file_if_the_runner_says_so(runner: Runner) -> None:
    variables = write_file(runner, "xdg/pip/pip.conf", "a file that pip cannot read")

    step = runner.start(**variables, PIP_CONFIG_FILE="/dev/null")

    runner.assert_starts_redeliver(step)
    assert "could not be read" not in step.stdout


def test_packages_may_be_in_several_indexes(
    runner: Runner, wheels: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = sorted(wheels.iterdir())
    first, second, third = (
        an_index(tmp_path_factory.mktemp("index"), files[start::3]).as_uri() for start in range(3)
    )
    settings = f"[global]\nindex-url = {first}\nextra-index-url =\n  {second}\n  {third}\n"
    write_file(runner, ".pip/pip.conf", settings)

    step = runner.start(PIP_INDEX_URL="")

    runner.assert_starts_redeliver(step)


def test_a_directory_of_wheels_is_enough(runner: Runner, wheels: Path) -> None:
    """With `no-index`, pip does not try to reach an index, which could take minutes."""
    with Proxy() as proxy:
        step = runner.start(
            PIP_INDEX_URL="https://packages.example",
            PIP_PROXY=proxy.url,
            PIP_FIND_LINKS=str(wheels),
            PIP_NO_INDEX="1",
            PIP_RETRIES="0",
        )

    runner.assert_starts_redeliver(step)
    assert proxy.connections == []


@pytest.mark.parametrize("is_in_file", [True, False])
def test_the_password_of_an_index_reaches_pip_secretly(
    runner: Runner, index: Path, *, is_in_file: bool
) -> None:
    IndexServer.exposed.clear()
    with serving(index) as port:
        url = f"http://bob:{PASSWORD}@127.0.0.1:{port}"
        if is_in_file:
            write_file(runner, ".pip/pip.conf", f"[global]\nindex-url = {url}\n")

        step = runner.start(PIP_INDEX_URL="" if is_in_file else url)

    runner.assert_starts_redeliver(step)
    assert IndexServer.exposed == []
    assert PASSWORD not in step.stdout + step.stderr


def test_the_proxy_and_certificate_of_pip_are_used(
    runner: Runner, index: Path, tls: ssl.SSLContext, certificate: Path
) -> None:
    with serving(index, tls) as port, Proxy(leads={"localhost:443": f"127.0.0.1:{port}"}) as proxy:
        settings = (f"index-url = https://bob:{PASSWORD}@localhost", f"proxy = {proxy.url}")
        text = "\n".join(["[global]", *settings, f"cert = {certificate}"])
        write_file(runner, ".pip/pip.conf", text)

        step = runner.start(PIP_INDEX_URL="")

    runner.assert_starts_redeliver(step)
    assert set(proxy.connections) == {"localhost:443"}


def test_the_proxy_and_certificate_of_all_programs_are_used(
    runner: Runner, index: Path, tls: ssl.SSLContext, certificate: Path
) -> None:
    with serving(index, tls) as port, Proxy(leads={"localhost:443": f"127.0.0.1:{port}"}) as proxy:
        step = runner.start(
            PIP_INDEX_URL=f"https://bob:{PASSWORD}@localhost",
            HTTPS_PROXY=proxy.url,
            REQUESTS_CA_BUNDLE=str(certificate),
        )

    runner.assert_starts_redeliver(step)
    assert set(proxy.connections) == {"localhost:443"}

"""`tests.support.action_run` starts redeliver as a runner does."""

import json
import re
import signal
import socket
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from github_sandbox import Meanwhile, Sandbox
from tests.sandbox.client import eventually
from tests.support.action_run import FLAGS, RunningStep, run_step, start_step
from tests.support.builders import TOKEN

INPUTS = {"token": TOKEN, "org": "acme", "hook-id": "1", "variable-name": "LAST"}


@pytest.fixture
def temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def silent_url() -> Iterator[str]:
    """Return the URL of a server that accepts connections, and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def start(api_url: str) -> RunningStep:
    environment = {"GITHUB_API_URL": api_url, "GITHUB_REPOSITORY": "acme/ops"}
    return start_step(INPUTS, environment)


def test_a_step_starts_python_as_the_image_does() -> None:
    dockerfile = (Path(__file__).parents[2] / "Dockerfile").read_text()
    [entrypoint] = re.findall(r"^ENTRYPOINT (.*)", dockerfile, flags=re.MULTILINE)

    assert [*FLAGS, "-m", "redeliver"] == json.loads(entrypoint)[1:]


def test_a_step_leaves_no_files_behind(temporary_directory: Path) -> None:
    step = run_step({}, {})

    assert step.status == 1
    assert "::error" in step.log
    assert list(temporary_directory.iterdir()) == []


def test_a_step_can_be_killed_at_a_chosen_request(
    github: Sandbox, temporary_directory: Path
) -> None:
    running = Future[RunningStep]()
    github.inject(Meanwhile(lambda: running.result().kill()))

    running.set_result(start(github.url))
    step = running.result().wait()

    assert step.status == -signal.SIGKILL
    assert (step.outputs, step.summary) == ({}, "")
    assert list(temporary_directory.iterdir()) == []
    # The sandbox handles the requests although their client was killed. The first two are sent at
    # the same time.
    eventually(lambda: all(request.status is not None for request in github.requests))
    assert 1 <= len(github.requests) <= 2


def test_a_step_can_be_sent_a_signal(silent_url: str) -> None:
    step = start(silent_url)

    step.send_signal(signal.SIGUSR1)

    assert step.wait().status == -signal.SIGUSR1


def test_a_step_can_be_waited_for_repeatedly(silent_url: str) -> None:
    step = start(silent_url)
    step.kill()

    assert step.wait() is step.wait()


def test_a_step_that_takes_too_long_is_killed(silent_url: str) -> None:
    assert start(silent_url).wait(timeout=0.01).status == -signal.SIGKILL

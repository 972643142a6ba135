"""The sandbox as a program: python -m github_sandbox."""

import signal
import socket
import subprocess
import sys

import pytest
import requests


@pytest.mark.parametrize(
    ("flag", "value", "advice"),
    [
        pytest.param(
            "--port", "99999", "a number from 0 to 65535, where 0 means any", id="an invalid port"
        ),
        pytest.param("--port", "taken", "choose another port, or 0", id="a port that is taken"),
        pytest.param(
            "--repo", "ops", "must be a repository as owner/name", id="an invalid repository"
        ),
        pytest.param("--answer", "9", "a status code from 100 to 599", id="an invalid status"),
    ],
)
def test_the_command_gives_advice_on_an_invalid_flag(flag: str, value: str, advice: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = subprocess.run(
            [sys.executable, "-m", "github_sandbox", flag, value.replace("taken", port)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert process.returncode == 2
    assert f"error: argument {flag}: " in process.stderr
    assert advice in process.stderr


def test_the_command_prints_what_to_try_and_ends_on_ctrl_c() -> None:
    command = [sys.executable, "-W", "error", "-m", "github_sandbox", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        words: list[str] = []
        while "Ctrl-C" not in words:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            words += line.split()
        token = words[words.index("token") + 1]
        log = next(word for word in words if word.endswith("/deliveries"))
        rows = requests.get(log, headers={"Authorization": f"Bearer {token}"}, timeout=10).json()
        process.send_signal(signal.SIGINT)
        stderr = process.stderr.read()

    assert [row["status_code"] for row in rows] == [502, 502, 200]
    assert process.returncode == 0
    assert stderr == ""

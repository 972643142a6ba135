"""The sandbox starts, remembers what it was asked, and ends."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from github_sandbox import (
    Delay,
    Dropped,
    Fault,
    Hook,
    LostReply,
    Meanwhile,
    Receiver,
    Request,
    Sandbox,
    Truncated,
)

from .client import TOKEN, Client, deliveries, eventually


def is_down(url: str) -> bool:
    try:
        requests.post(url, json={}, timeout=10)
    except requests.ConnectionError:
        return True
    return False


def test_the_sandbox_remembers_what_it_was_asked(client: Client, bookkeeping: Hook) -> None:
    client.get(
        "/api/v3" + deliveries(bookkeeping),
        params={"per_page": 1},
        headers={"X-GitHub-Api-Version": "2022-11-28"},
    )
    Client(client.github, token=None).post("/nowhere")

    assert client.github.requests == [
        Request(
            method="GET",
            path=deliveries(bookkeeping),
            query={"per_page": "1"},
            token=TOKEN,
            api_version="2022-11-28",
            began=0,
            status=200,
        ),
        Request(method="POST", path="/nowhere", query={}, token=None, began=0, status=404),
    ]


def test_the_sandbox_remembers_when_a_request_came_not_when_it_was_answered(
    client: Client,
) -> None:
    answered: list[float] = []
    client.github.inject(Meanwhile(lambda: answered.append(time.monotonic())))

    asked = time.monotonic()
    client.get("/nowhere")
    client.get("/nowhere")

    first, second = (request.began for request in client.github.requests)
    assert asked <= first <= answered[0] <= second <= time.monotonic()


def test_the_sandbox_counts_how_many_it_answers_at_once(client: Client) -> None:
    assert client.github.most_at_once == 0

    for _ in range(3):
        client.get("/nowhere")
    assert client.github.most_at_once == 1

    # Each is asked while the one before it is being answered.
    for nth in (1, 2):
        client.github.inject(Meanwhile(lambda: client.get("/nowhere")), nth=nth)
    client.get("/nowhere")
    assert client.github.most_at_once == 3

    client.get("/nowhere")
    assert client.github.most_at_once == 3


@pytest.mark.parametrize("fault", [LostReply(), Dropped(), Truncated()], ids=repr)
def test_who_was_cut_off_is_not_being_answered_any_more(client: Client, fault: Fault) -> None:
    client.github.inject(fault, times=3)
    for _ in range(3):
        with pytest.raises(requests.RequestException):
            client.get("/nowhere")

    assert client.github.most_at_once == 1


def test_a_remembered_request_does_not_print_its_token(client: Client) -> None:
    client.get("/nowhere")

    assert TOKEN not in repr(client.github.requests)


def test_sandboxes_do_not_share_anything(client: Client, bookkeeping: Hook) -> None:
    with Sandbox() as another:
        assert another.url != client.github.url
        assert Client(another).get(deliveries(bookkeeping)).status_code == 401


def test_a_sandbox_takes_the_port_it_is_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    with Sandbox(port=port) as github:
        assert github.url == f"http://127.0.0.1:{port}"
        with pytest.raises(OSError, match="in use"), Sandbox(port=port):
            pass


def test_a_sandbox_is_left_at_once_whatever_is_under_way(receiver: Receiver) -> None:
    receiver.behave(delay=3600)
    threads = threading.active_count()
    with Sandbox(receiver_timeout=3600) as github:
        github.token(TOKEN, organization_hooks="write")
        hook = github.org("acme").hook(receiver.url)
        Client(github).redeliver(hook, hook.record())
        github.inject(Delay(3600))
        with pytest.raises(requests.ReadTimeout):
            requests.get(github.url, timeout=0.05)

    assert threading.active_count() == threads
    assert is_down(github.url)


def test_rows_can_be_recorded_by_many_threads(bookkeeping: Hook) -> None:
    def record() -> None:
        for _ in range(50):
            bookkeeping.record()

    threads = [threading.Thread(target=record) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ids = [row["id"] for row in bookkeeping.log]
    assert len(ids) == 400
    assert ids == sorted(ids, reverse=True)


def test_a_receiver_that_is_left_is_gone() -> None:
    with Receiver() as receiver:
        url = receiver.url

    assert is_down(url)


def test_a_receiver_does_not_outlive_who_started_it(tmp_path: Path) -> None:
    killed_with_a_receiver = """if True:
        import os, github_sandbox
        with github_sandbox.Receiver() as receiver:
            print(receiver.url, flush=True)
            os.kill(os.getpid(), 9)
    """
    parent = subprocess.run(
        [sys.executable, "-c", killed_with_a_receiver],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        check=False,
    )
    url = parent.stdout.decode().strip()

    eventually(lambda: is_down(url))


@pytest.mark.parametrize(
    ("flag", "value", "advice"),
    [
        pytest.param("--port", "99999", "a number from 0 to 65535; 0 is any", id="no port"),
        pytest.param("--port", "taken", "name another, or 0 for any", id="a port that is taken"),
        pytest.param("--repo", "ops", "must be a repository as owner/name", id="no repository"),
        pytest.param("--answer", "9", "a status code from 100 to 599", id="no status"),
    ],
)
def test_the_sandbox_on_its_own_gives_advice_on(flag: str, value: str, advice: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "github_sandbox", flag, value.replace("taken", port)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert done.returncode == 2
    assert f"error: argument {flag}: " in done.stderr
    assert advice in done.stderr


def test_the_sandbox_runs_on_its_own() -> None:
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

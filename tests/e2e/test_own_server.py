"""The command works on a user's own server: systemd and cron start it in a container."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from github_sandbox import Receiver, Sandbox
from tests.e2e.workflow_run import ROOT, TOKEN, an_outage, arrived

FILES = ROOT / "examples" / "own-server"
CGROUPS = Path("/sys/fs/cgroup/systemd")
"""This directory exists only on systems that use cgroups of version 1."""

# The options that systemd needs in a container, for cgroups of version 1 and of version 2.
CGROUPS_V1 = [
    *("--cap-add", "SYS_ADMIN", "--cap-add", "SYS_PTRACE"),
    *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
    *("--volume", f"{CGROUPS}:{CGROUPS}"),
    *("--env", "SYSTEMD_PROC_CMDLINE=SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"),
]
CGROUPS_V2 = ["--privileged", "--cgroupns", "private"]


RECEIVER = """
[Service]
User=nobody
ExecStart=/bin/sleep infinity
"""
"""A service in place of the user's receiver. The real receiver is in the process of the test."""


class Server:
    """A running server, on which a test runs shell commands as root."""

    def __init__(self, container: str) -> None:
        self._container = container

    def run(self, command: str, *, status: int = 0) -> str:
        """Run a shell command, check its exit status and return its output."""
        process = subprocess.run(
            ["docker", "exec", self._container, "sh", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        assert process.returncode == status, process.stdout
        return process.stdout

    def install(self) -> None:
        """Install the command as the page for users says."""
        # While it starts, systemd mounts an empty file system at /tmp, which pip uses.
        self.run("until systemctl is-active --quiet basic.target; do sleep 0.1; done")
        self.run("cp -r /redeliver /srv/source && python3 -m venv /opt/redeliver")
        self.run("/opt/redeliver/bin/pip install --quiet '/srv/source[cli]'")

    def write_unit(self, name: str, text: str) -> None:
        """Write a unit of systemd, and have systemd check it."""
        path = f"/etc/systemd/system/{name}"
        self.write(path, text)
        self.run("systemctl daemon-reload")
        if not name.endswith(".conf"):
            self.run(f"systemd-analyze verify {path}")

    def write(self, path: str, text: str) -> None:
        """Write a file that only its owner may read."""
        write = f"umask 077; mkdir -p $(dirname {path}); cat > {path}"
        command = ["docker", "exec", "-i", self._container, "sh", "-c", write]
        subprocess.run(command, input=text, encoding="utf-8", check=True)


@pytest.fixture
def server(machine: str, action: Path) -> Iterator[Server]:
    permissions = CGROUPS_V1 if CGROUPS.exists() else CGROUPS_V2
    mounts = ("--tmpfs", "/run", "--volume", f"{action}:/redeliver:ro")
    start = ["docker", "run", "--detach", "--network", "host", *mounts, *permissions]
    started = subprocess.run(
        [*start, "--env", "container=docker", machine, "/lib/systemd/systemd"],
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    container = started.stdout.strip()
    try:
        yield Server(container)
    finally:
        subprocess.run(["docker", "rm", "--force", container], check=True, capture_output=True)


def test_a_systemd_timer_and_a_cron_job_recover_events(
    server: Server, github: Sandbox, receiver: Receiver
) -> None:
    hook_of_timer, hook_of_cron = (github.org("acme").hook(receiver.url) for _ in range(2))
    missed_by_timer = an_outage(receiver, hook_of_timer)
    missed_by_cron = an_outage(receiver, hook_of_cron)
    server.install()

    # Cron runs the command as a user, for the first time at the next full minute.
    server.run("useradd --create-home ops && ln -s /opt/redeliver/bin /home/ops/bin")
    server.run("mkdir -p ~ops/.local/state && ln -s /opt/redeliver/bin ~ops/.local/bin")
    server.write("/home/ops/.config/redeliver", environment_file(github, hook_of_cron.id))
    server.write("/home/ops/crontab", every_minute((FILES / "redeliver.crontab").read_text()))
    server.run("chown -R ops: ~ops && crontab -u ops ~ops/crontab && systemctl start cron")

    # systemd runs it as root.
    server.write("/etc/redeliver/environment", environment_file(github, hook_of_timer.id))
    for name in ("redeliver.service", "redeliver.timer"):
        server.write_unit(name, (FILES / name).read_text())
    server.run(
        "cd /var/lib/prometheus && chgrp prometheus node-exporter && chmod g+w node-exporter"
    )
    server.write_unit("redeliver.service.d/metrics.conf", (FILES / "metrics.conf").read_text())
    server.run("systemctl enable --now redeliver.timer")
    server.run(
        "systemctl start redeliver.service || { journalctl --unit redeliver.service; exit 1; }"
    )
    assert "redeliver.service" in server.run("systemctl list-timers redeliver.timer")
    assert "2 recovered" in server.run("journalctl --unit redeliver.service")
    assert arrived(github, receiver, missed_by_timer) == sorted(missed_by_timer)
    server.run("test -s /var/lib/redeliver/checkpoint.json")
    metrics = "/var/lib/prometheus/node-exporter/redeliver.prom"
    as_exporter = "setpriv --reuid prometheus --regid prometheus --clear-groups"
    assert 'outcome="recovered",' in server.run(f"{as_exporter} cat {metrics}")
    assert TOKEN not in server.run("systemctl show redeliver.service; journalctl")

    wait_until_arrived(github, receiver, missed_by_cron)
    server.run("systemctl stop cron")
    server.run("test -s ~ops/.local/state/redeliver.json")


def test_runs_follow_the_receiver_and_each_other(
    server: Server, github: Sandbox, receiver: Receiver
) -> None:
    """One run starts with the receiver. Then a service makes runs all the time."""
    hook = github.org("acme").hook(receiver.url)
    missed = an_outage(receiver, hook)
    server.install()
    server.write("/etc/redeliver/environment", environment_file(github, hook.id))
    server.write_unit("redeliver.service", (FILES / "redeliver.service").read_text())
    server.write_unit("my-receiver.service", RECEIVER)
    drop_in = "my-receiver.service.d/override.conf"
    server.write_unit(drop_in, (FILES / "receiver.conf").read_text())

    server.run("systemctl start my-receiver.service")

    wait_until_arrived(github, receiver, missed)
    server.run("while systemctl is-active redeliver.service | grep activating; do sleep 1; done")

    loop = (FILES / "redeliver-loop.service").read_text()
    assert "--every 1m\n" in loop
    server.write_unit("redeliver-loop.service", loop.replace("--every 1m\n", "--every 2s\n"))
    server.run("systemctl enable --now redeliver-loop.service")
    journal = "journalctl --unit redeliver-loop.service"
    server.run(f"until {journal} | grep 'From now on, a run without news'; do sleep 1; done")
    receiver.stop()
    missed_later = [hook.emit("push")]
    receiver.start()
    wait_until_arrived(github, receiver, missed_later)
    server.run(f"until {journal} | grep '1 event failed: 1 recovered'; do sleep 1; done")
    server.run("systemctl stop redeliver-loop.service")
    assert server.run(state_of_loop()) == "Result=success\nExecMainStatus=143\n"
    assert TOKEN not in server.run("journalctl")

    server.run("echo REDELIVER_PROBE=many >>/etc/redeliver/environment")
    server.run("systemctl start redeliver-loop.service; sleep 3")
    assert server.run(state_of_loop()) == "Result=exit-code\nExecMainStatus=64\n"
    assert "REDELIVER_PROBE must be a whole number" in server.run(journal)
    server.run("systemctl is-failed redeliver-loop.service")


def state_of_loop() -> str:
    """Return the command that prints how the service's process has ended."""
    return "systemctl show --property Result,ExecMainStatus redeliver-loop.service"


def wait_until_arrived(github: Sandbox, receiver: Receiver, missed: list[str]) -> None:
    """Wait until all missed events have arrived, once each."""
    deadline = time.monotonic() + 90
    while not arrived(github, receiver, missed) and time.monotonic() < deadline:
        time.sleep(1)
    assert arrived(github, receiver, missed) == sorted(missed)


def environment_file(github: Sandbox, hook_id: int) -> str:
    """Return the environment file of the example, with a test's names."""
    text = (FILES / "environment").read_text()
    for name, replacement in {"…": TOKEN, "my-org": "acme", "123456789": str(hook_id)}.items():
        assert name in text
        text = text.replace(name, replacement)
    return f"{text}GH_HOST={github.url}\n"


def every_minute(crontab: str) -> str:
    """Return the crontab with a run every minute, so that the test does not wait for an hour."""
    assert crontab.startswith("15 * * * * ")
    return crontab.replace("15", "*", 1)

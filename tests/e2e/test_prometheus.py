"""Prometheus' own programs accept the metrics of a run and the example's alert rules."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from github_sandbox import Hook, Receiver, Sandbox
from tests.e2e.workflow_run import ROOT, TOKEN, an_outage
from tests.support.command_run import Command

RULES = ROOT / "examples" / "own-server" / "prometheus-rules.yml"
RULES_TEST = Path(__file__).parent / "prometheus" / "rules-test.yml"


@pytest.fixture
def folder(github: Sandbox, hook: Hook, receiver: Receiver, tmp_path: Path) -> Path:
    """Return the node exporter's folder, with the metrics of two commands for the same webhook."""
    folder = tmp_path / "node-exporter"
    folder.mkdir()
    an_outage(receiver, hook)
    for name in ("one", "two"):
        command = Command(github, hook, tmp_path / f"{name}.json")
        run = command.run("--metrics-file", str(folder / f"{name}.prom"), REDELIVER_TOKEN=TOKEN)
        assert (run.status, run.stderr) == (0, "")
    return folder


def promtool(*arguments: str, stdin: str = "") -> str:
    """Run promtool, check that it finds nothing wrong, and return its output."""
    run = subprocess.run(
        ["promtool", *arguments],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    return run.stdout


@contextmanager
def node_exporter(folder: Path) -> Iterator[str]:
    """Start a node exporter that reads only this folder, and yield its URL."""
    with create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    process = subprocess.Popen(
        [
            "prometheus-node-exporter",
            "--collector.disable-defaults",
            "--collector.textfile",
            f"--collector.textfile.directory={folder}",
            f"--web.listen-address={address}",
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://{address}/metrics"
    finally:
        process.terminate()
        process.wait()


def scraped(url: str) -> str:
    """Return the metrics, as soon as the node exporter responds."""
    deadline = time.monotonic() + 20
    while True:
        try:
            with urlopen(url) as response:  # noqa: S310 - a URL of this test
                return str(response.read().decode())
        except URLError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def samples(text: str) -> set[tuple[str, frozenset[tuple[str, str]], float]]:
    """Return the name, labels and value of each sample."""
    return {
        (sample.name, frozenset(sample.labels.items()), sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_promtool_finds_nothing_wrong_with_the_metrics(folder: Path) -> None:
    """It checks names and units by Prometheus' conventions, too."""
    for file in folder.iterdir():
        assert promtool("check", "metrics", stdin=file.read_text()) == ""


def test_the_node_exporter_passes_on_all_metrics(folder: Path) -> None:
    with node_exporter(folder) as url:
        found = samples(scraped(url))

    assert ("node_textfile_scrape_error", frozenset(), 0) in found
    for file in folder.iterdir():
        written = samples(file.read_text())
        assert len(written) > 10
        assert written <= found


def test_the_rules_report_what_they_should() -> None:
    assert "SUCCESS" in promtool("check", "rules", "--lint-fatal", str(RULES))
    assert "SUCCESS" in promtool("test", "rules", str(RULES_TEST))


def test_every_rule_is_tested_with_an_alert() -> None:
    [group] = yaml.safe_load(RULES.read_text())["groups"]
    tests = yaml.safe_load(RULES_TEST.read_text())["tests"]
    checks = [check for test in tests for check in test["alert_rule_test"]]

    names = {rule["alert"] for rule in group["rules"]}
    assert {check["alertname"] for check in checks if "exp_alerts" in check} == names
    assert {check["alertname"] for check in checks if "exp_alerts" not in check} == names


def test_the_rules_use_only_metrics_that_a_run_writes(folder: Path) -> None:
    [group] = yaml.safe_load(RULES.read_text())["groups"]
    used = " ".join(rule["expr"] for rule in group["rules"])
    written = (folder / "one.prom").read_text()

    assert set(re.findall(r"redeliver_\w+", used)) <= set(
        re.findall(r"^# TYPE (\w+) gauge$", written, flags=re.MULTILINE)
    )
    outcomes = "|".join(re.findall(r'outcome=~?"([^"]+)"', used)).split("|")
    assert set(outcomes) <= set(re.findall(r'outcome="(\w+)"', written))

"""What docs/why-trust-it.md says of the repository is true, and its commands for a release work."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "why-trust-it.md").read_text()
PROMISES = (ROOT / "docs" / "promises.md").read_text()
IMAGE = f"ghcr.io/acme/image@sha256:{'ab' * 32}"
SOMEBODY = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in {"NAME": "somebody", "EMAIL": "somebody@example.com"}.items()
}


def run(directory: Path, *command: str | Path, more: Mapping[str, str] = SOMEBODY) -> str:
    """Run a command in a directory and return its output."""
    return subprocess.run(
        command, cwd=directory, env=os.environ | more, check=True, capture_output=True, text=True
    ).stdout


def test_the_commands_show_what_a_release_changes(tmp_path: Path) -> None:
    repository = tmp_path / "acme/redeliver"
    for folder in (".github", "image"):
        shutil.copytree(ROOT / folder, repository / folder)
    shutil.copy(ROOT / "action.yml", repository)
    run(repository, "git", "init", "--quiet", "--initial-branch", "main")
    run(repository, "git", "add", ".")
    run(repository, "git", "commit", "--quiet", "--message", "Reviewed")
    run(
        repository, sys.executable, repository / ".github" / "release.py", "commit", "v1.2.3", IMAGE
    )
    run(repository, "git", "tag", "v1.2.3", "HEAD~1")
    run(repository, "git", "switch", "--quiet", "main")
    run(repository, "git", "merge", "--quiet", "--no-ff", "--message", "Merge", "release/v1.2.3")
    [commands] = re.findall(r"<!-- release -->\n```sh\n(.*?)```", PAGE, flags=re.DOTALL)

    # With these settings, git clones from this directory instead of github.com.
    here = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{tmp_path}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
    }
    shell = tmp_path / "shell"
    shell.mkdir()
    printed = run(shell, "sh", "-e", "-c", commands, more=here)

    lines = [line.partition(" #")[0] for line in printed.splitlines()]
    changed = [line for line in lines if re.match(r"[+-] ", line)]
    assert sorted(changed) == [
        f"+  image: docker://{IMAGE}",
        f"+  image: docker://{IMAGE}",
        "-  image: ../Dockerfile",
        "-  image: Dockerfile",
    ]
    assert lines[-1] == f"{IMAGE}, of a commit of main"


def test_four_places_in_the_code_send_more_than_reads() -> None:
    [command] = re.findall(r"^grep .*", PAGE, flags=re.MULTILINE)

    methods = re.findall(r'(\w+\.py):\d+: *"(\w+)"', run(ROOT, "sh", "-c", command))

    assert sorted(methods) == [
        ("checkpoint_variable.py", "PATCH"),
        ("checkpoint_variable.py", "POST"),
        ("credentials.py", "POST"),
        ("delivery_log.py", "POST"),
    ]


def test_the_page_has_the_permissions_of_installation_tokens() -> None:
    clients = (ROOT / "src" / "redeliver" / "clients.py").read_text()
    requested = set(re.findall(r'\{"(\w+)": "(read|write)"\}', clients))

    assert len(requested) == 4
    assert set(re.findall(r"`(\w+): (read|write)`", PAGE)) == requested


def test_the_page_names_what_we_use_of_actions_toolkit() -> None:
    code = ast.parse((ROOT / "src" / "redeliver" / "action.py").read_text())
    used = {
        node.attr
        for node in ast.walk(code)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "core"
    }
    [line] = re.findall(r"\*\*What we use:\*\* (six functions.*)", PAGE)

    assert len(used) == 6
    assert set(re.findall(r"`(\w+)`", line)) == used


def test_actions_toolkit_brings_no_further_package() -> None:
    assert importlib.metadata.version("actions-toolkit") == "0.1.15"
    assert set(importlib.metadata.requires("actions-toolkit") or ()) == {"requests", "PyGithub"}


def test_the_figures_of_the_tests_are_those_of_the_promises() -> None:
    """Other tests and commands check the figures of the promises."""
    figures = re.findall(r"\| (\d+ crash points|\d+ disturbed runs) \|", PAGE)
    figures += re.findall(r"\| (more than [\d,]+) \| `make contract`", PAGE)
    rows = re.findall(r"^\| `\w+` \| ([\d,]+) \| ([\d,]+) \|", PROMISES, flags=re.MULTILINE)
    tried, noticed = (sum(int(row[i].replace(",", "")) for row in rows) for i in (0, 1))

    assert len(figures) == 3
    assert [figure for figure in figures if figure not in PROMISES] == []
    assert f"of {tried:,}, the tests noticed {noticed:,}" in PAGE


def test_no_workflow_has_permissions_or_runs_code_of_strangers() -> None:
    # For the other loaders, the key `on` is a boolean.
    workflows = {
        path.name: yaml.load(path.read_text(), yaml.BaseLoader)  # noqa: S506 - it makes only strings
        for path in (ROOT / ".github" / "workflows").glob("*.yml")
    }

    assert "codeql.yml" in workflows
    # A caller of the reusable workflow grants its permissions.
    assert [name for name, workflow in workflows.items() if workflow["permissions"] != {}] == []
    for workflow in workflows.values():
        assert not {"pull_request_target", "workflow_run"} & set(workflow["on"])

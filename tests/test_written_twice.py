"""What is written twice says the same: action.yml, the code, the README, the examples."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from redeliver import record
from redeliver.settings import INPUTS, parse
from redeliver.summary import summary
from tests.golden import golden
from tests.test_report import a_report
from tests.test_settings import GOOD

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
README = (ROOT / "README.md").read_text()
EXAMPLES = sorted((ROOT / "examples").glob("*.yml"))


def test_the_code_reads_exactly_the_declared_inputs() -> None:
    assert INPUTS.keys() == ACTION["inputs"].keys()


def test_the_code_sets_exactly_the_declared_outputs() -> None:
    assert record.outputs(a_report()).keys() == ACTION["outputs"].keys()


@pytest.mark.parametrize("name", ACTION["inputs"])
def test_an_input_has_a_default_which_is_text(name: str) -> None:
    # None is required by itself: what is depends on the others, and the code says so.
    declared = ACTION["inputs"][name]

    assert declared.keys() == {"description", "default"}
    assert isinstance(declared["default"], str)


@pytest.mark.parametrize("name", sorted(ACTION["inputs"].keys() - {"variable-name"}))
def test_an_empty_input_means_the_declared_default(name: str) -> None:
    # An empty variable-name is a choice of its own: no checkpoint is kept.
    assert INPUTS[name].default == ACTION["inputs"][name]["default"]


def test_every_declared_default_is_one_the_code_accepts() -> None:
    defaults = {
        name: declared["default"]
        for name, declared in ACTION["inputs"].items()
        if declared.get("default")
    }

    parse(GOOD | defaults)


def test_the_action_is_a_docker_action_made_from_its_sources() -> None:
    assert ACTION["runs"] == {"using": "docker", "image": "Dockerfile"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_gives_only_declared_inputs_and_no_permission(example: Path) -> None:
    workflow = yaml.safe_load(example.read_text())
    steps: list[dict[str, Any]] = [
        step
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if "/redeliver@" in step.get("uses", "")
    ]

    assert steps
    for step in steps:
        assert step["with"].keys() <= ACTION["inputs"].keys()
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]


def test_the_pure_modules_need_neither_network_nor_runner() -> None:
    pure = [
        f"redeliver.{path.stem}"
        for path in sorted((ROOT / "src" / "redeliver").glob("*.py"))
        if re.search(r"^Pure\b", path.read_text(), flags=re.MULTILINE)
    ]
    imports = f"import sys, {', '.join(pure)}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", imports], check=True, capture_output=True, text=True
    ).stdout.split()

    assert len(pure) == 14
    assert not {"github", "requests", "actions_toolkit", "redeliver.run"} & set(loaded)


def test_the_readmes_quick_start_is_an_example_that_is_run() -> None:
    assert (ROOT / "examples" / "organization.yml").read_text() in README


def test_the_summary_in_the_docs_is_what_the_code_makes() -> None:
    assert (ROOT / "docs" / "summary.md").read_text() == summary(golden())


def test_the_readme_lists_exactly_the_declared_inputs_and_outputs() -> None:
    listed = re.findall(r"^\| `([a-z-]+)` \|", README, flags=re.MULTILINE)

    assert listed == [*ACTION["inputs"], *ACTION["outputs"]]


def test_the_readme_begins_with_the_two_commands() -> None:
    commands = re.findall(r"^make (\w+)", README, flags=re.MULTILINE)

    assert commands[:2] == ["demo", "test"]

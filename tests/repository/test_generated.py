"""Facts that are written twice agree: action.yml, the code, the examples, the workflows.

`make lint` checks what `make docs` generates: cog would write it as it is.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import redeliver
from docs.example_summary import example_report
from redeliver.reporting import outputs
from redeliver.reporting.summary import summary
from redeliver.settings import INPUTS, parse
from tests.support.builders import GOOD_INPUTS, a_report

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
COMPOSITE = yaml.safe_load((ROOT / "composite" / "action.yml").read_text())
WORKFLOWS = ROOT / ".github" / "workflows"
EXAMPLES = sorted((ROOT / "examples").glob("*.yml"))
RUN_BY_RUNNERS = [*EXAMPLES, *sorted(WORKFLOWS.glob("*.yml")), ROOT / "composite" / "action.yml"]
"""Every file with steps that a runner executes."""


def test_the_code_reads_exactly_the_declared_inputs() -> None:
    assert INPUTS.keys() == ACTION["inputs"].keys()


def test_the_code_sets_exactly_the_declared_outputs() -> None:
    assert outputs.outputs(a_report()).keys() == ACTION["outputs"].keys()


@pytest.mark.parametrize("name", ACTION["inputs"])
def test_an_input_has_a_description_and_a_text_as_default(name: str) -> None:
    # No input is `required`: which of them a run needs depends on the others.
    declared = ACTION["inputs"][name]

    assert declared.keys() == {"description", "default"}
    assert isinstance(declared["default"], str)


@pytest.mark.parametrize("name", sorted(ACTION["inputs"].keys() - {"variable-name"}))
def test_an_empty_input_means_the_declared_default(name: str) -> None:
    # An empty variable-name has a meaning of its own: keep no checkpoint.
    assert INPUTS[name].default == ACTION["inputs"][name]["default"]


def test_the_code_accepts_every_declared_default() -> None:
    defaults = {
        name: declared["default"]
        for name, declared in ACTION["inputs"].items()
        if declared.get("default")
    }

    parse(GOOD_INPUTS | defaults)


def test_the_action_is_built_from_the_dockerfile() -> None:
    assert ACTION["runs"] == {"using": "docker", "image": "Dockerfile"}


def test_the_composite_action_starts_python_as_the_image_does() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    [entrypoint] = re.findall(r"^ENTRYPOINT (.*)", dockerfile, flags=re.MULTILINE)
    _, *arguments = json.loads(entrypoint)

    assert COMPOSITE["runs"]["steps"][-1]["run"] == f'exec "$PYTHON" {" ".join(arguments)}'


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_only_declared_inputs(example: Path) -> None:
    jobs = yaml.safe_load(example.read_text())["jobs"].values()
    # A job that calls the reusable workflow has `uses` itself, in place of steps.
    steps = [step for job in jobs for step in job.get("steps", [job])]
    ours = [step for step in steps if "/redeliver" in step.get("uses", "")]

    assert ours
    for step in ours:
        inputs = {**step.get("with", {}), **step.get("secrets", {})}
        assert inputs.keys() <= ACTION["inputs"].keys()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_grants_its_workflow_no_write_access(example: Path) -> None:
    workflow = yaml.safe_load(example.read_text())

    assert workflow["permissions"] in ({}, {"contents": "read"})


@pytest.mark.parametrize("file", RUN_BY_RUNNERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_shell_script_contains_an_expression(file: Path) -> None:
    """Untrusted text reaches a script in environment variables, which a shell does not execute."""
    assert not re.search(r"\$\{\{", "".join(scripts(yaml.safe_load(file.read_text()))))


def scripts(part: object) -> Iterator[str]:
    """Yield every shell script of a workflow or an action."""
    match part:
        case {"run": str(script)}:
            yield script
        case dict():
            yield from (script for child in part.values() for script in scripts(child))
        case list():
            yield from (script for child in part for script in scripts(child))


def test_every_file_pins_an_action_to_the_same_commit() -> None:
    pins: dict[str, set[str]] = {}
    for file in RUN_BY_RUNNERS:
        uses = re.findall(r"uses: ([\w-]+/[\w-]+)[\w/-]*@(\w+ # v[\d.]+)", file.read_text())
        for action, pin in uses:
            pins.setdefault(action, set()).add(pin)

    assert "actions/checkout" in pins
    assert {action: commits for action, commits in pins.items() if len(commits) > 1} == {}


def test_the_docs_and_examples_use_the_version_of_the_code() -> None:
    files = [*RUN_BY_RUNNERS, ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    versions = [
        version
        for file in files
        for version in re.findall(r"acme/redeliver[\w./-]*@(v[\d.]+)", file.read_text())
    ]

    assert len(versions) > len(EXAMPLES)
    assert set(versions) == {f"v{redeliver.__version__}"}


@pytest.mark.parametrize(("fewer", "more"), [("runtime", "command"), ("command", "dev")])
def test_all_requirements_pin_the_same_versions(fewer: str, more: str) -> None:
    """So the tests use the packages of both images."""
    pinned, pinned_too = (
        {
            line
            for line in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
            if "==" in line
        }
        for name in (fewer, more)
    )

    assert pinned < pinned_too


def test_the_image_of_the_command_is_built_like_the_actions() -> None:
    """It differs in its requirements, its user, and what it does without arguments.

    Dependabot may update the base image of one before that of the other.
    """
    ours, other = (
        [
            line.replace("command.txt", "runtime.txt")
            for line in (ROOT / dockerfile).read_text().splitlines()
            if not line.startswith(("#", "FROM", "USER", "CMD"))
        ]
        for dockerfile in ("Dockerfile", "examples/kubernetes/Dockerfile")
    )

    assert ours == other


def test_the_marketplace_accepts_description_and_branding() -> None:
    # https://docs.github.com/en/actions/how-tos/create-and-publish-actions/publish-in-github-marketplace
    assert len(ACTION["description"]) < 125
    assert ACTION["branding"] == {"icon": "refresh-cw", "color": "green"}


def test_the_last_job_of_ci_waits_for_all_others() -> None:
    jobs = yaml.safe_load((WORKFLOWS / "ci.yml").read_text())["jobs"]

    assert set(jobs["done"]["needs"]) == jobs.keys() - {"done"}


def test_a_job_on_ubuntu_slim_ends_before_github_ends_it() -> None:
    """After 15 minutes, GitHub ends the job, and redeliver has no time to save the checkpoint."""
    jobs = yaml.safe_load((WORKFLOWS / "ci.yml").read_text())["jobs"].values()
    limits = [job["timeout-minutes"] for job in jobs if "ubuntu-slim" in str(job)]

    assert limits == [14]
    for page in ("docs/limits.md", "examples/without-docker.yml"):
        text = (ROOT / page).read_text()
        assert "ubuntu-slim" in text
        assert re.findall(r"timeout-minutes(?: to|:) (1\d)\b", text) == ["14"]


def test_ci_and_make_versions_test_the_declared_pythons() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [line.rpartition(" ")[2] for line in project["classifiers"]]
    jobs = yaml.safe_load((WORKFLOWS / "ci.yml").read_text())["jobs"]
    [versions] = re.findall(
        r"^PYTHONS \?= (.*)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE
    )

    assert declared == ["3.11", "3.12", "3.13", "3.14", "3.15"]
    assert project["requires-python"] == f">={declared[0]}"
    assert jobs["test"]["strategy"]["matrix"]["python"] == declared
    assert versions.split() == declared


def test_gitattributes_names_only_files_that_exist() -> None:
    lines = (ROOT / ".gitattributes").read_text().splitlines()
    patterns = [line.split()[0] for line in lines if not line.startswith("#")]

    assert "/package-lock.json" in patterns
    assert [pattern for pattern in patterns if not any(ROOT.glob(pattern[1:]))] == []


def test_docs_summary_md_is_the_summary_of_the_example() -> None:
    assert (ROOT / "docs" / "summary.md").read_text() == summary(example_report())

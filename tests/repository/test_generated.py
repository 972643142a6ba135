"""What is written twice says the same: action.yml, its twins, the code, the examples."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import redeliver
from docs.golden import example_report
from redeliver.reporting import outputs
from redeliver.reporting.summary import summary
from redeliver.settings import INPUTS, SECRETS, parse
from tests.support.builders import GOOD_INPUTS, a_report

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
COMPOSITE = yaml.safe_load((ROOT / "composite" / "action.yml").read_text())
WORKFLOWS = ROOT / ".github" / "workflows"
CALLED = yaml.safe_load((WORKFLOWS / "redeliver.yml").read_text())
EXAMPLES = sorted((ROOT / "examples").glob("*.yml"))
RUNNING = [*EXAMPLES, *sorted(WORKFLOWS.glob("*.yml")), ROOT / "composite" / "action.yml"]
"""All files that have a runner do something."""


def test_the_code_reads_exactly_the_declared_inputs() -> None:
    assert INPUTS.keys() == ACTION["inputs"].keys()


def test_the_code_sets_exactly_the_declared_outputs() -> None:
    assert outputs.outputs(a_report()).keys() == ACTION["outputs"].keys()


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

    parse(GOOD_INPUTS | defaults)


def test_the_action_is_a_docker_action_made_from_its_sources() -> None:
    assert ACTION["runs"] == {"using": "docker", "image": "Dockerfile"}


def test_the_composite_action_has_the_same_inputs_and_outputs_and_hands_them_all_on() -> None:
    last = COMPOSITE["runs"]["steps"][-1]

    assert COMPOSITE["inputs"] == ACTION["inputs"]
    assert {name: each["description"] for name, each in COMPOSITE["outputs"].items()} == {
        name: each["description"] for name, each in ACTION["outputs"].items()
    }
    for name, output in COMPOSITE["outputs"].items():
        assert output["value"] == f"${{{{ steps.{last['id']}.outputs.{name} }}}}"
    for name in ACTION["inputs"]:
        variable = f"INPUT_{name.upper().replace('-', '_')}"
        assert last["env"][variable] == f"${{{{ inputs.{name} }}}}"


def test_the_composite_action_starts_python_as_the_image_does() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    [entrypoint] = re.findall(r"^ENTRYPOINT (.*)", dockerfile, flags=re.MULTILINE)
    _, *arguments = json.loads(entrypoint)

    assert COMPOSITE["runs"]["steps"][-1]["run"] == f'exec "$PYTHON" {" ".join(arguments)}'


def test_the_reusable_workflow_takes_all_inputs_and_hands_them_on() -> None:
    called = CALLED[True]["workflow_call"]  # YAML 1.1 takes "on" for a truth
    job = CALLED["jobs"]["redeliver"]
    [step] = job["steps"]

    assert called["inputs"].keys() | called["secrets"].keys() == ACTION["inputs"].keys()
    assert called["secrets"].keys() == set(SECRETS)
    assert called["outputs"].keys() == job["outputs"].keys() == ACTION["outputs"].keys()
    for name, declared in called["inputs"].items():
        assert declared == {**ACTION["inputs"][name], "type": "string"}
    for name in ACTION["inputs"]:
        kind = "secrets" if name in SECRETS else "inputs"
        assert step["with"][name] == f"${{{{ {kind}.{name} }}}}"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_gives_only_declared_inputs_and_grants_nothing_at_large(example: Path) -> None:
    workflow = yaml.safe_load(example.read_text())
    given = [
        {**step.get("with", {}), **step.get("secrets", {})}
        for job in workflow["jobs"].values()
        for step in job.get("steps", [job])
        if "/redeliver" in step.get("uses", "")
    ]

    assert given
    for each in given:
        assert each.keys() <= ACTION["inputs"].keys()
    assert workflow["permissions"] in ({}, {"contents": "read"})


@pytest.mark.parametrize("file", RUNNING, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_shell_is_given_text_by_an_expression(file: Path) -> None:
    assert not re.search(r"\$\{\{", "".join(scripts(yaml.safe_load(file.read_text()))))


def scripts(part: object) -> Iterator[str]:
    """Give whatever shells are to run in a workflow or an action."""
    match part:
        case {"run": str(script)}:
            yield script
        case dict():
            yield from (script for each in part.values() for script in scripts(each))
        case list():
            yield from (script for each in part for script in scripts(each))


def test_an_action_of_others_is_pinned_to_one_commit_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for file in RUNNING:
        uses = re.findall(r"uses: ([\w-]+/[\w-]+)[\w/-]*@(\w+ # v[\d.]+)", file.read_text())
        for action, pin in uses:
            pins.setdefault(action, set()).add(pin)

    assert "actions/checkout" in pins
    assert {action: pin for action, pin in pins.items() if len(pin) > 1} == {}


def test_what_users_are_to_use_is_named_by_the_version_of_the_code() -> None:
    texts = [*RUNNING, ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    named = [
        version
        for file in texts
        for version in re.findall(r"acme/redeliver[\w./-]*@(v[\d.]+)", file.read_text())
    ]

    assert len(named) > len(EXAMPLES)
    assert set(named) == {f"v{redeliver.__version__}"}


def test_what_the_marketplace_shows_fits() -> None:
    # https://docs.github.com/en/actions/how-tos/create-and-publish-actions/publish-in-github-marketplace
    assert len(ACTION["description"]) < 125
    assert ACTION["branding"] == {"icon": "refresh-cw", "color": "green"}


def test_what_lands_a_change_waits_for_every_check() -> None:
    jobs = yaml.safe_load((WORKFLOWS / "ci.yml").read_text())["jobs"]

    assert set(jobs["done"]["needs"]) == jobs.keys() - {"done"}


def test_the_summary_in_the_docs_is_what_the_code_makes() -> None:
    assert (ROOT / "docs" / "summary.md").read_text() == summary(example_report())

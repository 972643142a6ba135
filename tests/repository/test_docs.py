"""The README and the pages: short, in order, and true to the code where they quote it."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from docs import generated
from redeliver.core.decision import Verdict

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
TROUBLES = re.findall(r"^### (.*)", README, flags=re.MULTILINE)
OF_THE_RUNNER = "Container action is only supported on Linux"
ERRORS = {e for heading in TROUBLES for e in re.findall("`(.*?)`", heading)} - {OF_THE_RUNNER}


def texts() -> str:
    """Give every text that the program can show, as far as it is fixed, and what actions echo."""
    shown = [(ROOT / "composite" / "action.yml").read_text()]
    for path in [*ROOT.glob("src/redeliver/**/*.py"), *ROOT.glob("composite/*.py")]:
        nodes = list(ast.walk(ast.parse(path.read_text())))
        documentation = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        shown += [
            node.value
            for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            if id(node) not in documentation
        ]
    return "\n".join(shown)


def test_the_readme_is_read_in_two_minutes() -> None:
    assert len(README.splitlines()) <= 300


def test_the_readme_is_in_the_order_in_which_it_is_needed() -> None:
    assert re.findall(r"^## (.*)", README, flags=re.MULTILINE) == [
        "Quick start",
        "Try it without GitHub",
        "Inputs",
        "Outputs",
        "Permissions",
        "Coming from the script in GitHub's documentation",
        "How it decides",
        "Limits",
        "Troubleshooting",
        "Security model",
        "Comparison",
        "Versioning",
    ]


def test_the_quick_start_is_an_example_that_is_run() -> None:
    assert (ROOT / "examples" / "organization.yml").read_text() in README


def test_the_readme_lists_exactly_the_declared_inputs_and_outputs() -> None:
    listed = re.findall(r"^\| `([a-z-]+)` \|", README, flags=re.MULTILINE)

    assert listed == [*ACTION["inputs"], *ACTION["outputs"]]


def test_the_readme_leads_to_every_example() -> None:
    for example in (ROOT / "examples").glob("*.yml"):
        assert f"(examples/{example.name})" in README or example.read_text() in README


def test_the_readme_begins_with_the_two_commands() -> None:
    commands = re.findall(r"^make (\w+)", README, flags=re.MULTILINE)

    assert commands[:2] == ["demo", "test"]


@pytest.mark.parametrize("error", sorted(ERRORS))
def test_what_heads_a_trouble_is_what_the_program_says(error: str) -> None:
    for part in error.split("…"):
        assert part.removeprefix(" events").strip() in texts()


def test_there_are_troubles() -> None:
    assert len(ERRORS) >= 10


def test_the_table_of_what_is_decided_has_every_verdict() -> None:
    assert generated.VERDICTS.keys() == set(Verdict)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_within_the_repository_leads_somewhere(page: Path) -> None:
    for target, _, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(#([^)]*))?\)", page.read_text()):
        there = page.parent / target if target else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)", there.read_text(), flags=re.MULTILINE)
            assert anchor in map(as_anchor, headings)


def as_anchor(heading: str) -> str:
    """Give the anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")

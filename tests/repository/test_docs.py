"""The README is short and complete, and what it and other pages quote or link to exists."""

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
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tests/*.md")]
RUNNERS_ERROR = "Container action is only supported on Linux"
TROUBLESHOOTING_HEADINGS = re.findall(r"^### (.*)", README, flags=re.MULTILINE)
QUOTED_ERRORS = {
    error for heading in TROUBLESHOOTING_HEADINGS for error in re.findall("`(.*?)`", heading)
} - {RUNNERS_ERROR}


def program_texts() -> str:
    """Return the string literals of the program, and the composite action, which prints texts."""
    texts = [(ROOT / "composite" / "action.yml").read_text()]
    for path in [*ROOT.glob("src/redeliver/**/*.py"), *ROOT.glob("composite/*.py")]:
        nodes = list(ast.walk(ast.parse(path.read_text())))
        docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        texts += [
            node.value
            for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            if id(node) not in docstrings
        ]
    return "\n".join(texts)


def heading_anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_the_readme_has_at_most_300_lines() -> None:
    assert len(README.splitlines()) <= 300


def test_the_readme_has_its_sections_in_this_order() -> None:
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


def test_the_quick_start_is_the_example_for_an_organization() -> None:
    assert (ROOT / "examples" / "organization.yml").read_text() in README


def test_the_readme_lists_exactly_the_inputs_and_outputs() -> None:
    names = re.findall(r"^\| `([a-z-]+)` \|", README, flags=re.MULTILINE)

    assert names == [*ACTION["inputs"], *ACTION["outputs"]]


def test_the_readme_links_to_every_example_or_quotes_it() -> None:
    for example in (ROOT / "examples").glob("*.yml"):
        assert f"(examples/{example.name})" in README or example.read_text() in README


def test_the_first_commands_of_the_readme_are_demo_and_test() -> None:
    targets = re.findall(r"^make (\w+)", README, flags=re.MULTILINE)

    assert targets[:2] == ["demo", "test"]


@pytest.mark.parametrize("error", sorted(QUOTED_ERRORS))
def test_a_troubleshooting_heading_quotes_the_program(error: str) -> None:
    for part in error.split("…"):
        # The program adds "event" or "events" to a number.
        assert part.removeprefix(" events").strip() in program_texts()


def test_troubleshooting_quotes_at_least_ten_errors() -> None:
    assert len(QUOTED_ERRORS) >= 10


def test_the_table_of_verdicts_has_every_verdict() -> None:
    assert generated.VERDICTS.keys() == set(Verdict)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_within_the_repository_has_a_target(page: Path) -> None:
    for path, _, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(#([^)]*))?\)", page.read_text()):
        target = page.parent / path if path else page
        assert target.exists(), path
        if anchor:
            headings = re.findall(r"^#+ (.*)", target.read_text(), flags=re.MULTILINE)
            assert anchor in map(heading_anchor, headings)

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
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
TROUBLESHOOTING = (ROOT / "docs" / "troubleshooting.md").read_text()
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tests/*.md")]
ANSWERING_PAGES = (
    "comparison.md",
    "how-it-decides.md",
    "kubernetes.md",
    "limits.md",
    "migrating.md",
    "receivers.md",
    "security.md",
    "troubleshooting.md",
    "versioning.md",
    "why-trust-it.md",
)
FILES_WITH_FULL_LINKS = (ROOT / "pyproject.toml", *ROOT.glob(".github/ISSUE_TEMPLATE/*.yml"))
RUNNERS_ERRORS = {
    "Container action is only supported on Linux",
    "Cannot connect to the Docker daemon",
}
TROUBLESHOOTING_HEADINGS = re.findall(r"^### (.*)", TROUBLESHOOTING, flags=re.MULTILINE)
QUOTED_ERRORS = {
    error for heading in TROUBLESHOOTING_HEADINGS for error in re.findall("`(.*?)`", heading)
} - RUNNERS_ERRORS


def messages() -> list[str]:
    """Return the texts of the program, and the lines of the composite action, which prints texts.

    A text that is written as one f-string is one text, with an `…` for each value.
    """
    texts = (ROOT / "composite" / "action.yml").read_text().splitlines()
    for path in [*ROOT.glob("src/redeliver/**/*.py"), *ROOT.glob("composite/*.py")]:
        nodes = list(ast.walk(ast.parse(path.read_text())))
        docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        texts += [text_of(node) for node in nodes if id(node) not in docstrings]
    return texts


def text_of(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part) or "…" for part in parts)
    return ""


def heading_anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_the_readme_has_at_most_1500_words_of_its_own() -> None:
    """What cog writes does not count: nobody reads tables of inputs from top to bottom."""
    generated_part = re.compile(r"<!-- \[\[\[cog.*?\[\[\[end\]\]\] -->", flags=re.DOTALL)

    assert len(generated_part.sub("", README).split()) <= 1500


def test_the_first_yaml_is_within_the_first_150_words() -> None:
    before, fence, _ = README.partition("```yaml")

    assert fence
    assert len(re.sub(r"<!--.*?-->", "", before).split()) <= 150


@pytest.mark.parametrize(
    ("page", "times"),
    [
        ("README.md", 2),
        ("docs/versioning.md", 2),
        ("docs/own-server.md", 1),
        ("docs/why-trust-it.md", 2),
    ],
)
def test_a_page_says_that_there_is_no_release_yet(page: str, times: int) -> None:
    """Remove these sentences when the changelog has the first release."""
    is_released = bool(re.search(r"^## \[\d", CHANGELOG, flags=re.MULTILINE))
    sentences = re.findall(
        "no release yet|until there is a release|before the first release, and",
        (ROOT / page).read_text(),
        re.IGNORECASE,
    )

    assert len(sentences) == (0 if is_released else times)


def test_a_release_has_the_real_name_of_the_repository() -> None:
    """CONTRIBUTING.md says how to replace the name that stands for it."""
    placeholder = re.search("acme[/]redeliver", README)  # [/], so that this is not replaced
    is_released = bool(re.search(r"^## \[\d", CHANGELOG, flags=re.MULTILINE))

    assert bool(placeholder) is not is_released


def test_the_readme_has_its_sections_in_this_order() -> None:
    assert re.findall(r"^## (.*)", README, flags=re.MULTILINE) == [
        "Quick start",
        "Down last night, and you need the events now",
        "Inputs",
        "Outputs",
        "Permissions",
        "Examples by task",
        "Try it without GitHub",
        "More",
    ]


def test_the_readme_begins_with_a_list_of_its_sections() -> None:
    sections = re.findall(r"^## (.*)", README, flags=re.MULTILINE)
    contents, *_ = README.partition("## ")

    assert re.findall(r"\]\(#(.*?)\)", contents) == [heading_anchor(name) for name in sections]


def test_the_readme_links_to_every_page() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in README


@pytest.mark.parametrize("page", ANSWERING_PAGES)
def test_a_page_begins_with_the_question_that_it_answers(page: str) -> None:
    _, _, text = (ROOT / "docs" / page).read_text().partition("\n\n")

    assert re.match(r"This page answers: .*\?", text)


def test_the_readme_has_a_table_of_each_group_of_inputs() -> None:
    """`make lint` checks what cog has written into them."""
    groups = re.findall(r'generated\.inputs\("(.*)"\)', README)

    assert groups == list(generated.INPUT_GROUPS)


def test_every_input_is_in_exactly_one_group() -> None:
    inputs = [name for group in generated.INPUT_GROUPS.values() for name in group]

    assert sorted(inputs) == sorted(ACTION["inputs"])


def test_the_readme_links_to_every_example_or_quotes_it() -> None:
    for example in (ROOT / "examples").glob("*.yml"):
        assert f"(examples/{example.name})" in README or example.read_text() in README


def test_the_first_commands_of_the_readme_are_demo_and_test() -> None:
    targets = re.findall(r"^make (\w+)", README, flags=re.MULTILINE)

    assert targets[:2] == ["demo", "test"]


def test_a_troubleshooting_heading_quotes_one_message() -> None:
    """An `…` in a heading stands for any part of the message."""
    texts = messages()
    patterns = {
        error: re.compile(".*".join(re.escape(part.strip()) for part in error.split("…")))
        for error in QUOTED_ERRORS
    }

    assert len(patterns) > 10
    assert [error for error, quoted in patterns.items() if not any(map(quoted.search, texts))] == []


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


@pytest.mark.parametrize("file", FILES_WITH_FULL_LINKS, ids=lambda path: path.name)
def test_a_link_to_a_page_on_github_has_a_target(file: Path) -> None:
    pages = re.findall(r"github\.com/acme/redeliver/blob/main/([\w./-]+)", file.read_text())

    assert [page for page in pages if not (ROOT / page).exists()] == []

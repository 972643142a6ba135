"""The check of GitHub's event names notices every difference. `make contract` runs the check."""

import pytest

from redeliver.core.event_names import EVENT_NAMES
from tests.contract.event_names import NOT_DESCRIBED, described_names, problems

CODE = """
webhook_action_types = {"label": label_action_types}
webhook_event_types = {
    "issues": IssuesEvent,
    "push": PushEvent,
}
"""


def test_the_names_are_read_from_code() -> None:
    assert described_names(CODE) == {"issues", "push"}


@pytest.mark.parametrize("code", ["", "webhook_event_types = {}", "webhook_event_types = load()"])
def test_code_without_names_is_an_error(code: str) -> None:
    with pytest.raises(LookupError, match="has no webhook_event_types"):
        described_names(code)


def test_names_that_agree_are_no_problem() -> None:
    assert problems({"push", "user"}, {"push"}, {"user": "why"}) == []


@pytest.mark.parametrize(
    ("known", "described", "problem", "names"),
    [
        (
            {"push", "user"},
            {"push", "new", "newer"},
            "GitHub has events that redeliver does not know. Add their names to EVENT_NAMES",
            "new, newer",
        ),
        (
            {"push", "old", "user"},
            {"push"},
            "redeliver knows events that GitHub does not describe any more.",
            "old",
        ),
        ({"push", "user"}, {"push", "user"}, "GitHub describes these events now.", "user"),
        ({"push"}, {"push"}, "redeliver does not know these events any more.", "user"),
    ],
)
def test_a_difference_is_a_problem(
    known: set[str], described: set[str], problem: str, names: str
) -> None:
    [found] = problems(known, described, {"user": "why"})

    assert found.startswith(problem)
    assert found.endswith(f": {names}")


@pytest.mark.parametrize("name", sorted(EVENT_NAMES - NOT_DESCRIBED.keys()))
def test_a_name_that_is_missing_here_is_a_problem(name: str) -> None:
    [found] = problems(EVENT_NAMES - {name}, EVENT_NAMES - NOT_DESCRIBED.keys())

    assert found.endswith(f": {name}")

"""Which events a filter includes."""

import pytest

from redeliver.core.event_filter import EventFilter, event_name

CASES = [
    ("", "push", None, True),
    ("push", "push", None, True),
    ("push", "pull_request", "opened", False),
    ("push, pull_request", "pull_request", "opened", True),
    ("pull_request.opened", "pull_request", "opened", True),
    ("pull_request.opened", "pull_request", "closed", False),
    ("pull_request.*", "pull_request", "closed", True),
    ("push.*", "push", None, False),
    ("check_*", "check_run", "completed", True),
    ("check_*", "push", None, False),
    ("check_*.completed", "check_suite", "completed", True),
    ("check_*.completed", "check_suite", "requested", False),
    ("*.opened", "issues", "opened", True),
    ("pus?", "push", None, True),
    ("!push", "push", None, False),
    ("!push", "issues", "opened", True),
    ("!issues.labeled", "issues", "labeled", False),
    ("!issues.labeled", "issues", "opened", True),
    ("issues, !issues.labeled", "issues", "opened", True),
    ("issues, !issues.labeled", "issues", "labeled", False),
    ("!issues.labeled, issues", "issues", "labeled", False),
    ("*, !check_*", "check_run", "completed", False),
    ("*, !check_*", "push", None, True),
    ("push", "push_more", None, False),
    ("repository_dispatch.deploy-*", "repository_dispatch", "Deploy-Shop", True),
    ("repository_dispatch.v1.2", "repository_dispatch", "v1.2", True),
]


@pytest.mark.parametrize(("patterns", "event", "action", "is_included"), CASES)
def test_a_filter_includes_an_event(
    patterns: str, event: str, action: str | None, *, is_included: bool
) -> None:
    events = EventFilter(tuple(patterns.split(", ")) if patterns else ())

    assert events.matches(event, action) is is_included


def test_a_filter_knows_its_unknown_entries() -> None:
    events = EventFilter(("push", "brand_new", "!check_*", "brand_new*.opened", "*.opened", "!new"))

    assert events.unknown == [2, 4, 6]


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("push", "push"),
        ("!push", "push"),
        ("issues.opened", "issues"),
        ("!check_*.completed", "check_*"),
        ("!", ""),
    ],
)
def test_a_pattern_names_an_event(pattern: str, name: str) -> None:
    assert event_name(pattern) == name

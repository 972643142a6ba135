"""Which event name of GitHub a misspelled one resembles."""

import pytest

from redeliver.core.event_names import EVENT_NAMES, nearest_event_name


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("pull_requests", "pull_request"),
        ("pull-request", "pull_request"),
        ("pullrequest", "pull_request"),
        ("isues", "issues"),
        ("psuh", "push"),
        ("workflow_runs", "workflow_run"),
        ("", None),
        ("ghp_abcdefghijklmnopqrstuvwxyzabcdefghij", None),
        ("correcthorsebatterystaple", None),
    ],
)
def test_the_nearest_event_name_is(name: str, nearest: str | None) -> None:
    assert nearest_event_name(name) == nearest


def test_a_higher_cutoff_excludes_less_similar_names() -> None:
    assert nearest_event_name("psuh", cutoff=0.8) is None
    assert nearest_event_name("isues", cutoff=0.8) == "issues"


@pytest.mark.parametrize("name", sorted(EVENT_NAMES))
def test_an_event_name_is_nearest_to_itself(name: str) -> None:
    assert nearest_event_name(name, cutoff=1) == name

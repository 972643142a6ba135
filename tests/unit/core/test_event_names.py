"""Which event names of GitHub a misspelled name probably means."""

from difflib import get_close_matches

import pytest

from redeliver.core.event_names import CLOSE, EVENT_NAMES, close_event_names, matches_known_event


@pytest.mark.parametrize(
    ("name", "close"),
    [
        # a mistyped name
        ("pull_requst", ["pull_request"]),
        ("push_", ["push"]),
        ("psuh", ["push"]),
        ("pus", ["push"]),
        ("isues", ["issues"]),
        ("chek_suite", ["check_suite"]),
        # another form of the name
        ("pull_requests", ["pull_request"]),
        ("issue_comments", ["issue_comment"]),
        ("repositories", ["repository"]),
        ("pullrequest", ["pull_request"]),
        ("pull-request", ["pull_request"]),
        ("check-run", ["check_run"]),
        ("check-*", ["check_*"]),
        # a part of the name
        ("issue", ["issues"]),
        ("workflow", ["workflow_run", "workflow_job"]),
        ("check", ["check_run", "check_suite"]),
        ("comment", ["commit_comment", "discussion_comment", "issue_comment"]),
        ("pull", ["pull_request", "pull_request_review", "pull_request_review_comment"]),
        ("commits", ["commit_comment"]),
        ("checks", ["check_run", "check_suite"]),
        ("branches", ["branch_protection_configuration", "branch_protection_rule"]),
        # an action that is not separated by a dot
        ("pull_request_opened", ["pull_request.opened"]),
        ("issue_opened", ["issues.opened"]),
        ("check-suite-completed", ["check_suite.completed"]),
        ("pull_request_opened_closed", ["pull_request.opened"]),
        ("pull_request:opened", []),
        ("pr_opened", []),
        # the word that 'hook-id' accepts
        ("all", ["*"]),
    ],
)
def test_a_wrong_name_is_close_to_names_that_github_has(name: str, close: list[str]) -> None:
    assert close_event_names(name) == close


@pytest.mark.parametrize(
    "name",
    [
        "",
        "_",
        "wiki",
        "merge_queue_entry",
        "needed",
        "brand_new_created",
        "pull_requst*",
        "brand-new-*",
        "correcthorsebatterystaple",
        "ghp_abcdefghijklmnopqrstuvwxyzabcdefghij",
        "pull_request" + "_opened" * 20,  # too long to compare
    ],
)
def test_another_name_is_close_to_none(name: str) -> None:
    assert close_event_names(name) == []


ACTIONS = ("added", "closed", "completed", "created", "deleted", "edited", "opened", "requested")


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_after_an_underscore_is_recognized(action: str) -> None:
    """Otherwise, `deployment_review` would be suggested for `deployment_created`."""
    wrong = {f"{name}_{action}": f"{name}.{action}" for name in EVENT_NAMES}

    assert {name: close_event_names(name)[0] for name in wrong} == wrong


def test_a_name_with_one_mistyped_character_is_close() -> None:
    """A character is missing, doubled, or swapped with the next one."""
    wrong = {
        (mistyped, name)
        for name in EVENT_NAMES
        for n in range(len(name) - 1)
        for mistyped in (
            name[:n] + name[n + 1 :],
            name[: n + 1] + name[n:],
            name[:n] + name[n + 1] + name[n] + name[n + 2 :],
        )
        if mistyped not in EVENT_NAMES
    }

    assert len(wrong) > 3000
    assert [pair for pair in wrong if pair[1] not in close_event_names(pair[0])] == []


def test_the_last_names_that_github_added_were_not_close() -> None:
    new = {
        "dismissal_request_dependabot",
        "dismissal_request_license_compliance",
        "exemption_request_secret_scanning",
        "issue_relates_to",
    }
    older = EVENT_NAMES - new

    assert len(older) == len(EVENT_NAMES) - 4
    assert [name for name in new if get_close_matches(name, older, cutoff=CLOSE)] == []


@pytest.mark.parametrize("name", sorted(EVENT_NAMES))
def test_a_known_name_is_close_only_to_itself(name: str) -> None:
    assert matches_known_event(name)
    assert close_event_names(name) == [name]

"""Repositories are found by names, patterns and ids."""

import pytest

from github_sandbox import Sandbox
from redeliver.core.delivery import RepositoryId
from redeliver.core.repository_filter import RepositoryFilter
from redeliver.errors import AccessError
from redeliver.github_api.repositories import find_repositories
from tests.support.sandboxes import a_client

NAMES = ("acme/shop", "acme/team-a", "acme/Team-B")


def find(github: Sandbox, *patterns: str) -> RepositoryFilter:
    client = a_client(github.url)
    return find_repositories(patterns, lambda _: client, of_installation=False)


@pytest.mark.parametrize(
    ("patterns", "found", "excludes"),
    [
        (["acme/shop"], ["acme/shop"], False),
        (["acme/team-*"], ["acme/team-a", "acme/Team-B"], False),
        (["acme/team-*", "acme/shop", "!acme/team-a"], ["acme/shop", "acme/Team-B"], False),
        (["!acme/team-*", "!acme/shop"], ["acme/shop", "acme/team-a", "acme/Team-B"], True),
    ],
)
def test_patterns_find_repositories(
    github: Sandbox, patterns: list[str], found: list[str], *, excludes: bool
) -> None:
    github.org("acme")
    ids = {github.repository(name).id: name for name in NAMES}

    repositories = find(github, *patterns)

    assert repositories.names == {id_: name for id_, name in ids.items() if name in found}
    assert repositories.excludes is excludes


def test_an_id_is_found_without_a_request(github: Sandbox) -> None:
    assert find(github, "4711") == RepositoryFilter(names={RepositoryId(4711): ""}, excludes=False)
    assert github.requests == []


@pytest.mark.parametrize(
    ("patterns", "error"),
    [
        (["acme/web-*"], "no repository of acme matches the entry web-\\* of input 'repositories'"),
        (["acme/web"], "cannot find repository acme/web: GitHub responded 404"),
        (["acme/shop", "!acme/s*"], "excludes all repositories that it includes"),
    ],
)
def test_patterns_that_leave_none_are_an_error(
    github: Sandbox, patterns: list[str], error: str
) -> None:
    """Otherwise a misspelled name would redeliver what was meant to be excluded."""
    github.org("acme")
    for name in NAMES:
        github.repository(name)

    with pytest.raises(AccessError, match=error):
        find(github, *patterns)

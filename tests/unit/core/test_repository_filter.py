"""Which repositories' events a filter includes."""

import pytest

from redeliver.core.delivery import RepositoryId
from redeliver.core.repository_filter import (
    ALL_REPOSITORIES,
    RepositoryFilter,
    is_glob,
    is_id,
    with_owner,
)
from tests.support.builders import repositories

CASES = {
    "all": (ALL_REPOSITORIES, 1, True),
    "all, without a repository": (ALL_REPOSITORIES, None, True),
    "an included one": (repositories(1, 2), 2, True),
    "another one": (repositories(1, 2), 3, False),
    "only some, without a repository": (repositories(1, 2), None, False),
    "an excluded one": (repositories(1, excludes=True), 1, False),
    "one that is not excluded": (repositories(1, excludes=True), 2, True),
    "all but some, without a repository": (repositories(1, excludes=True), None, True),
}


@pytest.mark.parametrize("case", CASES)
def test_a_filter_includes_events_of(case: str) -> None:
    chosen, number, is_included = CASES[case]

    assert chosen.matches(RepositoryId(number) if number else None) is is_included


@pytest.mark.parametrize(
    ("chosen", "is_set"),
    [(ALL_REPOSITORIES, False), (repositories(1), True), (repositories(1, excludes=True), True)],
)
def test_a_filter_knows_whether_it_leaves_anything_out(
    chosen: RepositoryFilter, *, is_set: bool
) -> None:
    assert chosen.is_set is is_set


@pytest.mark.parametrize(
    ("pattern", "owner", "expected"),
    [
        ("api", "Acme", "acme/api"),
        ("!api-*", "Acme", "!acme/api-*"),
        ("other/api", "Acme", "other/api"),
        ("!other/api", "Acme", "!other/api"),
        ("4711", "Acme", "4711"),
        ("!4711", "Acme", "!4711"),
        ("api", "", "api"),
    ],
)
def test_a_name_without_an_owner_is_of_the_organization(
    pattern: str, owner: str, expected: str
) -> None:
    assert with_owner(pattern, owner) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("4711", True), ("4711a", False), ("a4711", False), ("acme/4711", False), ("", False)],
)
def test_only_digits_are_an_id(name: str, *, expected: bool) -> None:
    assert is_id(name) is expected


@pytest.mark.parametrize(("name", "expected"), [("api*", True), ("ap?", True), ("api", False)])
def test_a_name_with_a_wildcard_is_a_pattern(name: str, *, expected: bool) -> None:
    assert is_glob(name) is expected

"""Which repositories' events a filter includes."""

import pytest

from redeliver.core.delivery import RepositoryId
from redeliver.core.repository_filter import ALL_REPOSITORIES, RepositoryFilter
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

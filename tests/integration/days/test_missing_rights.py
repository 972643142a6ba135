"""A token that may read a webhook's log, and not redeliver."""

from datetime import timedelta

import pytest

from github_sandbox import Hook, Meanwhile, Sandbox
from redeliver.core.outcome import Outcome
from tests.support.days import SCHEDULE, Days

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
READER = "ghp_reader"
NEEDED = "needed scope: admin:repo_hook, repo, write:repo_hook"


@pytest.fixture
def hook(github: Sandbox, days: Days) -> Hook:
    """Return the webhook of a repository. A token may only read it."""
    github.token(READER, scopes={"read:repo_hook"})
    return github.repository("acme/shop").hook(days.receiver.url)


@pytest.mark.parametrize("number", [1, 4, 5, 40])
def test_a_token_that_may_only_read_is_named_and_loses_nothing(
    days: Days, hook: Hook, number: int
) -> None:
    """Few requests are sent, and all is delivered once the token has the scope."""
    missed = days.fail(hook, number)
    runs = [days.run(hook, token=READER), *days.run_for(2 * DAY, hook, token=READER)]

    for run in runs:
        assert run.is_red
        assert 1 <= len(run.posts) <= 10
        assert {post.status for post in run.posts} == {404}
        assert run.problem.count(NEEDED) == 1
        assert "GitHub responded 404, Not Found" in run.problem
    days.run_for(DAY / 2, hook)
    days.assert_delivered(missed)


@pytest.mark.parametrize("leaving", [1, 7, 20])
@pytest.mark.parametrize("staying", [0, 3])
def test_deliveries_that_left_the_log_are_no_missing_right(
    days: Days, hook: Hook, leaving: int, staying: int
) -> None:
    """GitHub responds 404 for them as well, if they leave the log after a run has read it."""
    days.run(hook)
    old = days.fail(hook, leaving, ago=timedelta())
    days.pass_time(3 * DAY - 2 * MINUTE)
    good = [hook.emit("push"), *days.fail(hook, staying)]
    slow = Meanwhile(lambda: days.clock.advance(3 * MINUTE), after=True)
    days.github.inject(slow, method="PATCH", path=".*/variables/.*")
    run = days.run(hook)

    assert len(run.posts) == leaving + staying
    assert run.count(Outcome.GIVEN_UP) == leaving
    assert run.problem == ""
    days.assert_given_up(old)
    days.assert_delivered(good)
    days.pass_time(SCHEDULE)
    assert not days.run(hook).is_red

"""Writing the checkpoint's variable takes long, fails at first, or its response is lost."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

import pytest

from github_sandbox import Hook, LostResponse, Meanwhile, Status
from redeliver.core.outcome import Outcome
from tests.support.days import SCHEDULE, Days

VARIABLES = ".*/variables.*"
Trouble: TypeAlias = Callable[[Days], None]


def slow_before(days: Days) -> None:
    slow = Meanwhile(lambda: days.clock.advance(timedelta(seconds=20)))
    for method in ("POST", "PATCH"):
        days.github.inject(slow, method=method, path=VARIABLES, times=None)


def slow_after(days: Days) -> None:
    slow = Meanwhile(lambda: days.clock.advance(timedelta(seconds=20)), after=True)
    for method in ("POST", "PATCH"):
        days.github.inject(slow, method=method, path=VARIABLES, times=None)


def four_errors(days: Days) -> None:
    for method in ("POST", "PATCH"):
        days.github.inject(Status(502, "Bad Gateway"), method=method, path=VARIABLES, times=4)


def lost_response(days: Days) -> None:
    for method in ("POST", "PATCH"):
        days.github.inject(LostResponse(), method=method, path=VARIABLES)


TROUBLES = pytest.mark.parametrize("trouble", [slow_before, slow_after, four_errors, lost_response])


@TROUBLES
def test_a_slow_write_of_the_checkpoint_defers_nothing(
    days: Days, hook: Hook, trouble: Trouble
) -> None:
    """Each run writes slowly: the first creates the variable, and others update it."""
    missed = []
    for _ in range(8):
        missed += days.fail(hook, 3)
        trouble(days)
        run = days.run(hook)
        days.github.mend()

        assert run.count(Outcome.RECOVERED) == 3
        assert not run.is_red
        assert "another run" not in run.warnings
        days.pass_time(SCHEDULE)
    days.run(hook)
    days.assert_delivered(missed)

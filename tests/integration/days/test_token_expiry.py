"""A token that ends soon: runs warn of it, and fail for it in time."""

import json
from datetime import UTC, timedelta, timezone

import pytest

from github_sandbox import Hook
from redeliver.reporting import outputs
from tests.support.builders import TOKEN
from tests.support.days import Days

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def replace_token(days: Days, lifetime: timedelta, *, classic: bool = False) -> None:
    expires_at = days.clock() + lifetime
    if classic:
        days.github.token(TOKEN, scopes={"admin:org_hook", "repo"}, expires_at=expires_at)
    else:
        days.github.token(
            TOKEN,
            organization_hooks="write",
            actions_variables="write",
            expires_at=expires_at.astimezone(timezone(timedelta(hours=1))),
        )


@pytest.mark.parametrize("classic", [False, True], ids=["fine-grained", "classic"])
def test_a_token_that_expires_soon_is_a_warning(days: Days, hook: Hook, *, classic: bool) -> None:
    end = days.clock() + 16 * DAY + HOUR
    replace_token(days, end - days.clock(), classic=classic)
    runs = days.run_for(15 * DAY, hook, every=DAY, fail_unrecovered=True)

    left = [end - run.at for run in runs]
    assert left[0] > 14 * DAY
    assert left[-1] < 3 * DAY
    assert ["expires at" in run.warnings for run in runs] == [span < 14 * DAY for span in left]
    assert [run.is_red for run in runs] == [span < 3 * DAY for span in left]
    assert "the token in input 'token' expires at 2026-12-10" in runs[-1].problem
    assert "Before that, create a new token" in runs[-1].problem


def test_a_run_with_fail_on_error_only_warns(days: Days, hook: Hook) -> None:
    replace_token(days, DAY)

    run = days.run(hook)

    assert "expires at" in run.warnings
    assert not run.is_red


def test_the_outputs_have_the_time(days: Days, hook: Hook) -> None:
    replace_token(days, 90 * DAY)
    expected = (days.clock() + 90 * DAY).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    run = days.run(hook)

    assert run.report
    assert run.warnings == ""
    found = outputs.outputs(run.report)
    assert found["token-expires"] == expected
    assert json.loads(found["report"])["tokens"] == [{"input": "token", "expires": expected}]


def test_a_token_that_never_expires_has_no_time(days: Days, hook: Hook) -> None:
    run = days.run(hook)

    assert run.report
    assert outputs.outputs(run.report)["token-expires"] == ""

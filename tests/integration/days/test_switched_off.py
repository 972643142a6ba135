"""Webhooks that are switched off, switched on again, added or deleted, with `hook-id: all`."""

from datetime import timedelta

import pytest

from github_sandbox import Hook, Meanwhile
from redeliver.core.checkpoint import Ended, format_checkpoint
from redeliver.core.outcome import Outcome
from tests.support.days import SCHEDULE, Days, PastRun

OFF = "its webhook is switched off"
DAY = timedelta(days=1)


def deferred(run: PastRun, guid: str) -> bool:
    """Whether the log and a warning say that the event's webhook is switched off."""
    return [line.startswith("Deferred: ") and OFF in line for line in run.lines_about(guid)] == [
        True
    ] and f"deferred to a later run: {OFF}" in run.warnings


@pytest.fixture
def hooks(days: Days) -> list[Hook]:
    """Return two webhooks, after a first run."""
    hooks = [days.hook(), days.hook()]
    days.run()
    days.pass_time(SCHEDULE)
    return hooks


@pytest.mark.parametrize("off_for", [SCHEDULE, DAY, 2 * DAY + 12 * timedelta(hours=1)], ids=str)
@pytest.mark.parametrize("with_others", [True, False], ids=["one", "all"])
def test_a_switched_off_webhook_loses_nothing(
    days: Days, hooks: list[Hook], off_for: timedelta, *, with_others: bool
) -> None:
    """Its failures are deferred, by name, and hold the checkpoint until it is on again."""
    off = hooks[:1] if with_others else hooks
    missed = [guid for hook in hooks for guid in days.fail(hook, 3)]
    waiting = [guid for hook in off for guid in days.guids(hook)]
    before = days.checkpoint
    for hook in off:
        hook.switch_off()
    runs = [days.run()]
    assert days.checkpoint >= before
    held = days.checkpoint
    runs += days.run_for(off_for - SCHEDULE)

    assert all(deferred(run, guid) for run in runs for guid in waiting)
    assert not any(run.is_red for run in runs)
    assert days.checkpoint == held
    assert sorted(days.accepted) == sorted(set(missed) - set(waiting))
    for hook in off:
        hook.switch_on()
    later = days.run_for(DAY)

    days.assert_delivered(missed)
    assert later[0].count(Outcome.RECOVERED) == len(waiting)
    assert int(days.checkpoint) > int(held)


@pytest.mark.parametrize(
    "give_up_after", [timedelta(days=3), timedelta(hours=36)], ids=["3d", "36h"]
)
def test_what_is_due_at_a_webhook_that_stays_off_is_given_up(
    days: Days, hooks: list[Hook], give_up_after: timedelta
) -> None:
    """It was tried before, so that its log still shows it when its first attempt is too old."""
    days.receiver.behave(status=500)
    first_attempt = days.clock()
    missed = days.fail(hooks[0], 3, ago=timedelta())
    days.run_for(DAY / 2)
    days.receiver.behave()
    hooks[0].switch_off()
    runs = days.run_for(4 * DAY, give_up_after=give_up_after, fail_unrecovered=True)

    days.assert_given_up(missed)
    *_, last = (run for run in runs if run.count(Outcome.GIVEN_UP))
    assert first_attempt + give_up_after <= last.at <= first_attempt + give_up_after + 2 * SCHEDULE
    assert all(run.is_red for run in runs if run.at <= last.at)
    assert not any(run.is_red for run in runs if run.at > last.at)


def test_an_event_that_leaves_the_log_untried_is_named_in_red(
    days: Days, hooks: list[Hook]
) -> None:
    """The last run before its only attempt leaves the log names it, warns and is red."""
    [missed] = days.fail(hooks[0])
    hooks[0].switch_off()
    runs = [days.run(fail_unrecovered=True)]
    runs += days.run_for(4 * DAY, fail_unrecovered=True)

    last = [run for run in runs if run.lines_about(missed)][-1]
    after = runs[runs.index(last) + 1]
    assert last.is_red
    assert deferred(last, missed)
    assert "1 deferred event may leave GitHub's log" in last.warnings
    assert after.is_red
    assert "may have left GitHub's log before a run dealt with them" in after.warnings
    assert not runs[-1].is_red, "the checkpoint moves on"


def test_a_webhook_that_is_new_in_the_list_loses_nothing(days: Days) -> None:
    """It is added while a run has already listed the webhooks, or between two runs."""
    added: list[Hook] = []
    missed: list[str] = []

    def add() -> None:
        added.append(days.hook())
        missed.extend(days.fail(added[-1], ago=timedelta()))

    days.hook()
    days.run_for(DAY)
    days.github.inject(Meanwhile(add), method="GET", path=".*/variables/.*")
    days.run()
    add()
    days.run_for(DAY)

    assert len(missed) == 2
    days.assert_delivered(missed)


def test_a_deleted_webhook_does_not_hold_the_checkpoint(days: Days, hooks: list[Hook]) -> None:
    """Its events vanish with it, and those of other webhooks are delivered."""
    vanished = days.fail(hooks[0], 3)
    hooks[0].switch_off()
    held = days.run()
    days.github.inject(Meanwhile(hooks[0].delete), method="GET", path=".*/variables/.*")
    missed = days.fail(hooks[1], 3)
    days.pass_time(SCHEDULE)
    during = days.run()
    after, *_ = days.run_for(DAY)

    assert all(deferred(held, guid) for guid in vanished)
    assert during.is_red, "the webhook was deleted after this run had listed it"
    assert f"cannot read the deliveries of webhook {hooks[0].id}" in during.problem
    assert not after.is_red
    days.assert_delivered(missed)
    assert not days.accepted.keys() & set(vanished)
    assert days.checkpoint == format_checkpoint(days.runs[-1].at, Ended())


def test_nothing_moves_while_there_is_no_webhook(days: Days) -> None:
    """The checkpoint stays where the last webhook left it, or is not created."""
    first = days.run_for(DAY)
    assert days.checkpoint == ""
    hook = days.hook()
    missed = days.fail(hook, 2)
    days.run()
    hook.delete()
    before = days.checkpoint
    runs = [*first, *days.run_for(DAY)]

    assert all("there is no webhook, so this run read nothing" in run.warnings for run in runs)
    assert not any(run.is_red or run.posts for run in runs)
    assert days.checkpoint == before
    missed += days.fail(days.hook(), 2, ago=timedelta(hours=23))
    days.run_for(DAY)
    days.assert_delivered(missed)

"""A run without a checkpoint asks GitHub for failures that are older than it looks back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from redeliver.core.delivery import Delivery, StatusFilter
from redeliver.core.pages import Page
from redeliver.core.policy import RunOptions
from redeliver.engine.ports import NullStore, Store
from redeliver.engine.run import run
from redeliver.errors import RateLimitError, RedeliverError, UnavailableError
from redeliver.reporting.report import Report
from tests.support.builders import (
    NOW,
    OPTIONS,
    a_delivery,
    a_policy,
    ago,
    delivered,
)
from tests.support.fakes import BrokenHook, FakeHook, FakeRuntime, FakeStore

OLDER = [a_delivery(f"older-{n}", at=ago(hours=30 + n), number=n) for n in range(3)]
NEWER = [a_delivery(f"newer-{n}", at=ago(minutes=1 + n), number=100 + n) for n in range(250)]


class AskedHook(FakeHook):
    """A webhook that notes which lists of its log are read, and how many pages of failures."""

    def __init__(
        self,
        *log: Delivery,
        number: int = 1,
        raises: RedeliverError | None = None,
        filters: bool = True,
    ) -> None:
        super().__init__(*log, number=number)
        self.raises = raises
        self.filters = filters
        self.pages_of_failures = 0
        self.asked_while_planning: list[bool] = []

    def pages(
        self, listed: StatusFilter = StatusFilter.ALL, *, planning: bool = False
    ) -> Iterator[Page]:
        if listed is not StatusFilter.FAILURES:
            yield from super().pages(listed, planning=planning)
            return
        self.asked_while_planning.append(planning)
        if self.raises:
            raise self.raises
        for page in super().pages(listed if self.filters else StatusFilter.ALL):
            self.pages_of_failures += 1
            yield page


def run_with(
    *hooks: FakeHook,
    store: Store | None = None,
    options: RunOptions = OPTIONS,
    runtime: FakeRuntime | None = None,
) -> Report:
    return run(hooks, store or FakeStore(None), (runtime or FakeRuntime())(), options)


def older_guids(report: Report) -> list[str]:
    return [delivery.guid for delivery in report.older]


@pytest.mark.parametrize("is_kept", [True, False], ids=["a first run", "no checkpoint is kept"])
@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
def test_a_run_without_a_checkpoint_finds_older_failures(*, is_kept: bool, dry_run: bool) -> None:
    hook, other = AskedHook(*OLDER, *NEWER[:5]), AskedHook(OLDER[0], number=2)
    store = FakeStore(None) if is_kept else NullStore()
    options, runtime = replace(OPTIONS, dry_run=dry_run), FakeRuntime()

    report = run_with(hook, other, store=store, options=options, runtime=runtime)

    assert older_guids(report) == ["older-0", "older-1", "older-2", "older-0"]
    # The requests and the time for all other steps have been used by then.
    assert hook.asked_while_planning == other.asked_while_planning == [False]
    assert not set(hook.requested) & {delivery.guid for delivery in OLDER}


@pytest.mark.parametrize(
    ("store", "options"),
    [
        pytest.param(FakeStore(), OPTIONS, id="there is a checkpoint"),
        pytest.param(
            FakeStore(None),
            replace(OPTIONS, lookback=timedelta(hours=72)),
            id="the run looks back as far as GitHub keeps the log",
        ),
        pytest.param(
            FakeStore(None),
            replace(OPTIONS, policy=a_policy(give_up_after=timedelta(hours=24))),
            id="older events would be given up",
        ),
    ],
)
def test_a_run_does_not_ask_if(store: FakeStore, options: RunOptions) -> None:
    hook = AskedHook(*OLDER)

    report = run_with(hook, store=store, options=options)

    assert (hook.asked_while_planning, report.older) == ([], ())


@pytest.mark.parametrize(
    ("newer", "pages"),
    [
        pytest.param(0, 1, id="none in the window"),
        pytest.param(99, 1, id="a page with one older failure"),
        pytest.param(100, 2, id="a page in the window"),
        pytest.param(250, 3, id="two pages and a half in the window"),
    ],
)
def test_failures_are_read_to_a_page_with_an_older_one(newer: int, pages: int) -> None:
    many_older = [a_delivery(f"{n}", at=ago(hours=48), number=1000 + n) for n in range(300)]
    hook = AskedHook(*NEWER[:newer], OLDER[0], *many_older)

    report = run_with(hook)

    assert hook.pages_of_failures == pages
    assert "older-0" in older_guids(report)


def test_a_failure_at_the_start_of_the_window_is_in_it() -> None:
    """It has the last place of the first page, so the second page is read as well."""
    first = a_delivery("first", at=ago(hours=24), number=50)
    hook = AskedHook(*NEWER[:99], first, OLDER[0])

    report = run_with(hook)

    assert (hook.pages_of_failures, older_guids(report)) == (2, ["older-0"])


def test_at_most_ten_pages_of_failures_are_read() -> None:
    hook, runtime = AskedHook(*NEWER, *OLDER), FakeRuntime()
    hook.per_page = 10

    report = run_with(hook, runtime=runtime)

    assert (hook.pages_of_failures, report.older) == (10, ())
    assert (
        "Could not find out whether the delivery log of webhook 1 of organization acme has "
        "failures that are older than 'lookback': the newest 100 failed deliveries are all newer"
    ) in runtime.said


@pytest.mark.parametrize(
    ("failures", "per_page", "pages"),
    [pytest.param(150, 100, 2, id="two pages"), pytest.param(100, 10, 10, id="ten pages")],
)
def test_a_log_whose_last_page_is_in_the_window_has_none(
    failures: int, per_page: int, pages: int
) -> None:
    runtime, hook = FakeRuntime(), AskedHook(*NEWER[:failures])
    hook.per_page = per_page

    report = run_with(hook, runtime=runtime)

    assert (hook.pages_of_failures, report.older) == (pages, ())
    assert not any("Could not find out" in line for line in runtime.said)


def test_an_event_with_a_newer_success_is_not_an_older_failure() -> None:
    """The scan does not read back to its original, so it makes no decision about the event."""
    between = [delivered(f"fine-{n}", at=ago(hours=25), number=500 + n) for n in range(250)]
    redelivered = delivered("older-0", at=ago(hours=1), number=900, redelivery=True)
    hook = AskedHook(redelivered, *between, *OLDER)

    report = run_with(hook)

    assert report.results == ()
    assert older_guids(report) == ["older-1", "older-2"]


def test_an_event_that_the_run_redelivers_is_no_older_failure() -> None:
    again = a_delivery("older-1", at=ago(hours=1), number=900, redelivery=True)
    hook = AskedHook(again, *OLDER)

    report = run_with(hook)

    assert hook.requested == ["older-1"]
    assert older_guids(report) == ["older-0", "older-2"]


def test_an_event_of_another_webhook_does_not_count_as_seen() -> None:
    again = a_delivery("older-1", at=ago(hours=1), number=900, redelivery=True)

    report = run_with(AskedHook(again, number=1), AskedHook(OLDER[1], number=2))

    assert older_guids(report) == ["older-1"]


@pytest.mark.parametrize(
    "error",
    [UnavailableError("GitHub is down"), RateLimitError("used up until 12:30:00 UTC")],
    ids=["no response", "a rate limit"],
)
def test_an_error_while_asking_does_not_disturb_the_run(error: RedeliverError) -> None:
    hooks = [
        AskedHook(*OLDER, NEWER[0], number=1),
        AskedHook(*OLDER, NEWER[1], number=2, raises=error),
        AskedHook(*OLDER, NEWER[2], number=3),
    ]
    runtime, store = FakeRuntime(), FakeStore(None)

    report = run_with(*hooks, store=store, runtime=runtime)

    assert report.status == 0
    assert [hook.requested for hook in hooks] == [["newer-0"], ["newer-1"], ["newer-2"]]
    assert store.saved
    assert older_guids(report) == ["older-0", "older-1", "older-2"], "those of the first webhook"
    assert hooks[2].asked_while_planning == [], "it would probably fail as well"
    assert (
        "Could not find out whether the delivery log of webhook 2 of organization acme, webhook 3 "
        f"of organization acme has failures that are older than 'lookback': {error}"
    ) in runtime.said


def test_a_webhook_that_could_not_be_read_is_not_asked() -> None:
    broken, other, runtime = BrokenHook(after=0), AskedHook(*OLDER, number=2), FakeRuntime()

    report = run_with(broken, other, runtime=runtime)

    assert older_guids(report) == ["older-0", "older-1", "older-2"]
    assert (
        "Could not find out whether the delivery log of webhook 1 of organization acme has "
        "failures that are older than 'lookback': the log could not be read"
    ) in runtime.said


@pytest.mark.parametrize(
    ("log", "pages", "is_known"),
    [
        pytest.param([*OLDER, NEWER[0]], 1, True, id="the first page has an older failure"),
        pytest.param([], 1, True, id="the log ends on the first page"),
        pytest.param([*OLDER, *NEWER], 1, False, id="the first page has only newer deliveries"),
    ],
)
def test_a_server_that_ignores_the_filter_is_asked_once(
    log: list[Delivery], pages: int, *, is_known: bool
) -> None:
    fine = delivered("fine", at=NOW, number=9999)
    hook, runtime = AskedHook(fine, *log, filters=False), FakeRuntime()

    report = run_with(hook, runtime=runtime)

    assert hook.pages_of_failures == pages
    assert len(report.older) == (len(OLDER) if log and is_known else 0)
    why = "older than 'lookback': this GitHub cannot list failed deliveries only"
    assert any(why in line for line in runtime.said) is not is_known

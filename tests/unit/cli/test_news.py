"""A run of a loop prints what it held back as soon as it has news."""

import pickle
from collections.abc import Callable
from functools import partial

import pytest

from redeliver.cli.news import HeldBack, News
from tests.support.builders import a_report
from tests.unit.cli.screens import FakeScreen

Step = Callable[[HeldBack], None]


def run(
    *steps: Step, news: News | None = None, has_completed: bool = True, has_bar: bool = False
) -> FakeScreen:
    """Let one run say something, and return its screen."""
    news, screen = news or News(), FakeScreen(has_bar=has_bar)
    held_back = HeldBack(screen, news, heading="Run of today")
    with held_back:
        assert screen.is_in_block
        for step in steps:
            step(held_back)
    assert not screen.is_in_block
    news.end_run(has_completed=has_completed)
    return screen


def said(*steps: Step, news: News | None = None, has_completed: bool = True) -> list[str]:
    """Return what one run prints."""
    return run(*steps, news=news, has_completed=has_completed).said


def detail(screen: HeldBack) -> None:
    screen.detail("Read 0 deliveries")


def conclude(screen: HeldBack) -> None:
    screen.conclude(a_report())


def warn(screen: HeldBack) -> None:
    screen.warn("1 event is still failing")


def fail(screen: HeldBack) -> None:
    screen.fail("GitHub is down")


def remark(screen: HeldBack) -> None:
    screen.remark("Deferred: push")


NEWS = {
    "a line": (lambda screen: screen.say("Requested: push"), "Requested: push"),
    "a remark": (remark, "Deferred: push"),
    "a warning": (warn, "Warning: run of today: 1 event is still failing"),
    "an error": (fail, "Error: run of today: GitHub is down"),
}


def test_a_run_without_news_prints_nothing() -> None:
    assert said(detail, conclude) == []


@pytest.mark.parametrize(("step", "line"), NEWS.values(), ids=NEWS)
def test_news_are_printed_at_once_after_what_came_before(step: Step, line: str) -> None:
    screen = FakeScreen()
    held_back = HeldBack(screen, News(), heading="Run of today")
    detail(held_back)
    assert (screen.said, held_back.is_silent) == ([], True)

    step(held_back)

    assert (screen.said, held_back.is_silent) == (
        ["Run of today", "Read 0 deliveries", line],
        False,
    )
    conclude(held_back)
    detail(held_back)
    assert screen.said[3:] == ["0 failed", "Read 0 deliveries"]


@pytest.mark.parametrize("step", [warn, fail, remark])
def test_what_the_run_before_has_said_is_not_repeated(step: Step) -> None:
    news = News()

    assert said(step, news=news)
    assert said(step, news=news) == []
    assert said(news=news) == []
    assert said(step, news=news)


def test_a_line_about_what_was_done_is_always_printed() -> None:
    news = News()

    for _ in range(2):
        assert said(lambda screen: screen.say("Requested: push"), news=news)


def test_texts_that_differ_only_in_a_time_span_are_the_same() -> None:
    news = News()

    assert said(lambda screen: screen.warn("failing for 1 h 59 min, 2 attempts"), news=news)
    assert said(lambda screen: screen.warn("failing for 2 h 0 min, 2 attempts"), news=news) == []
    assert said(lambda screen: screen.warn("failing for 2 h 1 min, 3 attempts"), news=news)


def test_a_failed_run_does_not_make_old_warnings_new() -> None:
    """It says only its error, and the run after it says everything again that still holds."""
    news = News()
    said(warn, news=news)

    assert said(fail, news=news, has_completed=False)
    assert said(fail, news=news, has_completed=False) == []
    assert said(warn, news=news) == []
    assert said(fail, news=news, has_completed=False)


def test_only_the_last_runs_are_remembered() -> None:
    news, sizes = News(), set[int]()
    for number in range(100, 200):
        said(partial(HeldBack.remark, line=f"line {number}"), news=news)
        sizes.add(len(pickle.dumps(news)))

    assert len(sizes) == 1, "it does not grow"


def test_progress_without_a_bar_is_printed_only_with_news() -> None:
    def progress(screen: HeldBack) -> None:
        screen.progress("Read:", 1, 2)

    assert run(progress).shown == []
    assert run(remark, progress).shown == [("Read:", 1, 2)]
    assert run(progress, has_bar=True).shown == [("Read:", 1, 2)]


def test_a_secret_is_masked_on_the_screen_itself() -> None:
    assert run(lambda screen: screen.mask("ghs_s3cret")).masked == ["ghs_s3cret"]


def test_a_sentence_about_all_runs_shows_nothing_held_back() -> None:
    def sum_up(screen: HeldBack) -> None:
        screen.sum_up("Runs work again")

    assert said(detail, sum_up) == ["Run of today: runs work again"]
    assert said(remark, sum_up) == ["Run of today", "Deferred: push", "Runs work again"]

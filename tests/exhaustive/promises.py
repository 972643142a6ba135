"""What must hold after each run, whatever happened before."""

import math
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from github_sandbox import Request
from redeliver.core.checkpoint import parse_checkpoint
from redeliver.core.window import OVERLAP
from redeliver.github_api.throttle import MAX_WAIT_SECONDS, MIN_RATE_FACTOR, MINUTE
from tests.exhaustive.history import RETENTION, History, RecordedVariables
from tests.support.outage import SCHEDULE
from tests.support.sandboxes import PER_MINUTE


def assert_no_event_is_requested_twice(
    history: History, requests: Iterable[Request], successes: Collection[str]
) -> None:
    """Check that a run requests each event once, and none whose success the log shows.

    A request counts unless its response shows that GitHub refused it.
    """
    guids = history.guids()
    counts = Counter(
        guids[int(request.path.split("/")[-2])]
        for request in requests
        if request.path.endswith("/attempts")
        and (request.status is None or not 400 <= request.status < 500)
    )
    assert all(count == 1 for count in counts.values()), counts
    assert not counts.keys() & successes
    for guid in history.attempts.keys() - history.redelivered_by_hand:
        *earlier, _ = history.attempts[guid]
        assert not any(attempt.succeeded for attempt in earlier), f"{guid} was delivered again"


def assert_nothing_is_lost(history: History, variables: RecordedVariables) -> None:
    """Check that the next run reads the log back to each event that it has to redeliver."""
    if not variables.values_saved:
        return
    saved = variables.values_saved[-1]
    read = parse_checkpoint(saved.text, now=saved.at)
    assert read
    for guid in history.open_events():
        assert history.newest(guid) >= read.checkpoint.time - OVERLAP, f"{guid} is out of reach"


def assert_nothing_is_given_up_early(
    history: History,
    given_up: Iterable[str],
    *,
    start: datetime,
    now: datetime,
    give_up_after: timedelta,
    max_attempts: int | None,
) -> None:
    """Check that a run gave up events only for one of the documented reasons.

    An event is too old, has had all its attempts, or has left the log.
    """
    for guid in given_up:
        has_had_all = max_attempts is not None and len(history.attempts[guid]) >= max_attempts
        is_too_old = history.first(guid) < start - give_up_after
        is_gone = history.first(guid) < now - RETENTION
        assert has_had_all or is_too_old or is_gone, f"{guid} was given up early"


def assert_a_green_run_loses_nothing(
    history: History, *, start: datetime, until_next: timedelta, give_up_after: timedelta
) -> None:
    """Check that nothing was lost without a word, or will be before the next run.

    `until_next` is the time between the starts of this run and of the next one.
    """
    max_age = min(give_up_after, RETENTION)
    for guid in history.open_events():
        attempts = history.attempts[guid]
        assert max(attempt.at for attempt in attempts) >= start - RETENTION, f"{guid} is lost"
        is_visible = attempts[0].visible_at <= start
        is_last_chance = attempts[0].at + max_age < start + until_next
        assert not (is_visible and is_last_chance), f"{guid} is about to be lost"


def time_until_next_run(variables: RecordedVariables, start: datetime) -> timedelta:
    """Return how long after a run that starts at `start` it may expect the next one.

    The docs say: as long as after the checkpoint was saved, and at least six hours.
    """
    saves = [saved.at for saved in variables.values_saved if saved.at <= start]
    since_last = start - saves[-1] if saves else SCHEDULE
    return max(since_last, SCHEDULE) if since_last < RETENTION else SCHEDULE


def assert_no_run_waits_for_long(
    duration: timedelta, *, verify: timedelta, slow_requests: int
) -> None:
    """Check the duration of a run. It may be longer if GitHub limits the rate of its requests."""
    per_minute = int(PER_MINUTE * MIN_RATE_FACTOR)
    seconds = MAX_WAIT_SECONDS + math.ceil(slow_requests / per_minute) * MINUTE
    assert duration <= timedelta(seconds=seconds) + 2 * verify

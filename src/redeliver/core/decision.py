"""Decide about one event from all attempts to deliver it: the central rule of the program.

A webhook's events are judged by its own log only, because webhooks that subscribe to the same
event share its GUID.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from redeliver.core.delivery import Delivery, Guid, Webhook
from redeliver.core.policy import Policy, format_duration
from redeliver.core.unreadable import UnreadableRow
from redeliver.core.window import MAX_RUN, Window


class Verdict(Enum):
    """What is decided about an event; the value is a template that `reason` fills in."""

    REDELIVER = "failed"
    DELIVERED = "another attempt succeeded"
    UNWANTED_EVENT = "excluded by 'events'"
    UNWANTED_REPOSITORY = "excluded by 'repositories'"
    UNWANTED_STATUS = "excluded by 'skip-status-codes'"
    EXPIRED = "the first attempt is no longer in GitHub's log, only later ones"
    TOO_OLD = "the first attempt is older than 'give-up-after' ({give_up_after})"
    EXHAUSTED = "'max-attempts' ({max_attempts}) is reached"
    UNREAD = "GitHub's log could not be read back to the first attempt"
    LAST_UNDER_WAY = "it is too old to try again, but its last redelivery may still be under way"
    SWITCHED_OFF = "its webhook is switched off"
    UNSETTLED = "an earlier run may have redelivered it, and GitHub's log may not show that yet"
    HELD = "another run may still be redelivering other events"
    WAITING = "its last redelivery failed, so it waits"
    SURPLUS = "over the limit of {max_redeliveries} ('max-redeliveries')"

    def reason(self, policy: Policy) -> str:
        """Return the reason with the user's limits, for the log and the summary."""
        return self.value.format(
            give_up_after=format_duration(policy.give_up_after),
            max_attempts=policy.max_attempts,
            max_redeliveries=policy.max_redeliveries,
        )


NOT_FAILED_VERDICTS = frozenset(
    {
        Verdict.DELIVERED,
        Verdict.UNWANTED_EVENT,
        Verdict.UNWANTED_REPOSITORY,
        Verdict.UNWANTED_STATUS,
    }
)
"""The verdicts on events that do not count as failed."""


MAX_TIME_BETWEEN_ATTEMPTS = timedelta(days=2)
"""If the newest attempt is older, no redelivery is expected to be under way.

Runs are less than three days apart, because GitHub's log goes back three days.
"""


class EventKey(NamedTuple):
    """Identifies an event in a run: all webhooks that subscribe to an event share its GUID."""

    webhook: Webhook
    guid: Guid


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The verdict on one event of one webhook; `delivery` is the newest attempt."""

    webhook: Webhook
    delivery: Delivery
    attempts: int
    """How many were found."""
    has_all_attempts: bool
    """Whether all were found, the first one included."""
    failing_since: datetime
    """The time of the oldest attempt that was found."""
    verdict: Verdict
    was_delivered: bool = False
    """Whether an attempt succeeded. Then only a replay redelivers the event."""
    was_seen: bool = False
    """Whether an earlier run may have seen the newest attempt."""
    may_have_been_requested: bool = False
    """Whether an earlier run may have requested a redelivery of which the log has no trace."""
    waits_until: datetime | None = None
    """Until when it waits after a failed redelivery; None if it need not."""

    @property
    def key(self) -> EventKey:
        """Which event this is about."""
        return EventKey(self.webhook, self.delivery.guid)


def decide(  # noqa: PLR0911 - one return for each reason
    attempts: Sequence[Delivery],
    window: Window,
    policy: Policy,
    *,
    is_complete: bool = True,
    log_ended: bool = True,
    is_active: bool = True,
    waits_until: datetime | None = None,
    unreadable: Sequence[UnreadableRow] = (),
) -> Verdict:
    """Decide about one event from the attempts to deliver it, newest first.

    `is_complete` is False if the log may have more attempts that matter. `log_ended` is False if
    the log goes back further than it was read, to rows that are older than `give_up_after`.
    `is_active` is False if the webhook is switched off. `waits_until` is until when the event waits
    after a failed redelivery, None if it need not wait. `unreadable` are rows that cannot be read,
    and are or may be attempts to deliver the event.
    """
    newest = attempts[0]
    others = _further_attempts(attempts, unreadable)
    if policy.guids or _is_included(attempts, others, window, policy):
        return Verdict.REDELIVER if is_active else Verdict.SWITCHED_OFF
    if _any_succeeded(attempts) or _any_succeeded(others):
        return Verdict.DELIVERED
    if unwanted := _unwanted(newest, policy):
        return unwanted
    waits = waits_until is not None and window.now < waits_until
    if not is_complete and not waits:
        return Verdict.UNREAD
    first_at = _first_attempt_at(attempts, unreadable, window, policy)
    # Without these two checks, an event whose receiver never works again would be redelivered
    # forever: each redelivery that fails is a new failure in the next window.
    is_gone = first_at is None and is_complete
    if is_gone or (first_at and first_at < window.now - policy.give_up_after):
        if _last_may_be_under_way(newest, first_at, window, policy):
            return Verdict.LAST_UNDER_WAY
        return Verdict.EXPIRED if is_gone and log_ended else Verdict.TOO_OLD
    if policy.max_attempts is not None and _tried(attempts, others) >= policy.max_attempts:
        return Verdict.EXHAUSTED
    if not is_active:
        return Verdict.SWITCHED_OFF
    if window.may_be_under_way(newest):
        return Verdict.UNSETTLED
    return Verdict.WAITING if waits else Verdict.REDELIVER


def _any_succeeded(rows: Iterable[Delivery | UnreadableRow]) -> bool:
    return any(row.succeeded for row in rows)


def _is_included(
    attempts: Sequence[Delivery], others: Iterable[UnreadableRow], window: Window, policy: Policy
) -> bool:
    """Whether an event is redelivered although it has been delivered, by `include_delivered`.

    It is not if an attempt after the range succeeded: the receiver probably worked again by then.
    """
    if not policy.includes_delivered(attempts[0]):
        return False
    successes = [attempt.delivered_at for attempt in attempts if attempt.succeeded]
    successes += [row.latest_by(window) for row in others if row.succeeded]
    is_in_range = any(window.since <= time <= window.until for time in successes)
    return is_in_range and not any(time > window.until for time in successes)


def _unwanted(newest: Delivery, policy: Policy) -> Verdict | None:
    """Return which filter excludes an event; None if none does."""
    if not policy.events.matches(newest.event, newest.action):
        return Verdict.UNWANTED_EVENT
    if not policy.repositories.matches(newest.repository_id):
        return Verdict.UNWANTED_REPOSITORY
    return Verdict.UNWANTED_STATUS if newest.status_code in policy.skip_status_codes else None


def _further_attempts(
    attempts: Iterable[Delivery], unreadable: Iterable[UnreadableRow]
) -> list[UnreadableRow]:
    """Return the unreadable rows of the event that are not among its attempts.

    GitHub can list a row twice, and only one of the two may be unreadable.
    """
    ids = {str(attempt.id) for attempt in attempts}
    return [row for row in unreadable if row.guid is not None and row.id not in ids]


def _tried(attempts: Sequence[Delivery], others: Iterable[UnreadableRow]) -> int:
    return len(attempts) + len({row.id for row in others if row.id})


def _first_attempt_at(
    attempts: Sequence[Delivery],
    unreadable: Iterable[UnreadableRow],
    window: Window,
    policy: Policy,
) -> datetime | None:
    """Return the time of the first attempt; None if the log no longer has it.

    If an unreadable row may be the first attempt, return its latest possible time, so that the
    event is not given up because of that row. But after half of `give_up_after`, this needs a row
    with the event's GUID. Otherwise, if GitHub's log often had rows without a GUID, an event would
    never be given up.
    """
    originals = [attempt.delivered_at for attempt in attempts if not attempt.redelivery]
    if originals:
        return originals[0]
    oldest = attempts[-1].delivered_at
    if oldest < window.now - policy.give_up_after / 2:
        unreadable = [row for row in unreadable if row.guid is not None]
    possible = [
        min(row.latest_by(window), oldest)
        for row in unreadable
        if row.may_be_original and row.earliest <= oldest
    ]
    return max(possible, default=None)


def _last_may_be_under_way(
    newest: Delivery, first_at: datetime | None, window: Window, policy: Policy
) -> bool:
    """Whether an earlier run may have redelivered an event just before it became too old.

    Each run that saves the checkpoint extends the time during which redeliveries may be under way.
    So there is a limit, or an event would never be given up if runs come every few minutes.
    """
    if not window.last_unknown or not window.may_be_under_way(newest):
        return False
    if first_at:
        earlier_run = window.last_unknown - MAX_RUN
        return first_at >= earlier_run - policy.give_up_after
    return newest.delivered_at >= window.now - MAX_TIME_BETWEEN_ATTEMPTS

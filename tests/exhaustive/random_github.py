"""What can happen at random in a world while no run is under way."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from github_sandbox import Hook, Receiver
from github_sandbox.model.delivery_log import SortBy
from tests.exhaustive.history import RETENTION
from tests.exhaustive.troubles import TROUBLES
from tests.exhaustive.world import World
from tests.support.outage import SCHEDULE
from tests.support.sandboxes import PER_MINUTE

DELAYS = (0, 60, 300, 599, 600)
"""After how many seconds the log shows a row. The promises allow ten minutes."""

DURATIONS = {
    "nothing": timedelta(),
    "a minute": timedelta(minutes=1),
    "five minutes": timedelta(minutes=5),
    "nine minutes": timedelta(minutes=9),
    "the longest delay of the log": timedelta(minutes=10),
    "until a run no longer waits because of an earlier one": timedelta(minutes=16),
    "an hour": timedelta(hours=1),
    "the schedule": SCHEDULE,
    "30 hours": timedelta(hours=30),
    "as long as GitHub keeps the log": RETENTION,
}
# Short pauses are drawn more often: after days, runs can only give events up.
SHORT = [*DURATIONS][:8]
PAUSES = st.sampled_from([*SHORT, *SHORT, "the schedule", *DURATIONS])
AGES = st.sampled_from(["a minute", "five minutes", "an hour", "the schedule"])
OFFSETS = st.integers(-1500, 1500)
"""Milliseconds to add to a pause."""

BEHAVIOURS: dict[str, Callable[[Receiver], None]] = {
    "well": lambda receiver: receiver.behave(),
    "broken": lambda receiver: receiver.behave(status=500),
    "moved": lambda receiver: receiver.behave(status=302),
    "broken for some events": lambda receiver: receiver.behave(failing_events={"check_run": 503}),
}
NAMES = st.lists(st.sampled_from(["push", "check_run"]), min_size=1, max_size=3)
MANY_NAMES = st.lists(st.just("push"), min_size=5, max_size=14)
WEBHOOKS = st.integers(0, 2)

MAX_OPEN_EVENTS = PER_MINUTE - 1
"""With more, a run may also have to wait because of max-per-minute."""

MAX_SUCCESSES = 250
"""Enough for several pages; more would only take time."""

MAX_LATE_ROWS = 99
"""Of one webhook. A whole page of old rows is taken for the end of the log."""


class RandomGitHub(RuleBasedStateMachine):
    """One to three webhooks, their receivers, and their logs."""

    @initialize(
        webhooks=st.integers(1, 3),
        sort_logs_by=st.sampled_from(["delivered_at", "id"]),
        give_up_after=st.sampled_from([RETENTION, RETENTION, timedelta(hours=18)]),
        max_attempts=st.sampled_from([None, None, 3]),
        max_redeliveries=st.sampled_from([None, None, 1, 3]),
        probe=st.sampled_from([None, None, 1, 2]),
        remaining=st.none() | st.none() | st.integers(10, 60),
        delay=st.sampled_from(DELAYS),
    )
    def start(
        self,
        webhooks: int,
        sort_logs_by: SortBy,
        give_up_after: timedelta,
        max_attempts: int | None,
        max_redeliveries: int | None,
        probe: int | None,
        remaining: int | None,
        delay: int,
    ) -> None:
        self.world = World(webhooks, sort_logs_by=sort_logs_by)
        self.world.give_up_after = give_up_after
        self.world.max_attempts = max_attempts
        self.world.max_redeliveries = max_redeliveries
        self.world.probe = probe
        self.world.remaining = remaining
        self.behaviours = ["well"] * webhooks
        self.is_active = [True] * webhooks
        self.late_rows = [0] * webhooks
        self.successes = 0
        self.delay_log(delay)

    @rule(webhook=WEBHOOKS, names=NAMES | MANY_NAMES, age=AGES)
    def have_outage(self, webhook: int, names: list[str], age: str) -> None:
        before = self.behaviours[self.index(webhook)]
        self.change_receiver(webhook, "broken")
        self.emit_events(webhook, names)
        self.advance(age, 0)
        self.change_receiver(webhook, before)

    @rule(webhook=WEBHOOKS, names=NAMES)
    def emit_events(self, webhook: int, names: list[str]) -> None:
        if not self.is_active[self.index(webhook)]:
            return
        hook, history = self.hook(webhook), self.world.history
        for name in names[: MAX_OPEN_EVENTS - len(history.open_events())]:
            guid = f"event-{len(history.attempts) + 1}"
            history.add_event(guid, hook)
            hook.emit(name, guid=guid)
            self.world.clock.advance(timedelta(milliseconds=700))
        history.record_new_attempts()

    @rule(webhook=WEBHOOKS, behaviour=st.sampled_from(sorted(BEHAVIOURS)))
    def change_receiver(self, webhook: int, behaviour: str) -> None:
        index = self.index(webhook)
        self.behaviours[index] = behaviour
        BEHAVIOURS[behaviour](self.world.receivers[index])

    @rule(webhook=WEBHOOKS)
    def switch_webhook(self, webhook: int) -> None:
        index = self.index(webhook)
        self.is_active[index] = not self.is_active[index]
        hook = self.world.hooks[index]
        if self.is_active[index]:
            hook.switch_on()
        else:
            hook.switch_off()

    @rule(
        webhook=WEBHOOKS,
        trouble=st.sampled_from(sorted(TROUBLES)),
        number=st.integers(1, 13),
        names=NAMES,
        age=AGES,
    )
    def have_outage_with_trouble(
        self, webhook: int, trouble: str, number: int, names: list[str], age: str
    ) -> None:
        """Miss events; GitHub does not redeliver the first of them."""
        before = set(self.world.history.attempts)
        self.have_outage(webhook, ["push"] * number + names, age)
        missed = [guid for guid in self.world.history.attempts if guid not in before]
        self.world.troubles |= dict.fromkeys(missed[:number], trouble)

    @rule(trouble=st.sampled_from(sorted(TROUBLES)), number=st.integers(1, 13), data=st.data())
    def trouble_events(self, trouble: str, number: int, data: st.DataObject) -> None:
        """From now on, GitHub does not redeliver these events."""
        if failed := sorted(self.world.history.open_events()):
            first = data.draw(st.integers(0, len(failed) - 1))
            chosen = failed[first : first + number]
            self.world.troubles |= dict.fromkeys(chosen, trouble)

    @precondition(lambda self: self.world.troubles)
    @rule()
    def mend_events(self) -> None:
        self.world.troubles.clear()

    @rule(pause=PAUSES, offset=OFFSETS)
    def advance(self, pause: str, offset: int) -> None:
        duration = DURATIONS[pause] + timedelta(milliseconds=offset)
        self.world.clock.advance(max(duration, timedelta()))

    @rule(seconds=st.sampled_from(DELAYS))
    def delay_log(self, seconds: int) -> None:
        self.world.history.log_delay = timedelta(seconds=seconds)
        self.world.github.show_late(seconds)

    @rule(data=st.data())
    def redeliver_by_hand(self, data: st.DataObject) -> None:
        history = self.world.history
        if attempts := history.visible_attempts():
            guid, delivery_id = data.draw(st.sampled_from(attempts))
            history.redelivered_by_hand.add(guid)
            history.hooks[guid].redeliver(delivery_id)
            history.record_new_attempts()

    @precondition(lambda self: self.successes < MAX_SUCCESSES)
    @rule(webhook=WEBHOOKS, number=st.sampled_from([30, 110]))
    def record_successes(self, webhook: int, number: int) -> None:
        self.successes += number
        now = self.world.clock()
        self.hook(webhook).record_many(number, since=now, until=now)

    @rule(webhook=WEBHOOKS, number=st.integers(20, 99), age=PAUSES)
    def record_late_rows(self, webhook: int, number: int, age: str) -> None:
        """Write a block of rows that is older than others in the log."""
        index = self.index(webhook)
        number = min(number, MAX_LATE_ROWS - self.late_rows[index])
        self.late_rows[index] += number
        at = self.world.clock() - DURATIONS[age]
        self.hook(webhook).record_many(number, since=at, until=at)

    @rule(remaining=st.integers(0, 16), reset_in=st.sampled_from([5, 200, 3600]))
    def use_up_rate_limit(self, remaining: int, reset_in: int) -> None:
        self.world.github.rate_limit(remaining=remaining, reset_in=reset_in)

    def index(self, webhook: int) -> int:
        """Return the index of a webhook that exists."""
        return webhook % len(self.world.hooks)

    def hook(self, webhook: int) -> Hook:
        return self.world.hooks[self.index(webhook)]

"""Days of whatever can happen, drawn at random, and in all of it the program keeps its promises.

The world is the sandbox in virtual time, with a real receiver; the program runs in this process.
One thing happens at a time: `test_sweep` sees to a second run in the middle of the first.
"""

import asyncio
import math
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import FrameType

from aiohttp import web
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from github_sandbox import (
    Dropped,
    Fault,
    Garbage,
    LostReply,
    Receiver,
    Request,
    Sandbox,
    Status,
    Truncated,
    VirtualClock,
)
from github_sandbox.faults import Work
from redeliver.core.checkpoint import OVERLAP, parse_checkpoint
from redeliver.core.outcome import ACCEPTED, EventResult, Outcome
from redeliver.errors import Interrupted, RedeliverError
from redeliver.github_api.throttle import MAX_WAIT_SECONDS, MIN_RATE_FACTOR, MINUTE
from redeliver.reporting.report import Report
from tests.exhaustive.soak import SOAK
from tests.support.builders import TOKEN
from tests.support.virtual_run import PER_MINUTE, run_in_process

START = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)
RETENTION = timedelta(days=3)
LOOKBACK = timedelta(hours=24)
SCHEDULE = timedelta(hours=6)
SETTLED = timedelta(minutes=20)
"""When every row shows and no run keeps still because of another."""

LATENESS = (0, 60, 300, 599, 600)
"""By how many seconds rows show late. GitHub says minutes; the promises go as far as ten."""

SPANS = {
    "at once": timedelta(),
    "a minute": timedelta(minutes=1),
    "five minutes": timedelta(minutes=5),
    "as late as a row can be": timedelta(minutes=10),
    "as long as a run keeps still after another": timedelta(minutes=16),
    "an hour": timedelta(hours=1),
    "as scheduled": SCHEDULE,
    "30 hours": timedelta(hours=30),
    "as long as GitHub keeps the log": RETENTION,
}
# Some more often than others: after days there is nothing left but to give up.
SOON = ["at once", "a minute", "five minutes", "as late as a row can be"]
SOON += ["as long as a run keeps still after another", "an hour", "as scheduled"]
LENGTHS = st.sampled_from([*SOON, *SOON, "as scheduled", *SPANS])
AGES = st.sampled_from(["a minute", "five minutes", "an hour", "as scheduled"])
MORE = st.integers(-1500, 1500)
"""How many milliseconds something is off."""

RECEIVERS = {
    "well": {},
    "broken": {"status": 500},
    "moved": {"status": 302},
    "broken for some": {"failing_events": {"check_run": 503}},
}
FAULTS: dict[str, Fault] = {
    "500": Status(500),
    "502": Status(502, "Bad Gateway"),
    "dropped": Dropped(),
    "reply lost": LostReply(),
    "garbage": Garbage(),
    "cut": Truncated(),
    "403 for 7 s": Status(403, "secondary rate limit", {"Retry-After": "7"}),
    "429 for 90 s": Status(429, "Slow down", {"Retry-After": "90"}),
    "429 for 299 s": Status(429, "Slow down", {"Retry-After": "299"}),
    "429 for an hour": Status(429, "Slow down", {"Retry-After": "3600"}),
}
REFUSAL = Status(422, "Cannot")
WHERE = {
    "anything": ("*", ".*"),
    "the log": ("GET", ".*/deliveries"),
    "a redelivery": ("POST", ".*/attempts"),
    "saving": ("PATCH", ".*/variables/.*"),
}
VERIFY = timedelta(seconds=30)
MOST_FAILING = PER_MINUTE - 1
"""One more, and a run may have to wait for more than GitHub."""

MOST_ROWS = 250
"""So many that go well make pages, and more make nothing but work."""

NAMES = st.lists(st.sampled_from(["push", "check_run"]), min_size=1, max_size=3)

TRIED = Counter[str]()


class Killed(BaseException):
    """The run is no more; nothing in the program may notice."""


@dataclass(frozen=True)
class End:
    """The end of a run at one of its requests, which GitHub carries out or does not get."""

    at: int
    carried_out: bool
    by: type[BaseException]
    _struck: threading.Event = field(default_factory=threading.Event, repr=False)

    async def answer(self, _request: web.Request, work: Work) -> None:
        """Have `strike` called in the thread of the run, which waits for the answer."""
        if self.carried_out:
            await work()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        await asyncio.to_thread(self._struck.wait)

    def strike(self, _number: int, _frame: FrameType | None) -> None:
        self._struck.set()
        raise Interrupted(signal.SIGTERM) if self.by is Interrupted else Killed

    @contextmanager
    def ready(self) -> Iterator[None]:
        before = signal.signal(signal.SIGUSR1, self.strike)
        try:
            yield
        finally:
            signal.signal(signal.SIGUSR1, before)


@dataclass(frozen=True)
class Mishap:
    """What goes wrong at some of the requests of a run."""

    what: str
    where: str
    nth: int
    times: int | None


MAX_CHART_NODES = st.builds(
    End, at=st.integers(1, 10), carried_out=st.booleans(), by=st.sampled_from([Killed, Interrupted])
)
MISHAPS = st.builds(
    Mishap,
    what=st.sampled_from(sorted(FAULTS)),
    where=st.sampled_from(sorted(WHERE)),
    nth=st.integers(1, 4),
    times=st.sampled_from([1, 2, 5, None]),
) | st.builds(
    Mishap,
    what=st.just("refused"),
    where=st.just("a redelivery"),
    nth=st.integers(1, 4),
    times=st.just(1),
)


@dataclass(frozen=True)
class Attempt:
    """One row of the log, remembered for longer than GitHub keeps it."""

    id: int
    at: datetime
    shown_at: datetime
    taken: bool


@dataclass(frozen=True)
class Kept:
    """One value that the variable was given, and when."""

    text: str
    at: datetime


class Journal(dict[str, str]):
    """The repository's variables, and everything they ever were."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self.kept: list[Kept] = []
        self._clock = clock

    def __setitem__(self, name: str, text: str) -> None:
        self.kept.append(Kept(text, self._clock()))
        super().__setitem__(name, text)


class SettlingClock(VirtualClock):
    """The clock as a run moves it: what it has asked for is over before more time passes.

    Else what happens first would be up to the scheduler of this machine.
    """

    def __init__(self, clock: VirtualClock, github: Sandbox) -> None:
        self._clock = clock
        self._github = github

    def __call__(self) -> datetime:
        return self._clock()

    def advance(self, by: timedelta) -> None:
        self._github.settle()
        self._clock.advance(by)


class World(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        TRIED["examples"] += 1
        self.clock = VirtualClock(START)
        self.journal = Journal(self.clock)
        with ExitStack() as resources:
            self.receiver = resources.enter_context(Receiver())
            self.github = resources.enter_context(Sandbox(clock=self.clock, retention=RETENTION))
            self.resources = resources.pop_all()
        self.github.token(TOKEN, organization_hooks="write", actions_variables="write")
        self.github.repository("acme/ops").variables = self.journal
        self.hook = self.github.org("acme").hook(self.receiver.url, secret="hush")
        self.receiver_is = "well"
        self.rows = 0
        self.events: dict[str, list[Attempt]] = {}
        self.by_hand: set[str] = set()
        self.named: set[str] = set()
        """GUIDs that some run said it would not redeliver any more."""
        self.unseen: list[tuple[datetime, datetime]] = []
        self.reach = START
        """How far back the first run looked that left a checkpoint."""
        self.is_sound = True

    @initialize(
        give_up_after=st.sampled_from([RETENTION, RETENTION, timedelta(hours=18)]),
        max_attempts=st.sampled_from([None, None, 3]),
        max_redeliveries=st.sampled_from([None, None, 1, 3]),
        probe=st.sampled_from([None, None, 1, 2]),
        late=st.sampled_from(LATENESS),
    )
    def it_begins(
        self,
        give_up_after: timedelta,
        max_attempts: int | None,
        max_redeliveries: int | None,
        probe: int | None,
        late: int,
    ) -> None:
        self.give_up_after = give_up_after
        self.max_attempts = max_attempts
        self.max_redeliveries = max_redeliveries
        self.probe = probe
        self.rows_show_late_from_now_on(late)

    # What happens in the world.

    @rule(names=NAMES, age=AGES)
    def past_outage(self, names: list[str], age: str) -> None:
        before = self.receiver_is
        self.the_receiver_becomes("broken")
        self.events_happen(names)
        self.time_passes(age, 0)
        self.the_receiver_becomes(before)

    @rule(names=NAMES)
    def events_happen(self, names: list[str]) -> None:
        for name in names[: MOST_FAILING - len(self.open_events())]:
            guid = f"event-{len(self.events) + 1}"
            self.events[guid] = []
            self.hook.emit(name, guid=guid)
            self.clock.advance(timedelta(milliseconds=700))
            TRIED["events"] += 1
        self.remember()

    @rule(how=st.sampled_from(sorted(RECEIVERS)))
    def the_receiver_becomes(self, how: str) -> None:
        self.receiver_is = how
        self.receiver.behave(**RECEIVERS[how])  # type: ignore[arg-type]

    @rule(span=LENGTHS, more=MORE)
    def time_passes(self, span: str, more: int) -> None:
        by = SPANS[span] + timedelta(milliseconds=more)
        self.clock.advance(max(by, timedelta()))

    @rule(seconds=st.sampled_from(LATENESS))
    def rows_show_late_from_now_on(self, seconds: int) -> None:
        self.late = timedelta(seconds=seconds)
        self.github.show_late(seconds)

    @rule(data=st.data())
    def somebody_redelivers_by_hand(self, data: st.DataObject) -> None:
        now = self.clock()
        shown = [
            (guid, attempt.id)
            for guid, attempts in self.events.items()
            for attempt in attempts
            if attempt.shown_at <= now <= attempt.at + RETENTION
        ]
        if shown:
            guid, number = data.draw(st.sampled_from(shown))
            self.by_hand.add(guid)
            self.hook.redeliver(number)
            self.remember()
            TRIED["redelivered by hand"] += 1

    @precondition(lambda self: self.rows < MOST_ROWS)
    @rule(rows=st.sampled_from([30, 110]))
    def much_goes_well(self, rows: int) -> None:
        self.rows += rows
        for _ in range(rows):
            self.hook.record()

    @rule(remaining=st.integers(0, 16), reset_in=st.sampled_from([5, 200, 3600]))
    def the_rate_limit_is_nearly_used_up(self, remaining: int, reset_in: int) -> None:
        self.github.rate_limit(remaining=remaining, reset_in=reset_in)

    @rule(span=LENGTHS, more=MORE)
    def a_run(self, span: str, more: int) -> None:
        self.time_passes(span, more)
        began = self.clock()
        try:
            would = self.asked_in(self.start(dry_run=True).results)
        except RedeliverError:
            would = None
        waited = self.clock() != began
        report = self.run()
        if report and would is not None and not waited:
            self.what_was_asked_for_is_what_a_dry_run_told(would, report)

    @rule(names=NAMES, age=AGES, mishaps=st.lists(MISHAPS, min_size=1, max_size=2), span=LENGTHS)
    def a_run_while_github_is_not_well(
        self, names: list[str], age: str, mishaps: list[Mishap], span: str
    ) -> None:
        self.past_outage(names, age)
        self.run(mishaps=mishaps)
        self.time_passes(span, 0)
        self.run()

    @rule(names=NAMES, age=AGES, end=MAX_CHART_NODES, span=LENGTHS)
    def a_run_that_is_ended(self, names: list[str], age: str, end: End, span: str) -> None:
        self.past_outage(names, age)
        self.run(end=end)
        self.time_passes(span, 0)
        self.run()

    def teardown(self) -> None:
        with self.resources:
            if self.is_sound:
                self.get_well()
                self.nothing_is_lost_in_the_end()

    def get_well(self) -> None:
        self.receiver.behave()
        self.rows_show_late_from_now_on(0)
        self.github.rate_limit(remaining=5000, reset_in=3600)
        self.clock.advance(SETTLED)
        self.max_redeliveries = None
        for _ in range(3):
            self.run()
            self.clock.advance(SCHEDULE)

    # A run of the program.

    def run(self, *, mishaps: list[Mishap] | None = None, end: End | None = None) -> Report | None:
        self.is_sound = False
        began, asked_before = self.clock(), len(self.github.requests)
        shown_as_taken = {
            guid
            for guid, tried in self.events.items()
            if any(attempt.taken and attempt.shown_at <= began for attempt in tried)
        }
        was_first = not self.journal.kept
        said: list[str] = []
        with ExitStack() as ready:
            if end:
                ready.enter_context(end.ready())
                self.github.inject(end, nth=end.at)
            for mishap in mishaps or []:
                method, path = WHERE[mishap.where]
                fault = FAULTS.get(mishap.what, REFUSAL)
                self.github.inject(
                    fault, method=method, path=path, nth=mishap.nth, times=mishap.times
                )
            report = self.report_of_a_run(said)
        self.github.mend()
        self.github.settle()
        self.remember()
        if was_first and self.journal.kept:
            self.reach = self.clock() - LOOKBACK
        self.hear(report, said)

        requests = self.github.requests[asked_before:]
        self.nothing_is_hammered(shown_as_taken, requests)
        self.nothing_is_lost()
        if report:
            self.nothing_is_given_up_early(report)
        is_slow = any("half as fast" in line for line in said)
        self.no_run_waits_for_long(began, len(requests) if is_slow else 0)
        self.is_sound = True
        return report

    def report_of_a_run(self, said: list[str]) -> Report | None:
        """Run, to whatever end that comes, but for a bug."""
        TRIED["runs"] += 1
        try:
            report = self.start(said=said)
        except RedeliverError:
            TRIED["errors"] += 1
        except Killed:
            TRIED["killed"] += 1
        except Interrupted:
            TRIED["interrupted"] += 1
        else:
            TRIED["interrupted"] += report.interrupted is not None
            return report
        return None

    def start(self, *, dry_run: bool = False, said: list[str] | None = None) -> Report:
        return run_in_process(
            self.github,
            self.hook,
            SettlingClock(self.clock, self.github),
            give_up_after=self.give_up_after,
            max_attempts=self.max_attempts,
            max_redeliveries=self.max_redeliveries,
            probe=self.probe,
            verify=VERIFY,
            dry_run=dry_run,
            lines=said,
        )

    def remember(self) -> None:
        """Write down what is new in the log, whether it shows yet or not."""
        for row in reversed(self.hook.log):
            attempts = self.events.get(row["guid"], [])
            if all(attempt.id != row["id"] for attempt in attempts):
                at = datetime.fromisoformat(row["delivered_at"])
                attempts.append(
                    Attempt(
                        id=row["id"],
                        at=at,
                        shown_at=at + self.late,
                        taken=row["status_code"] == 200,
                    )
                )

    def hear(self, report: Report | None, said: list[str]) -> None:
        """Write down which events are named as left alone for good, and what went unseen.

        A run that is killed leaves its log, one that is interrupted its report as well.
        """
        for_good = [
            outcome.value.capitalize() + ": " for outcome in (Outcome.GIVEN_UP, Outcome.GONE)
        ]
        told = [line.split() for line in said if line.startswith(tuple(for_good))]
        self.named |= {guid for guid in self.events if any(guid in line for line in told)}
        if report:
            left = (o for o in report.results if o.outcome in {Outcome.GIVEN_UP, Outcome.GONE})
            self.named |= {o.decision.delivery.guid for o in left}
        for line in said:
            if gone := re.match(
                r"Warning: deliveries from (.*) UTC to (.*) UTC may have left", line
            ):
                start, end = (
                    datetime.fromisoformat(text).replace(tzinfo=UTC) for text in gone.groups()
                )
                assert end <= self.clock() - RETENTION
                # Times are told in whole seconds.
                self.unseen.append((start, end + timedelta(seconds=1)))

    # The promises.

    def nothing_is_hammered(self, shown_as_taken: set[str], requests: list[Request]) -> None:
        """In one run each event is asked for once, and none that the log showed as taken.

        A request counts as soon as it may have been accepted: it was, or there was no answer, or
        one that does not tell.
        """
        guids = {attempt.id: guid for guid, tried in self.events.items() for attempt in tried}
        asked = Counter(
            guids[int(request.path.split("/")[-2])]
            for request in requests
            if request.path.endswith("/attempts")
            and (request.status is None or not 400 <= request.status < 500)
        )
        assert all(times == 1 for times in asked.values()), asked
        assert not shown_as_taken & asked.keys()
        for guid in self.events.keys() - self.by_hand:
            *earlier, _ = self.events[guid]
            assert not any(attempt.taken for attempt in earlier), f"{guid} twice"

    def nothing_is_lost(self) -> None:
        """Check that the next run looks at each event that nothing became of."""
        if not self.journal.kept:
            return
        checkpoint = parse_checkpoint(self.journal.kept[-1].text, now=self.clock())
        assert checkpoint
        for guid in self.open_events():
            assert self.newest(guid) >= checkpoint - OVERLAP, f"{guid} is out of sight"

    def nothing_is_lost_in_the_end(self) -> None:
        """Once all is well, each event has been taken, or a run said that it will not be."""
        taken = {each.guid for each in self.receiver.received() if each.status == 200}
        assert self.open_events() <= taken

    def open_events(self) -> set[str]:
        """Events that were not taken and that no run has given up, and told so."""
        return {
            guid
            for guid, tried in self.events.items()
            if not any(attempt.taken for attempt in tried)
            and guid not in self.named
            and self.newest(guid) >= self.reach
            and not any(start <= self.newest(guid) <= end for start, end in self.unseen)
        }

    def newest(self, guid: str) -> datetime:
        return max(attempt.at for attempt in self.events[guid])

    def nothing_is_given_up_early(self, report: Report) -> None:
        """Only what is too old, has had its attempts, or has left the log."""
        oldest = report.window.now - self.give_up_after
        for result in report.results:
            tried = self.events[result.decision.delivery.guid]
            if result.outcome is Outcome.GIVEN_UP:
                enough = self.max_attempts is not None and len(tried) >= self.max_attempts
                assert enough or tried[0].at < oldest
            if result.outcome is Outcome.GONE:
                assert result.decision.delivery.delivered_at < self.clock() - RETENTION

    def what_was_asked_for_is_what_a_dry_run_told(self, would: list[str], report: Report) -> None:
        """Check it; a rate limit may end what is done of the plan, and so may a probe."""
        asked = self.asked_in(report.results)
        TRIED["dry runs compared"] += 1
        if self.probe is None and not report.limit:
            assert asked == would
        else:
            assert set(asked) <= set(would)

    @staticmethod
    def asked_in(results: Iterable[EventResult]) -> list[str]:
        """Give the GUIDs that were asked for, or would be, in that order."""
        outcomes = ACCEPTED | {Outcome.DUE, Outcome.REFUSED, Outcome.GONE, Outcome.UNANSWERED}
        return [o.decision.delivery.guid for o in results if o.outcome in outcomes]

    def no_run_waits_for_long(self, began: datetime, slowly: int) -> None:
        """Nor longer than so many requests take when GitHub wants them to come slowly."""
        per_minute = int(PER_MINUTE * MIN_RATE_FACTOR)
        most = MAX_WAIT_SECONDS + math.ceil(slowly / per_minute) * MINUTE
        assert self.clock() - began <= timedelta(seconds=most) + 2 * VERIFY

    @invariant()
    def the_checkpoint_is_one_not_in_the_future_and_never_moves_back(self) -> None:
        TRIED["steps"] += 1
        marks = []
        for kept in self.journal.kept:
            mark = parse_checkpoint(kept.text, now=kept.at)
            assert mark
            assert mark <= kept.at
            marks.append(mark)
        assert marks == sorted(marks)


def test_whatever_happens_nothing_is_lost_hammered_or_given_up_early(
    add_to_summary: Callable[[str], None],
) -> None:
    run_state_machine_as_test(
        World,
        settings=settings(
            max_examples=25 * SOAK,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    add_to_summary(
        f"{TRIED['examples']} random worlds: "
        + ", ".join(f"{TRIED[what]} {what}" for what in sorted(TRIED) if what != "examples")
    )

"""An outage with everything in it that a run can meet, and what must hold after it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from github_sandbox import Fault, Hook, Receiver, Sandbox, Status, VirtualClock
from redeliver.core.checkpoint import format_checkpoint
from redeliver.errors import RedeliverError
from redeliver.wiring import WORKERS
from tests.support.builders import TOKEN
from tests.support.virtual_run import run_in_process

NOW = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)
SCHEDULE = timedelta(hours=6)
VERIFY = timedelta(seconds=1)
"""One look at what came of the redeliveries, which for the killed takes real time."""

FIRST, LATER = "a first run", "a later run"


@dataclass(frozen=True)
class Outage:
    """An outage with what a run can meet: failures, a refusal, a late row, and pages."""

    github: Sandbox
    receiver: Receiver
    hook: Hook
    clock: VirtualClock
    missed: list[str]
    before: int
    """How many deliveries the receiver had got when the outage was over."""

    def run(self, *, verify: timedelta = VERIFY) -> None:
        """Run, to whatever end that comes."""
        with suppress(RedeliverError):
            run_in_process(self.github, self.hook, self.clock, verify=verify, workers=WORKERS)

    def recover(self) -> None:
        """Run at once, when the log does not show yet what was just done, and as scheduled."""
        self.github.settle()
        for pause in (timedelta(minutes=1), SCHEDULE, SCHEDULE):
            self.clock.advance(pause)
            self.run(verify=timedelta())
            self.github.settle()

    def taken(self) -> Counter[str]:
        """Count what the receiver took since, by GUID."""
        received = self.receiver.received()[self.before :]
        return Counter(each.guid for each in received if each.status == 200)

    @property
    def checkpoint(self) -> str:
        """The variable as it stands."""
        return self.github.repository("acme/ops").variables.get("LAST_REDELIVERY", "")


@contextmanager
def outage(
    kind: str, fault: Fault | None = None, *, at: int = 1, times: int | None = 1
) -> Iterator[Outage]:
    """Set the scene for a run of that kind, spoilt by the fault at one request or more."""
    clock = VirtualClock(NOW - timedelta(minutes=3))
    with Receiver() as receiver, Sandbox(clock=clock) as github:
        if fault:
            github.inject(fault, nth=at, times=times)
        github.token(TOKEN, organization_hooks="write", actions_variables="write")
        variables = github.repository("acme/ops").variables
        if kind == LATER:
            variables["LAST_REDELIVERY"] = format_checkpoint(NOW - SCHEDULE)
        hook = github.org("acme").hook(receiver.url, secret="hush")
        until = NOW - timedelta(hours=3)
        hook.record_many(110, since=until - timedelta(seconds=109), until=until)
        receiver.behave(status=503)
        missed = [hook.emit("push", at=NOW - timedelta(hours=hours)) for hours in (5, 4, 2)]
        brought_back = hook.emit("issues", "opened", at=NOW - timedelta(hours=1))
        github.show_late(300)
        missed.append(hook.emit("push", at=NOW - timedelta(minutes=4)))
        receiver.behave()
        github.show_late(0)
        hook.redeliver(next(row["id"] for row in hook.log if row["guid"] == brought_back))
        refused = next(row["id"] for row in hook.log if row["guid"] == missed[1])
        github.inject(Status(422, "Cannot"), method="POST", path=f".*/{refused}/attempts")
        github.show_late(300)  # from now on, so that no run sees at once what it has done
        clock.advance(timedelta(minutes=3))
        yield Outage(
            github=github,
            receiver=receiver,
            hook=hook,
            clock=clock,
            missed=missed,
            before=len(receiver.received()),
        )


def requests_of(kind: str) -> list[str]:
    """Run undisturbed, and tell the method of each request."""
    with outage(kind) as world:
        world.run()
        return [request.method for request in world.github.requests]


METHODS = {kind: requests_of(kind) for kind in (FIRST, LATER)}
EVERY_REQUEST = [(kind, n) for kind, methods in METHODS.items() for n in range(1, len(methods) + 1)]

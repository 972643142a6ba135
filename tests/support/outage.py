"""Outages: events that a receiver missed, and everything else that a run may then find."""

import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from github_sandbox import Fault, Hook, Receiver, Sandbox, Status, VirtualClock
from redeliver import settings, wiring
from redeliver.cli.checkpoint_file import CheckpointFile, locked
from redeliver.core.checkpoint import Checkpoint, format_checkpoint
from redeliver.errors import RedeliverError
from tests.support.builders import NOW, START, TOKEN
from tests.support.fakes import FakeConsole
from tests.support.sandboxes import running
from tests.support.virtual_run import run_in_process

SCHEDULE = timedelta(hours=6)
VERIFY = timedelta(seconds=1)
"""Long enough to read the log once for outcomes. A run in a new process really waits this long."""

FIRST, LATER = "a first run", "a later run"

METHODS = {
    FIRST: [*["GET"] * 3, "POST", *["POST"] * 3, *["GET"] * 4, "PATCH", "GET"],
    LATER: [*["GET"] * 3, "PATCH", "GET", *["POST"] * 3, *["GET"] * 4, "PATCH"],
}
"""The methods of a run's requests if nothing disturbs it. A test compares a run with these.

At its end, a first run asks GitHub for failures that are older than it looks back.
"""

METHODS_WITH_FILE = {
    FIRST: [*["GET"] * 3, *["POST"] * 3, *["GET"] * 3],
    LATER: [*["GET"] * 3, *["POST"] * 3, *["GET"] * 2],
}
"""The same for a run with a checkpoint file."""


def miss_events(
    receiver: Receiver,
    *hooks: Hook,
    events: Iterable[str] = ("issues.opened", "pull_request.closed"),
    now: datetime = NOW,
) -> list[str]:
    """Make each hook miss these events, one every half hour, the first four hours before `now`.

    Return their GUIDs, for each hook from the oldest to the newest.
    """
    receiver.stop()
    missed = []
    for hook in hooks:
        at = now - timedelta(hours=4)
        for event in events:
            name, _, action = event.partition(".")
            missed.append(hook.emit(name, action or None, at=at))
            at += timedelta(minutes=30)
    receiver.start()
    return missed


def arrived(github: Sandbox, receiver: Receiver, *, after: int = 0) -> list[str]:
    """Return the sorted GUIDs of what the receiver got, without the first `after` deliveries.

    Redeliveries run in parallel, so they arrive in any order.
    """
    github.settle()
    return sorted(delivery.guid for delivery in receiver.received()[after:])


@dataclass(frozen=True, kw_only=True)
class Outage:
    """An outage that is over. Its log has failures, a redelivery, a late row and several pages.

    GitHub refuses the first redelivery of one event, and shows redeliveries five minutes late.
    """

    github: Sandbox
    receiver: Receiver
    hook: Hook
    clock: VirtualClock
    url: str
    """Where runs in this process find GitHub."""
    checkpoint_file: Path | None
    missed: Sequence[str]
    """The GUIDs of the events to redeliver, sorted."""
    received_before: int
    """How many deliveries the receiver got before the outage was over."""

    def run(self, *, verify: timedelta = VERIFY) -> None:
        """Run in this process, and ignore an error that ends the run."""
        with suppress(RedeliverError):
            if self.checkpoint_file:
                self._run_with_file(self.checkpoint_file)
            else:
                run_in_process(
                    self.github,
                    self.hook,
                    self.clock,
                    url=self.url,
                    verify=verify,
                    workers=8,
                )

    def _run_with_file(self, file: Path) -> None:
        """Run in real time, and therefore without verification."""
        inputs = {
            "token": TOKEN,
            "hostname": self.github.url,
            "org": self.hook.org,
            "hook-id": str(self.hook.id),
            "verify": "0",
        }
        with locked(file):
            wiring.redeliver(
                settings.parse(dict.fromkeys(settings.INPUTS, "") | inputs),
                FakeConsole(),
                store_in=lambda clock: CheckpointFile(file, clock=clock),
            )

    def recover(self) -> None:
        """Run a minute later, when the log lacks new redeliveries, and then twice on schedule."""
        self.github.settle()
        for pause in (timedelta(minutes=1), SCHEDULE, SCHEDULE):
            self.clock.advance(pause)
            self.run(verify=timedelta())
            self.github.settle()

    def redelivered(self) -> list[str]:
        """Return the sorted GUIDs of the events that the receiver has accepted since the outage."""
        received = self.receiver.received()[self.received_before :]
        return sorted(delivery.guid for delivery in received if delivery.status == 200)

    @property
    def checkpoint(self) -> str:
        """The variable's value, or "" if there is none."""
        return self.github.repository("acme/ops").variables.get("LAST_REDELIVERY", "")


@contextmanager
def past_outage(
    kind: str,
    fault: Fault | None = None,
    *,
    nth: int = 1,
    times: int | None = 1,
    checkpoint_file: Path | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Outage]:
    """Set up an outage for a run of this kind. `times` requests, from the `nth` on, get a fault."""
    clock = VirtualClock(START - timedelta(minutes=3))
    with Receiver() as receiver, running(Sandbox(clock=clock, tls=tls)) as github:
        if fault:
            github.inject(fault, nth=nth, times=times)
        if kind == LATER:
            checkpoint = START - SCHEDULE
            if checkpoint_file:
                CheckpointFile(checkpoint_file, clock=lambda: checkpoint).write(
                    Checkpoint(checkpoint)
                )
            else:
                variables = github.repository("acme/ops").variables
                variables["LAST_REDELIVERY"] = format_checkpoint(checkpoint)
        hook = github.org("acme").hook(receiver.url, secret="hush")
        until = START - timedelta(hours=3)
        hook.record_many(110, since=until - timedelta(seconds=109), until=until)
        receiver.behave(status=503)
        missed = [hook.emit("push", at=START - timedelta(hours=hours)) for hours in (5, 4, 2)]
        recovered = hook.emit("issues", "opened", at=START - timedelta(hours=1))
        github.show_late(300)
        missed.append(hook.emit("push", at=START - timedelta(minutes=4)))
        receiver.behave()
        github.show_late(0)
        ids = {row["guid"]: row["id"] for row in hook.log}
        hook.redeliver(ids[recovered])
        refused = f".*/{ids[missed[1]]}/attempts"
        github.inject(Status(422, "Cannot"), method="POST", path=refused)
        github.show_late(300)  # so that a run cannot see the redeliveries of the run before it
        clock.advance(timedelta(minutes=3))
        yield Outage(
            github=github,
            receiver=receiver,
            hook=hook,
            clock=clock,
            url=github.url,
            checkpoint_file=checkpoint_file,
            missed=sorted(missed),
            received_before=len(receiver.received()),
        )

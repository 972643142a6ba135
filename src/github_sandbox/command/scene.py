"""What redeliver can be tried on: a webhook with failed deliveries, its receiver, and tokens."""

from dataclasses import dataclass
from datetime import timedelta

from github_sandbox.command.clock import MovableClock
from github_sandbox.receiver import Receiver
from github_sandbox.sandbox import Sandbox

TOKEN = "sandbox-token"
READ_ONLY_TOKEN = "read-only-token"
NO_VARIABLES_TOKEN = "no-variables-token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event that the webhook gets, and the status code with which it has failed before."""

    type: str
    action: str | None
    status: int

    @property
    def name(self) -> str:
        """Its name as in redeliver's filter `events`."""
        return f"{self.type}.{self.action}" if self.action else self.type


EVENTS = (
    Event(type="push", action=None, status=503),
    Event(type="pull_request", action="opened", status=502),
    Event(type="issues", action="opened", status=500),
    Event(type="check_run", action="completed", status=400),
)
"""The webhook gets these in turn."""

HISTORY = timedelta(hours=12)
"""How far back the failed deliveries go. By default, redeliver looks back 24 hours."""

SECOND = timedelta(seconds=1)


class Scene:
    """An organization with a webhook, and what happens to both."""

    repository = "acme/ops"
    """The repository for the checkpoint's variable."""

    def __init__(
        self, github: Sandbox, receiver: Receiver, clock: MovableClock, *, secret: str
    ) -> None:
        """Create the webhook, the repository and the tokens."""
        self._receiver = receiver
        self._clock = clock
        self.url = github.url
        self.hook = github.org("acme").hook(receiver.url, secret=secret)
        github.repository(self.repository)
        github.token(TOKEN, organization_hooks="write", actions_variables="write")
        github.token(READ_ONLY_TOKEN, organization_hooks="read", actions_variables="write")
        github.token(NO_VARIABLES_TOKEN, organization_hooks="write")

    def fail_in_the_past(self, failures: int) -> None:
        """Deliver twice as many events, evenly spread over `HISTORY`; every second one fails."""
        now = self._clock()
        for index in range(failures):
            event = EVENTS[index % len(EVENTS)]
            at = now - HISTORY * (failures - index) / failures
            self._receiver.behave(status=event.status)
            self.hook.emit(event.type, event.action, at=at)
            self._receiver.behave()
            self.hook.emit(event.type, event.action, at=at + SECOND)

    def send(self, count: int) -> str:
        """Deliver `count` events, and say how many the receiver accepted."""
        guids = set()
        for index in range(count):
            event = EVENTS[index % len(EVENTS)]
            guids.add(self.hook.emit(event.type, event.action))
        # A run handles what failed before its start, and GitHub's times have whole seconds.
        self._clock.advance(SECOND)
        statuses = [row["status"] for row in self.hook.log if row["guid"] in guids]
        delivered = statuses.count("OK")
        return f"Sent {count}: {delivered} delivered, {count - delivered} failed."

    def take_down(self) -> str:
        """Stop the receiver."""
        self._receiver.stop()
        return "The receiver is down: it refuses connections."

    def bring_up(self, *, status: int = 200) -> str:
        """Start the receiver, unless it is up already, and let it respond with `status`."""
        self._receiver.start()
        self._receiver.behave(status=status)
        return f"The receiver is up, and responds with status {status}."

    def let_pass(self, span: timedelta) -> str:
        """Move GitHub's clock."""
        self._clock.advance(span)
        return f"For the simulated GitHub, it is now {self._clock():%Y-%m-%d %H:%M:%S} UTC."

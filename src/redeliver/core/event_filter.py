"""Which events to redeliver: patterns that match events by name and action."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from redeliver.core.event_names import matches_known_event

EVENT_PATTERN = re.compile(r"!?[a-z*?][a-z0-9_*?]*(\.[a-z0-9_*?.-]+)?")
"""An action may also have `.` and `-`, because clients choose that of `repository_dispatch`."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Lower-case patterns such as `push`, `issues.opened`, `check_*`; a leading `!` excludes.

    Without an including pattern, all events match but the excluded ones. The order of the patterns
    does not matter.
    """

    patterns: tuple[str, ...] = ()

    def matches(self, event: str, action: str | None) -> bool:
        """Whether the filter includes an event; `event` and `action` are GitHub's names."""
        excluding = [pattern[1:] for pattern in self.patterns if pattern.startswith("!")]
        including = [pattern for pattern in self.patterns if not pattern.startswith("!")]
        if any(_matches(pattern, event, action) for pattern in excluding):
            return False
        return not including or any(_matches(pattern, event, action) for pattern in including)

    @property
    def unknown(self) -> list[int]:
        """The positions, from 1, of the patterns that match no event that is known."""
        return [n for n, pattern in enumerate(self.patterns, 1) if is_unknown(pattern)]


ALL_EVENTS = EventFilter()


def is_unknown(pattern: str) -> bool:
    """Whether a pattern matches none of GitHub's events, as far as they are known."""
    return not matches_known_event(event_name(pattern))


def event_name(pattern: str) -> str:
    """Return a pattern without the `!` at its start and without its action."""
    return pattern.removeprefix("!").partition(".")[0]


def _matches(pattern: str, event: str, action: str | None) -> bool:
    """Whether a pattern matches an event; without an action in the pattern, any action matches."""
    event_pattern, dot, action_pattern = pattern.partition(".")
    if not fnmatchcase(event.lower(), event_pattern):
        return False
    return not dot or (action is not None and fnmatchcase(action.lower(), action_pattern))

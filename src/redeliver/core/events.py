"""Which events are worth another try, by the names that the log's rows have.

Pure.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from redeliver.core.event_names import NAMES

PATTERN = re.compile(r"!?[a-z0-9_*?]+(\.[a-z0-9_*?.-]+)?")
"""An action may be more than a name: that of `repository_dispatch` is anybody's to choose."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Patterns in lower case such as `push`, `issues.opened`, `check_*`; `!` before one excludes.

    Without a pattern that includes, all events are wanted that none excludes. The order of the
    patterns does not matter.
    """

    patterns: tuple[str, ...] = ()

    def wants(self, event: str, action: str | None) -> bool:
        """Whether an event is wanted, by its name and its action as GitHub has them."""
        excluding = [pattern[1:] for pattern in self.patterns if pattern.startswith("!")]
        including = [pattern for pattern in self.patterns if not pattern.startswith("!")]
        if any(_matches(pattern, event, action) for pattern in excluding):
            return False
        return not including or any(_matches(pattern, event, action) for pattern in including)


ALL_EVENTS = EventFilter()


def unknown(pattern: str) -> bool:
    """Whether a pattern names an event that GitHub does not have: nothing would ever match it.

    One with `*` or `?` may be meant for events that are newer than these.
    """
    name = pattern.removeprefix("!").partition(".")[0]
    return name not in NAMES and not {"*", "?"} & set(name)


def _matches(pattern: str, event: str, action: str | None) -> bool:
    """Whether a pattern means an event; without an action in it, that with any or none."""
    event_pattern, dot, action_pattern = pattern.partition(".")
    if not fnmatchcase(event.lower(), event_pattern):
        return False
    return not dot or (action is not None and fnmatchcase(action.lower(), action_pattern))

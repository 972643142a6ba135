"""Which webhook is meant, and in what words.

Pure.
"""

from dataclasses import dataclass
from typing import NewType

HookId = NewType("HookId", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook as a report names it. Its own URL is in none, for that can hold a secret."""

    name: str
    """In words, such as "webhook 1 of organization acme"."""
    id: HookId | None
    """None: that of a GitHub App, which has exactly one."""
    page: str
    """The address of its settings, with its deliveries."""

"""Which repositories' events to redeliver."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from redeliver.core.delivery import RepositoryId

PATTERN = re.compile(r"!?([a-z0-9_-]+/)?(?!\.{1,2}$)[a-z0-9._*?-]+")
"""A lower-case name, perhaps with its owner, or an id; a leading `!` excludes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryFilter:
    """Includes only the events of the repositories in `names`, or all but these.

    An event without a repository is not of any of these.
    """

    names: Mapping[RepositoryId, str] = field(default_factory=dict)
    """By id; a name is empty if only the id is known."""
    excludes: bool = True
    """Whether the events of these repositories are the ones to leave out."""

    def matches(self, repository: RepositoryId | None) -> bool:
        """Whether the filter includes an event of a repository; None for no known repository."""
        return (repository in self.names) is not self.excludes

    @property
    def is_set(self) -> bool:
        """Whether the filter can leave out any event."""
        return bool(self.names) or not self.excludes


ALL_REPOSITORIES = RepositoryFilter()


def is_id(name: str) -> bool:
    """Whether a pattern without `!` is a repository's id, and not its name."""
    return re.fullmatch("[0-9]+", name) is not None


def is_glob(name: str) -> bool:
    """Whether a pattern may match several names."""
    return bool({"*", "?"} & {*name})


def with_owner(pattern: str, owner: str) -> str:
    """Return a pattern of a name without an owner as one of this owner's repositories."""
    name = pattern.removeprefix("!")
    if "/" in name or is_id(name) or not owner:
        return pattern
    return f"{pattern.removesuffix(name)}{owner.lower()}/{name}"

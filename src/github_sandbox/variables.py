"""The rules for a repository's Actions variables."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from github_sandbox.access import Refusal, not_found
from github_sandbox.log import Json, timestamp
from github_sandbox.world import RepositoryState

MAX_VALUE_BYTES = 48 * 1024
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
"""When a variable that a test put there was made and last changed.

Before anything else that happens in a sandbox, so that whoever judges a variable by its
age finds it old. A test that wants another time has the API write.
"""

NAME = re.compile(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of one repository, whose names are upper-case whatever is asked for."""

    repository: RepositoryState

    def show(self, name: str) -> Json:
        """Give one variable."""
        name = self._existing(name)
        created_at, updated_at = self.repository.variable_times.get(name, (LONG_AGO, LONG_AGO))
        return {
            "name": name,
            "value": self.repository.variables[name],
            "created_at": timestamp(created_at),
            "updated_at": timestamp(updated_at),
        }

    def all(self) -> list[Json]:
        """Give all, by name."""
        return [self.show(name) for name in sorted(self.repository.variables)]

    def create(self, asked: Json, *, now: datetime) -> None:
        """Create a variable that is not there yet."""
        name = _valid_name(asked.get("name"))
        value = _valid_value(asked.get("value"))
        self._refuse_taken(name)
        self.repository.variables[name] = value
        self.repository.variable_times[name] = (now, now)

    def update(self, name: str, asked: Json, *, now: datetime) -> None:
        """Change the value of a variable, its name, or both."""
        name = self._existing(name)
        new_name = _valid_name(asked.get("name", name))
        new_value = _valid_value(asked.get("value", self.repository.variables[name]))
        created_at, _ = self.repository.variable_times.pop(name, (LONG_AGO, LONG_AGO))
        if new_name != name:
            self._refuse_taken(new_name)
            del self.repository.variables[name]
        self.repository.variables[new_name] = new_value
        self.repository.variable_times[new_name] = (created_at, now)

    def _existing(self, name: str) -> str:
        if name.upper() not in self.repository.variables:
            raise not_found()
        return name.upper()

    def _refuse_taken(self, name: str) -> None:
        if name in self.repository.variables:
            raise Refusal(409, "Already exists - Variable already exists")


def _valid_name(name: object) -> str:
    if not isinstance(name, str) or not NAME.fullmatch(name.upper()):
        raise Refusal(
            422,
            "Variable names can only contain alphanumeric characters ([a-z], [A-Z], [0-9]) or "
            "underscores (_), and may start with neither a number nor GITHUB_.",
        )
    return name.upper()


def _valid_value(value: object) -> str:
    if not isinstance(value, str):
        raise Refusal(422, "Invalid request. The value must be a string.")
    if len(value.encode()) > MAX_VALUE_BYTES:
        raise Refusal(422, "Variable value is too large. It may have 48 KB.")
    return value

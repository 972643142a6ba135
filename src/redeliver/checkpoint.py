"""Where the checkpoint is kept: in an Actions variable of a repository, or nowhere.

Its value is what GitHub's own script keeps: milliseconds since the epoch, as a string.
https://docs.github.com/en/webhooks/using-webhooks/automatically-redelivering-failed-deliveries-for-an-organization-webhook
"""

import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from redeliver.api import Answer, Api, Permission
from redeliver.errors import CheckpointError, UnavailableError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(minutes=5)
"""How far a runner's clock may be ahead of the next one's before a value is no checkpoint."""


def to_text(instant: datetime) -> str:
    """Write a checkpoint, rounded down to the millisecond."""
    return str((instant - EPOCH) // timedelta(milliseconds=1))


def from_text(text: str, *, now: datetime) -> datetime | None:
    """Read a checkpoint; None when `text` cannot be one.

    Thirteen digits are the years 2001 to 2286: a port, a count, seconds since the epoch
    and the like are somebody else's variable.
    """
    if not re.fullmatch(r"[0-9]{13}", text.strip()):
        return None
    instant = EPOCH + timedelta(milliseconds=int(text))
    return instant if instant <= now + CLOCK_SKEW else None


class RepositoryVariable:
    """https://docs.github.com/en/rest/actions/variables."""

    def __init__(self, api: Api, repository: str, name: str) -> None:
        self.name = f"variable {name} of {repository}"
        self._api = api
        self._variables = f"/repos/{repository}/actions/variables"
        self._variable = name
        self._exists = False

    def read(self, now: datetime) -> datetime | None:
        """Return the checkpoint, or None when there is no variable yet.

        Raise `CheckpointError` when the variable holds anything else. Its content is in
        no message: whatever it is, it was not meant for this log.
        """
        answer = self._ask("GET", self._path, "read", expect={HTTPStatus.OK, HTTPStatus.NOT_FOUND})
        self._exists = answer.status == HTTPStatus.OK
        if not self._exists:
            return None
        value = answer.json()
        if not isinstance(value, dict) or not isinstance(value.get("value"), str):
            raise UnavailableError(f"GitHub answered without the value of {self.name}")
        checkpoint = from_text(value["value"], now=now)
        if checkpoint is None:
            raise CheckpointError(
                f"{self.name} does not hold a checkpoint, which is the milliseconds since the "
                "epoch, 13 digits, and not in the future. It was left as it is. Choose another "
                "'variable-name', or delete the variable if nothing else uses it: the run then "
                "starts from 'lookback'"
            )
        return checkpoint

    def write(self, checkpoint: datetime) -> None:
        """Create the variable or update it, or raise."""
        body = {"name": self._variable, "value": to_text(checkpoint)}
        if not self._exists:
            created = self._ask(
                "POST",
                self._variables,
                "write",
                expect={HTTPStatus.CREATED, HTTPStatus.CONFLICT},
                body=body,
            )
            self._exists = True
            if created.status == HTTPStatus.CREATED:
                return
            # 409: another run has created it since it was read.
        self._ask("PATCH", self._path, "write", expect={HTTPStatus.NO_CONTENT}, body=body)

    @property
    def _path(self) -> str:
        return f"{self._variables}/{self._variable}"

    def _ask(
        self,
        method: str,
        path: str,
        access: str,
        *,
        expect: set[int],
        body: dict[str, str] | None = None,
    ) -> Answer:
        permission = Permission(
            purpose=f"{access} {self.name}",
            token_input="'variable-token' (unless set: 'token')",  # noqa: S106 - names
            fine_grained="the repository permission 'Variables' (read and write)",
            classic="repo",
        )
        return self._api.ask(method, path, permission, expect=expect, body=body)


class Nowhere:
    """No checkpoint is kept: every run looks back as far as `lookback`."""

    name = ""

    def read(self, now: datetime) -> None:
        """Find nothing."""

    def write(self, checkpoint: datetime) -> None:
        """Keep nothing."""

"""The checkpoint's store in an Actions variable of a repository."""

from datetime import datetime
from http import HTTPStatus

from redeliver.core.checkpoint import (
    CLOCK_SKEW,
    SavedCheckpoint,
    format_checkpoint,
    parse_checkpoint,
)
from redeliver.errors import CheckpointError
from redeliver.github_api.client import Client
from redeliver.github_api.permissions import Permission
from redeliver.github_api.response import Response, parse_time

VARIABLES = Permission(
    inputs="'variable-repository'",
    fine_grained="the repository permission 'Variables' (read and write)",
    classic_scope="repo",
)


class RepositoryVariable:
    """https://docs.github.com/en/rest/actions/variables."""

    def __init__(self, client: Client, repository: str, name: str) -> None:
        self.name = f"variable {name} of {repository}"
        self._client = client
        self._variables = f"/repos/{repository}/actions/variables"
        self._variable = name
        self._exists = False

    def read(self) -> SavedCheckpoint | None:
        """Return the checkpoint, or None when there is no variable yet.

        Raise `CheckpointError` when the variable holds anything else. Its content is in
        no message: whatever it is, it was not meant for this log.
        """
        response = self._request(
            "GET", self._path, "read", expect={HTTPStatus.OK, HTTPStatus.NOT_FOUND}
        )
        self._exists = response.status == HTTPStatus.OK
        if not self._exists:
            if not response.message:
                # A website's 404 must not pass for a variable that is yet to be created.
                raise response.not_github()
            return None
        checkpoint = parse_checkpoint(response.field("value", str), now=response.date)
        if checkpoint is None:
            raise CheckpointError(
                f"{self.name} does not hold a checkpoint, which is the milliseconds since the "
                "epoch, 13 digits, and not in the future. It was left as it is. Choose another "
                "'variable-name', or delete the variable if nothing else uses it: the run then "
                "starts from 'lookback'"
            )
        written = _written(response)
        if written is None or written > response.date + CLOCK_SKEW:
            written = checkpoint  # or every run would keep still until then
        return SavedCheckpoint(checkpoint=checkpoint, written=written)

    def write(self, checkpoint: datetime) -> bool:
        """Create the variable or update it, or raise.

        Return False if there was one after all, of another run; it is left as it is, for who
        looked back from elsewhere cannot know what it stands for.
        """
        body = {"name": self._variable, "value": format_checkpoint(checkpoint)}
        if not self._exists:
            created = self._request(
                "POST",
                self._variables,
                "write",
                expect={HTTPStatus.CREATED, HTTPStatus.CONFLICT},
                body=body,
            )
            self._exists = True
            return created.status == HTTPStatus.CREATED
        self._request("PATCH", self._path, "write", expect={HTTPStatus.NO_CONTENT}, body=body)
        return True

    @property
    def _path(self) -> str:
        return f"{self._variables}/{self._variable}"

    def _request(
        self,
        method: str,
        path: str,
        access: str,
        *,
        expect: set[int],
        body: dict[str, str] | None = None,
    ) -> Response:
        purpose = VARIABLES.to(f"{access} {self.name}")
        return self._client.request(method, path, purpose, expect=expect, body=body, urgent=True)


def _written(response: Response) -> datetime | None:
    try:
        return parse_time(str(response.json().get("updated_at")))
    except ValueError:
        return None

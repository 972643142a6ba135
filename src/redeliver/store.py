"""Where the checkpoint is kept: in an Actions variable of a repository, or nowhere."""

from datetime import datetime
from http import HTTPStatus

from redeliver.answer import Answer, Purpose
from redeliver.api import Api
from redeliver.checkpoint import from_text, to_text
from redeliver.errors import CheckpointError, UnavailableError


class RepositoryVariable:
    """https://docs.github.com/en/rest/actions/variables."""

    def __init__(self, api: Api, repository: str, name: str, *, now: datetime) -> None:
        self.name = f"variable {name} of {repository}"
        self._api = api
        self._variables = f"/repos/{repository}/actions/variables"
        self._variable = name
        self._now = now
        self._exists = False

    def read(self) -> datetime | None:
        """Return the checkpoint, or None when there is no variable yet.

        Raise `CheckpointError` when the variable holds anything else. Its content is in
        no message: whatever it is, it was not meant for this log.
        """
        answer = self._ask("GET", self._path, "read", expect={HTTPStatus.OK, HTTPStatus.NOT_FOUND})
        self._exists = answer.status == HTTPStatus.OK
        if not self._exists:
            if not answer.message:
                # A website's 404 must not pass for a variable that is yet to be created.
                raise answer.foreign()
            return None
        value = answer.json()
        if not isinstance(value, dict) or not isinstance(value.get("value"), str):
            raise UnavailableError(f"GitHub answered without the value of {self.name}")
        checkpoint = from_text(value["value"], now=self._now)
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
            # 409: it was created since it was read. Only a checkpoint may be overwritten.
            self.read()
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
        purpose = Purpose(
            to=f"{access} {self.name}",
            named_by="'variable-repository'",
            fine_grained="the repository permission 'Variables' (read and write)",
            classic="repo",
        )
        return self._api.ask(method, path, purpose, expect=expect, body=body)


class Nowhere:
    """No checkpoint is kept: every run looks back as far as `lookback`."""

    name = ""

    def read(self) -> None:
        """Find nothing."""

    def write(self, checkpoint: datetime) -> None:
        """Keep nothing."""

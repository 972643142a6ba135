"""Where the checkpoint is kept: in an Actions variable of a repository, or nowhere."""

from datetime import datetime
from http import HTTPStatus

from redeliver.answer import Answer, Rights, instant
from redeliver.api import Api
from redeliver.checkpoint import CLOCK_SKEW, Saved, from_text, to_text
from redeliver.errors import CheckpointError

VARIABLES = Rights(
    named_by="'variable-repository'",
    permission="the repository permission 'Variables' (read and write)",
    classic="repo",
)


class RepositoryVariable:
    """https://docs.github.com/en/rest/actions/variables."""

    def __init__(self, api: Api, repository: str, name: str) -> None:
        self.name = f"variable {name} of {repository}"
        self._api = api
        self._variables = f"/repos/{repository}/actions/variables"
        self._variable = name
        self._exists = False

    def read(self) -> Saved | None:
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
        checkpoint = from_text(answer.field("value", str), now=answer.date)
        if checkpoint is None:
            raise CheckpointError(
                f"{self.name} does not hold a checkpoint, which is the milliseconds since the "
                "epoch, 13 digits, and not in the future. It was left as it is. Choose another "
                "'variable-name', or delete the variable if nothing else uses it: the run then "
                "starts from 'lookback'"
            )
        written = _written(answer)
        if written is None or written > answer.date + CLOCK_SKEW:
            written = checkpoint  # or every run would keep still until then
        return Saved(checkpoint=checkpoint, written=written)

    def write(self, checkpoint: datetime) -> bool:
        """Create the variable or update it, or raise.

        Return False if there was one after all, of another run; it is left as it is, for who
        looked back from elsewhere cannot know what it stands for.
        """
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
            return created.status == HTTPStatus.CREATED
        self._ask("PATCH", self._path, "write", expect={HTTPStatus.NO_CONTENT}, body=body)
        return True

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
        purpose = VARIABLES.to(f"{access} {self.name}")
        return self._api.ask(method, path, purpose, expect=expect, body=body, urgent=True)


def _written(answer: Answer) -> datetime | None:
    try:
        return instant(str(answer.json().get("updated_at")))
    except ValueError:
        return None


class Nowhere:
    """No checkpoint is kept: every run looks back as far as `lookback`."""

    name = ""

    def read(self) -> None:
        """Find nothing."""

    def write(self, checkpoint: datetime) -> bool:  # noqa: ARG002 - there is nowhere to keep it
        """Keep nothing."""
        return True

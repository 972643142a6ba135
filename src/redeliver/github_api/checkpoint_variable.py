"""The checkpoint's store in an Actions variable of a repository."""

import math
from datetime import datetime
from http import HTTPStatus

from redeliver.core.checkpoint import (
    Checkpoint,
    SavedCheckpoint,
    format_checkpoint,
    parse_checkpoint,
)
from redeliver.core.window import SETTLED
from redeliver.errors import CheckpointError
from redeliver.github_api.client import Client
from redeliver.github_api.permissions import Permission
from redeliver.github_api.response import Response, parse_time

MAX_CLAIM_WAIT, MAX_SAVE_WAIT = 0.1, 1.0
"""Seconds. If a write of the variable has to wait longer before it claims or saves the checkpoint,
another run may have written the variable meanwhile."""

VARIABLES = Permission(
    inputs="'variable-repository'",
    fine_grained="the repository permission 'Variables' (read and write)",
    classic_scope="repo",
)


class RepositoryVariable:
    """https://docs.github.com/en/rest/actions/variables."""

    is_shared = True

    def __init__(self, client: Client, repository: str, name: str) -> None:
        self.name = f"variable {name} of {repository}"
        self._client = client
        self._variables = f"/repos/{repository}/actions/variables"
        self._variable = name
        self._exists = False

    def read(self) -> SavedCheckpoint | None:
        """Return the checkpoint, or None when there is no variable yet.

        Raise `CheckpointError` when the variable holds anything else. The message does not repeat
        it, because it may be a secret.
        """
        response = self._request(
            "GET", self._path, "read", expect={HTTPStatus.OK, HTTPStatus.NOT_FOUND}
        )
        if response.status == HTTPStatus.NOT_FOUND:
            if not response.message:
                # A 404 of another website must not look like a variable that does not exist yet.
                raise response.not_github()
            self._exists = False
            return None
        saved = parse_checkpoint(
            response.field("value", str), written=_written(response), now=response.date
        )
        if saved is None:
            raise CheckpointError(
                f"{self.name} does not hold a checkpoint, which is a time in milliseconds since "
                "the epoch: 13 digits, and not in the future. redeliver did not change the "
                "variable. Choose another 'variable-name'. If nothing else uses the variable, you "
                f"can delete it instead, {SETTLED}: the next run then looks back as far as "
                "'lookback'"
            )
        # Only now, so that a run that has seen no checkpoint does not write over something else.
        self._exists = True
        return saved

    def write(self, checkpoint: Checkpoint, *, once: bool = False) -> bool:
        """Create the variable or update it, and return True, or raise.

        Raise `LateError` if the variable has to be read again, because the update had to wait.

        Return False if another run has created the variable since this one read it. It is left as
        it is, because this run does not know up to when the other one dealt with failures.
        """
        body = {
            "name": self._variable,
            "value": format_checkpoint(checkpoint.time, checkpoint.mark),
        }
        if not self._exists:
            created = self._request(
                "POST",
                self._variables,
                "write",
                expect={HTTPStatus.CREATED, HTTPStatus.CONFLICT},
                body=body,
                once=once,
            )
            self._exists = True
            return created.status == HTTPStatus.CREATED
        self._request(
            "PATCH",
            self._path,
            "write",
            expect={HTTPStatus.NO_CONTENT},
            body=body,
            once=once,
            max_wait=MAX_CLAIM_WAIT if once else MAX_SAVE_WAIT,
        )
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
        once: bool = False,
        max_wait: float = math.inf,
    ) -> Response:
        purpose = VARIABLES.to(f"{access} {self.name}")
        return self._client.request(
            method,
            path,
            purpose,
            expect=expect,
            body=body,
            once=once,
            urgent=True,
            max_wait=max_wait,
        )


def _written(response: Response) -> datetime | None:
    try:
        return parse_time(str(response.json().get("updated_at")))
    except ValueError:
        return None

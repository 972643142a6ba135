"""How requests authenticate: with a token, a GitHub App's JWT, or an installation's token.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from threading import Lock
from typing import Any

import jwt

from redeliver.errors import InputError
from redeliver.github_api.client import Client
from redeliver.github_api.permissions import (
    APP_IDENTITY,
    INSTALLATION_IDENTITY,
    Identity,
    Purpose,
    token_identity,
)
from redeliver.github_api.response import Response, parse_time
from redeliver.github_api.server_clock import ServerClock
from redeliver.interruption import holding

CLOCK_DRIFT = timedelta(minutes=1)
"""How far a JWT is backdated because clocks differ, as GitHub's documentation advises."""

JWT_LIFETIME = timedelta(minutes=9)
"""GitHub refuses a JWT that expires more than ten minutes after it arrives."""

RENEW_BEFORE = timedelta(minutes=10)
"""How long before it expires an installation's token is replaced: longer than any wait of a run."""

NEW_TOKEN_TIME = timedelta(seconds=20)
"""For how long some of GitHub's servers may not know a new installation token. They refuse it with
401, or with 403 if it was requested for a part of the installation's permissions:
https://github.com/octokit/auth-app.js/issues/65
"""

INSTALLATION_TOKEN_PREFIX = "ghs_"  # noqa: S105 - how the tokens of installations begin


class TokenCredential:
    """A token that the user gave, such as a personal access token."""

    def __init__(self, token: str, *, from_input: str) -> None:
        self.identity: Identity = token_identity(from_input)
        self._token = token

    def token(self) -> str:
        """Return the token."""
        return self._token

    def renew(self, _refused: str) -> bool:
        """Do nothing: there is no other token."""
        return False

    def statuses_while_new(self, token: str) -> frozenset[int]:
        """Return 401 for a token that an earlier step of the job may just have requested."""
        is_of_installation = token.startswith(INSTALLATION_TOKEN_PREFIX)
        return frozenset({HTTPStatus.UNAUTHORIZED}) if is_of_installation else frozenset()


class AppCredential:
    """JWTs that a GitHub App signs with its private key.

    Their times are by GitHub's clock, or by this machine's until the first response.
    """

    identity: Identity = APP_IDENTITY

    def __init__(self, app_id: str, private_key: str, *, clock: ServerClock) -> None:
        self._app_id = app_id
        self._private_key = private_key
        self._clock = clock

    def token(self) -> str:
        """Sign a new JWT, or raise `InputError` if the key is not usable."""
        # `deferred_imports` defers the import of `jwt`, but cannot defer this one.
        from cryptography.exceptions import (  # noqa: PLC0415 - only an App needs the package
            UnsupportedAlgorithm,
        )

        local_time = datetime.now(UTC)  # noqa: TID251 - for when GitHub's time is not known yet
        now = self._clock() if self._clock.is_set else local_time
        claims = {
            "iss": self._app_id,
            "iat": int((now - CLOCK_DRIFT).timestamp()),
            "exp": int((now + JWT_LIFETIME).timestamp()),
        }
        try:
            return jwt.encode(claims, self._private_key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError, UnsupportedAlgorithm):
            raise InputError(
                "input 'private-key' is not a valid private key: it looks like one, but cannot be "
                "read. Set it to the whole content of the .pem file that GitHub generated"
            ) from None

    def renew(self, _refused: str) -> bool:
        """Do nothing: the next JWT is new, and by now GitHub's time is known."""
        return True

    def statuses_while_new(self, _token: str) -> frozenset[int]:
        """Return no status: GitHub does not have to know a JWT, only the App's key."""
        return frozenset()


class AppInstallation:
    """A GitHub App's installation on an account, which is looked up once.

    An App has at most one installation on an account, whichever resource is used to look it up:
    https://docs.github.com/en/rest/apps/apps#get-an-organization-installation-for-the-authenticated-app
    """

    def __init__(self, app: Client, path: str, purpose: Purpose) -> None:
        """Look it up at `path`, such as `/orgs/acme/installation`, with `app`'s JWT."""
        self._app = app
        self._path = path
        self._purpose = purpose
        self._lock = Lock()
        self._id: int | None = None

    def access_token(self, scope: Mapping[str, Any], purpose: Purpose) -> Response:
        """Request a token for no more than `scope`, or raise as `Client.request` does.

        GitHub refuses a repository that the installation does not cover:
        https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
        """
        return self._app.request(
            "POST",
            f"/app/installations/{self._find_id()}/access_tokens",
            purpose,
            expect={HTTPStatus.CREATED},
            body=scope,
            urgent=True,  # saving the checkpoint may have to wait for it
        )

    def _find_id(self) -> int:
        with holding(self._lock):
            if self._id is None:
                found = self._app.request("GET", self._path, self._purpose, expect={HTTPStatus.OK})
                self._id = found.field("id", int)
            return self._id


class InstallationCredential:
    """Tokens of an App's installation."""

    identity: Identity = INSTALLATION_IDENTITY

    def __init__(
        self,
        installation: AppInstallation,
        purpose: Purpose,
        *,
        permissions: Mapping[str, str],
        repository: str = "",
        clock: ServerClock,
        mask: Callable[[str], None],
    ) -> None:
        """Limit the tokens to these permissions, and to `repository` unless it is empty.

        `mask` is called with each token before the token is used.
        """
        self._installation = installation
        self._purpose = purpose
        self._scope: dict[str, Any] = {"permissions": dict(permissions)}
        if repository:
            self._scope["repositories"] = [repository]
        self._clock = clock
        self._mask = mask
        self._lock = Lock()
        self._token = ""
        self._renew_at: datetime | None = None
        self._new_until: datetime | None = None

    def token(self) -> str:
        """Return a token that is valid for ten more minutes, or raise as `Client.request` does."""
        with holding(self._lock):
            if self._renew_at is None or self._clock() >= self._renew_at:
                self._request_token()
            return self._token

    def renew(self, refused: str) -> bool:
        """Replace a token that was revoked, unless another thread has done so already."""
        with holding(self._lock):
            if self._token == refused:
                self._request_token()
        return True

    def statuses_while_new(self, token: str) -> frozenset[int]:
        """Return the statuses with which GitHub may refuse a new token for a moment."""
        if token != self._token or self._new_until is None or self._clock() >= self._new_until:
            return frozenset()
        return frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

    def _request_token(self) -> None:
        response = self._installation.access_token(self._scope, self._purpose)
        token = response.field("token", str)
        try:
            expires_at = parse_time(response.field("expires_at", str))
        except ValueError:
            raise response.not_github() from None
        if not re.fullmatch("[!-~]+", token):
            raise response.not_github()
        self._mask(token)
        self._token, self._renew_at = token, expires_at - RENEW_BEFORE
        self._new_until = self._clock() + NEW_TOKEN_TIME

"""What a request shows GitHub: a token, a GitHub App's signed word, its installation's token.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from threading import Lock

import jwt
from cryptography.exceptions import UnsupportedAlgorithm

from redeliver.errors import InputError
from redeliver.github_api.client import Client
from redeliver.github_api.clock import ServerClock
from redeliver.github_api.permissions import APP_IDENTITY, Identity, Purpose, token_identity
from redeliver.github_api.response import parse_time

CLOCK_DRIFT = timedelta(minutes=1)
"""How much earlier a word is dated than it was given, as GitHub's documentation advises."""

JWT_LIFETIME = timedelta(minutes=9)
"""GitHub takes none that lasts for more than ten minutes from when it gets it."""

RENEW_BEFORE = timedelta(minutes=10)
"""How long before it expires an installation's token is replaced: longer than any one wait, so
that it does not expire in between."""


class TokenCredential:
    """A personal access token, or whatever token the user made."""

    def __init__(self, token: str, *, from_input: str) -> None:
        self.identity: Identity = token_identity(from_input)
        self._token = token

    def token(self) -> str:
        """Return it as it came."""
        return self._token

    def renew(self, refused: str) -> bool:  # noqa: ARG002 - it is this one
        """There is no other."""
        return False


class AppCredential:
    """A GitHub App, which signs who it is with its private key (as JSON Web Token).

    It goes by GitHub's clock, or as long as that is not known by the runner's.
    """

    identity: Identity = APP_IDENTITY

    def __init__(self, app_id: str, private_key: str, *, clock: ServerClock) -> None:
        self._app_id = app_id
        self._private_key = private_key
        self._clock = clock

    def token(self) -> str:
        """Sign a new one, or raise `InputError` if the key cannot do that."""
        now = self._clock() if self._clock.is_set else datetime.now(UTC)
        claims = {
            "iss": self._app_id,
            "iat": int((now - CLOCK_DRIFT).timestamp()),
            "exp": int((now + JWT_LIFETIME).timestamp()),
        }
        try:
            return jwt.encode(claims, self._private_key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError, UnsupportedAlgorithm):
            raise InputError(
                "input 'private-key' is not the App's private key: it has the form of one, but "
                "cannot be read. Save the whole content of the .pem file that GitHub gave"
            ) from None

    def renew(self, refused: str) -> bool:  # noqa: ARG002 - each is made anew
        """Make another, for by now GitHub has told the time."""
        return True


class InstallationCredential:
    """A GitHub App as it is installed on what is at `path`, with `permissions` and no more."""

    identity: Identity = APP_IDENTITY

    def __init__(
        self,
        app: Client,
        path: str,
        purpose: Purpose,
        permissions: Mapping[str, str],
        *,
        clock: ServerClock,
        mask: Callable[[str], None],
    ) -> None:
        """Use `app` to ask; `mask` is told each token before anything else knows it."""
        self._app = app
        self._path = path
        self._purpose = purpose
        self._permissions = permissions
        self._clock = clock
        self._mask = mask
        self._lock = Lock()
        self._tokens = ""
        self._token = ""
        self._renew_at: datetime | None = None

    def token(self) -> str:
        """Return a token that does for a while, or raise as `Client.request` does."""
        with self._lock:
            if self._renew_at is None or self._clock() >= self._renew_at:
                self._ask_for_another()
            return self._token

    def renew(self, refused: str) -> bool:
        """Replace it, for it was revoked, unless another thread has already done so."""
        with self._lock:
            if self._token == refused:
                self._ask_for_another()
        return True

    def _ask_for_another(self) -> None:
        if not self._tokens:
            found = self._app.request("GET", self._path, self._purpose, expect={HTTPStatus.OK})
            self._tokens = f"/app/installations/{found.field('id', int)}/access_tokens"
        response = self._app.request(
            "POST",
            self._tokens,
            self._purpose,
            expect={HTTPStatus.CREATED},
            body={"permissions": dict(self._permissions)},
        )
        token = response.field("token", str)
        try:
            expires_at = parse_time(response.field("expires_at", str))
        except ValueError:
            raise response.not_github() from None
        if not re.fullmatch("[!-~]+", token):
            raise response.not_github()
        self._mask(token)
        self._token, self._renew_at = token, expires_at - RENEW_BEFORE

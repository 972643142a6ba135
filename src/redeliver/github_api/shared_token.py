"""One token of an App's installation for two purposes, if GitHub issues such a token."""

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from redeliver.errors import AccessError
from redeliver.github_api.credentials import InstallationCredential
from redeliver.github_api.permissions import INSTALLATION_IDENTITY, Identity
from redeliver.interruption import holding

T = TypeVar("T")


class SharedToken:
    """The token for all purposes, until GitHub refuses to issue it.

    GitHub refuses if the installation lacks one of the permissions, or the repository.
    """

    def __init__(self, credential: InstallationCredential) -> None:
        self.credential = credential
        self.is_refused = False
        self._lock = Lock()

    def token(self) -> str | None:
        """Return the token, or None if GitHub does not issue it; raise as `Client.request` does."""
        return self._unless_refused(self.credential.token)

    def renew(self, refused: str) -> bool:
        """Replace a token that was revoked, as far as GitHub still issues it."""
        self._unless_refused(lambda: self.credential.renew(refused))
        return True

    def _unless_refused(self, request: Callable[[], T]) -> T | None:
        with holding(self._lock):
            if self.is_refused:
                return None
            try:
                return request()
            except AccessError:
                self.is_refused = True
                return None


class SharingCredential:
    """Authenticates with a shared token or, if GitHub refuses it, with a token for one purpose.

    If GitHub refuses that one, too, the error says which permission is missing.
    """

    identity: Identity = INSTALLATION_IDENTITY

    def __init__(self, shared: SharedToken, own: InstallationCredential) -> None:
        self._shared = shared
        self._own = own

    def token(self) -> str:
        """Return a token that is valid for ten more minutes, or raise as `Client.request` does."""
        return self._shared.token() or self._own.token()

    def renew(self, refused: str) -> bool:
        """Replace a token that was revoked, unless another thread has done so already."""
        return (self._own if self._shared.is_refused else self._shared).renew(refused)

    def statuses_while_new(self, token: str) -> frozenset[int]:
        """Return the statuses with which GitHub may refuse a new token for a moment."""
        used = self._own if self._shared.is_refused else self._shared.credential
        return used.statuses_while_new(token)

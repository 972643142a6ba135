"""What a client needs to authenticate its requests."""

from typing import Protocol

from redeliver.github_api.permissions import Identity


class Credential(Protocol):
    """What authenticates a request."""

    @property
    def identity(self) -> Identity:
        """Who authenticates, for messages."""
        ...

    def token(self) -> str:
        """Return the token to send; it can change from call to call."""
        ...

    def renew(self, refused: str, /) -> bool:
        """Replace a token that GitHub refused; return False if that is not possible."""
        ...

    def statuses_while_new(self, token: str, /) -> frozenset[int]:
        """Return the statuses with which GitHub may refuse `token` only because it is new."""
        ...

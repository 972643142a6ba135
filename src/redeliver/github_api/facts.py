"""What the headers of responses have told: which product responds, and when tokens expire."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from redeliver.core.policy import RECEIVER_TIMEOUT, RETENTION
from redeliver.github_api.permissions import Identity
from redeliver.github_api.response import plausible

SERVER_RETENTION = timedelta(days=7)
"""How long Enterprise Server keeps a delivery log:
https://docs.github.com/en/enterprise-server/webhooks/testing-and-troubleshooting-webhooks/viewing-webhook-deliveries
"""

SERVER_RECEIVER_TIMEOUT = timedelta(seconds=30)
"""How long Enterprise Server waits for a receiver's response:
https://docs.github.com/en/enterprise-server/webhooks/using-webhooks/best-practices-for-using-webhooks
"""


class Facts:
    """What the responses so far have told.

    A name of a host tells nothing: github.com can be behind a gateway of any name.
    """

    def __init__(self) -> None:
        self.is_server = False
        """Whether it is Enterprise Server; False until a response shows that."""
        self.token_expirations: dict[str, datetime] = {}
        """When personal access tokens expire, by the input that has the token."""

    def learn(self, headers: Mapping[str, str], identity: Identity) -> None:
        """Learn from a response to a request of `identity`.

        Enterprise Server names its version in each response, and GitHub names the end of a personal
        access token in each response to it:
        https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api
        """
        self.is_server = self.is_server or "x-github-enterprise-version" in headers
        expires_at = _time(headers.get("github-authentication-token-expiration", ""))
        if identity.token_input and expires_at:
            self.token_expirations[identity.token_input] = expires_at

    @property
    def retention(self) -> timedelta:
        """How long the logs are kept: on github.com less, so that is assumed without a version."""
        return SERVER_RETENTION if self.is_server else RETENTION

    @property
    def receiver_timeout(self) -> timedelta:
        """How long GitHub waits for a response: on github.com less, so likewise."""
        return SERVER_RECEIVER_TIMEOUT if self.is_server else RECEIVER_TIMEOUT


def _time(text: str) -> datetime | None:
    """Read `2026-02-04 16:42:10 UTC`, or with `+0100` in place of `UTC`; None if it is neither."""
    try:
        return plausible(datetime.strptime(text.replace("UTC", "+0000"), "%Y-%m-%d %H:%M:%S %z"))
    except ValueError:
        return None

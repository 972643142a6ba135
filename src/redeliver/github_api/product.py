"""Which of GitHub's products responds, and how long it keeps its logs."""

from collections.abc import Mapping
from datetime import timedelta

from redeliver.core.policy import RETENTION

SERVER_RETENTION = timedelta(days=7)
"""How long Enterprise Server keeps a delivery log:
https://docs.github.com/en/enterprise-server/webhooks/testing-and-troubleshooting-webhooks/viewing-webhook-deliveries
"""


class Product:
    """What the responses so far have told about the product.

    A name of a host tells nothing: github.com can be behind a gateway of any name.
    """

    def __init__(self) -> None:
        self.is_server = False
        """Whether it is Enterprise Server; False until a response shows that."""

    def learn(self, headers: Mapping[str, str]) -> None:
        """Learn from a response; Enterprise Server names its version in each."""
        self.is_server = self.is_server or "x-github-enterprise-version" in headers

    @property
    def retention(self) -> timedelta:
        """How long the logs are kept: on github.com less, so that is assumed without a version."""
        return SERVER_RETENTION if self.is_server else RETENTION

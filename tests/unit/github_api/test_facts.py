"""What the headers of responses tell."""

from datetime import UTC, datetime, timedelta

import pytest

from redeliver.github_api.facts import Facts
from redeliver.github_api.permissions import APP_IDENTITY, token_identity

HEADER = "github-authentication-token-expiration"
TOKEN = token_identity("variable-token")


@pytest.mark.parametrize(
    "text", ["2026-12-01 16:42:10 UTC", "2026-12-01 17:42:10 +0100", "2026-12-01 10:42:10 -0600"]
)
def test_a_response_tells_when_its_token_expires(text: str) -> None:
    facts = Facts()

    facts.learn({HEADER: text}, TOKEN)

    expected = datetime(2026, 12, 1, 16, 42, 10, tzinfo=UTC)
    assert facts.token_expirations == {"variable-token": expected}


@pytest.mark.parametrize("text", ["", "soon", "2026-12-01 16:42:10", "9999-12-31 23:59:59 UTC"])
def test_an_unknown_form_tells_nothing(text: str) -> None:
    facts = Facts()

    facts.learn({HEADER: text}, TOKEN)

    assert facts.token_expirations == {}


def test_enterprise_server_waits_longer_and_keeps_logs_longer() -> None:
    facts = Facts()
    assert (facts.receiver_timeout, facts.retention) == (timedelta(seconds=10), timedelta(days=3))

    facts.learn({"x-github-enterprise-version": "3.19.0"}, TOKEN)

    assert (facts.receiver_timeout, facts.retention) == (timedelta(seconds=30), timedelta(days=7))


def test_an_app_has_no_token_to_replace() -> None:
    facts = Facts()

    facts.learn({HEADER: "2026-12-01 16:42:10 UTC"}, APP_IDENTITY)

    assert facts.token_expirations == {}

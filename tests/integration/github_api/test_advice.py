"""The advice in an error when GitHub refuses the token."""

import re

import pytest

from github_sandbox import Hook, Sandbox
from redeliver.core.delivery import HookId
from redeliver.errors import AccessError, RefusalError
from redeliver.github_api.webhooks import organization_hook
from redeliver.sanitize import sanitize
from tests.support.sandboxes import a_client, a_delivery_log, rows_of


@pytest.mark.parametrize(
    ("permissions", "advice"),
    [
        pytest.param({}, "mistyped, expired or revoked", id="an unknown token"),
        pytest.param(
            {"actions_variables": "write"},
            r"needs the organization permission 'Webhooks' \(read and write\).*"
            r"GitHub says: needed permission: organization_hooks read",
            id="a fine-grained token without the permission",
        ),
        pytest.param(
            {"scopes": {"repo"}},
            r"Check 'org' and 'hook-id' .*A classic token needs the scope admin:org_hook.*"
            r"needed scope: admin:org_hook; the token's scopes: repo",
            id="a classic token without the scope",
        ),
        pytest.param(
            {"organization_hooks": "write", "sso": True},
            "SAML enforcement.* has to authorize it for the organization .* Configure SSO",
            id="a token without single sign-on",
        ),
    ],
)
def test_an_error_says_what_the_token_lacks(
    github: Sandbox, recorded_hook: Hook, permissions: dict[str, object], advice: str
) -> None:
    if permissions:
        github.token("ghp_short", **permissions)  # type: ignore[arg-type] # several types
    log = a_delivery_log(github, recorded_hook, a_client(github.url, "ghp_short"))

    with pytest.raises(AccessError, match=advice) as caught:
        list(rows_of(log))

    message = str(caught.value)
    assert message.startswith("cannot read the deliveries of webhook")
    assert "ghp_short" not in message
    assert sanitize(message) == message, "sanitize removes nothing from the message"


def test_a_token_that_may_only_read_cannot_redeliver(github: Sandbox, recorded_hook: Hook) -> None:
    github.token("ghp_reader", organization_hooks="read")
    recorded_hook.record(status="timed out", status_code=504)
    log = a_delivery_log(github, recorded_hook, a_client(github.url, "ghp_reader"))

    with pytest.raises(RefusalError) as refusal:
        log.redeliver(next(rows_of(log)))

    missing = str(refusal.value.if_all)
    assert re.match(r"cannot redeliver .*\(read and write\)", missing)


def test_an_unknown_hook_error_names_the_inputs_to_check(github: Sandbox) -> None:
    github.org("acme")
    log = organization_hook(a_client(github.url), github.url, "acme", HookId(7))

    with pytest.raises(
        AccessError, match=r"webhook 7 of organization acme.*Check 'org' and 'hook-id'"
    ):
        list(rows_of(log))

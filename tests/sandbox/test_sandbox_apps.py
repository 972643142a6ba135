"""GitHub Apps, and how they sign in."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from github_sandbox import App, Installation, VirtualClock

from .client import Client, installed, refusal, signed

VARIABLES = "/repos/acme/ops/actions/variables"

BAD_CREDENTIALS = (401, "Bad credentials")
NOT_DECODED = (401, "A JSON web token could not be decoded")
NOT_ISSUED_YET = (
    401,
    (
        "'Issued at' claim ('iat') must be an Integer representing the time that the assertion "
        "was issued"
    ),
)
EXPIRED = (
    401,
    (
        "'Expiration time' claim ('exp') must be a numeric value representing the future time at "
        "which the assertion expires"
    ),
)
TOO_FAR = (401, "'Expiration time' claim ('exp') is too far in the future")
NOT_AN_ISSUER = (401, "'Issuer' claim ('iss') must be an Integer")
NOT_FOUND = (404, "Not Found")


def test_a_private_key_is_in_the_form_github_hands_out(app: App) -> None:
    assert app.private_key.startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    assert app.client_id.startswith("Iv23li")


def test_an_app_is_told_about_itself(as_app: Client, app: App) -> None:
    shown = as_app.get("/app").json()

    assert (shown["id"], shown["client_id"], shown["slug"]) == (app.id, app.client_id, app.slug)
    assert (shown["owner"]["login"], shown["owner"]["type"]) == ("acme", "User")
    assert shown["html_url"] == "https://github.com/apps/redeliver-bot"
    assert shown["permissions"] == {"organization_hooks": "write", "actions_variables": "write"}
    as_app.github.org("acme")
    assert as_app.get("/app").json()["owner"]["type"] == "Organization"


def test_an_app_signs_with_its_number_its_text_or_its_client_id(
    as_app: Client, app: App, clock: VirtualClock
) -> None:
    for issuer in (app.id, str(app.id), app.client_id):
        token = signed(app, clock, iss=issuer)
        assert replace(as_app, token=token).get("/app").json()["id"] == app.id


@pytest.mark.parametrize(
    ("claims", "answer"),
    [
        pytest.param({"iss": 1}, (404, "Integration not found"), id="an unknown number"),
        pytest.param({"iss": "1"}, (404, "Integration not found"), id="its text"),
        pytest.param({"iss": None}, NOT_AN_ISSUER, id="nobody"),
        pytest.param({"iss": "Iv23liNobody"}, NOT_AN_ISSUER, id="an unknown client id"),
        pytest.param({"iat": 1}, NOT_ISSUED_YET, id="issued in a second"),
        pytest.param({"iat": "soon"}, NOT_ISSUED_YET, id="issued at no number"),
        pytest.param({"iat": None}, NOT_ISSUED_YET, id="issued at no time"),
        pytest.param({"exp": 0}, EXPIRED, id="expired just now"),
        pytest.param({"exp": None}, EXPIRED, id="never expires"),
        pytest.param({"exp": 601}, TOO_FAR, id="expires in more than ten minutes"),
        pytest.param({"iat": 0}, 200, id="issued just now"),
        pytest.param({"iat": -3600}, 200, id="issued long ago"),
        pytest.param({"exp": 1}, 200, id="expires in a second"),
        pytest.param({"exp": 600}, 200, id="expires in ten minutes"),
    ],
)
def test_an_app_is_judged_by_its_claims(
    as_app: Client,
    app: App,
    clock: VirtualClock,
    claims: dict[str, Any],
    answer: tuple[int, str] | int,
) -> None:
    # Numbers are seconds from now.
    now = int(clock().timestamp())
    claims = {name: now + at if isinstance(at, int) else at for name, at in claims.items()}

    response = replace(as_app, token=signed(app, clock, **claims)).get("/app")

    assert (response.status_code if answer == 200 else refusal(response)) == answer


def test_a_token_is_good_until_it_expires(as_app: Client, clock: VirtualClock) -> None:
    clock.advance(timedelta(minutes=8, seconds=59))
    assert as_app.get("/app").status_code == 200

    clock.advance(timedelta(seconds=1))
    assert refusal(as_app.get("/app")) == EXPIRED


def test_another_key_is_not_the_apps(as_app: Client, app: App, clock: VirtualClock) -> None:
    another = as_app.github.app("another-bot")
    key = another.private_key

    assert refusal(replace(as_app, token=signed(app, clock, key=key)).get("/app")) == NOT_DECODED
    assert replace(as_app, token=signed(another, clock)).get("/app").json()["id"] == another.id


FOR_APPS = [
    ("GET", "/app"),
    ("GET", "/app/installations/1"),
    ("POST", "/app/installations/1/access_tokens"),
    ("GET", "/app/hook/config"),
    ("GET", "/app/hook/deliveries"),
    ("GET", "/app/hook/deliveries/1"),
    ("POST", "/app/hook/deliveries/1/attempts"),
    ("GET", "/orgs/acme/installation"),
    ("GET", "/users/acme/installation"),
    ("GET", "/repos/acme/ops/installation"),
]
FOR_OTHERS = [
    ("GET", "/rate_limit"),
    ("GET", "/orgs/acme/hooks"),
    ("GET", "/orgs/acme/hooks/1/deliveries"),
    ("GET", "/repos/acme/ops/hooks"),
    ("GET", VARIABLES),
    ("PATCH", f"{VARIABLES}/A"),
]


@pytest.mark.parametrize(("method", "path"), FOR_APPS)
def test_only_an_app_that_signs_may_ask(
    as_app: Client, acme: Installation, method: str, path: str
) -> None:
    for token in (None, "t0k3n", "a.b.c", installed(as_app, acme).token):
        assert refusal(replace(as_app, token=token).ask(method, path)) == NOT_DECODED
    scheme = {"Authorization": f"token {as_app.token}"}
    assert refusal(as_app.ask(method, path, headers=scheme)) == NOT_DECODED


@pytest.mark.parametrize(("method", "path"), FOR_OTHERS)
def test_what_an_app_signs_is_no_token(
    as_app: Client, acme: Installation, method: str, path: str
) -> None:
    assert acme.id
    assert refusal(as_app.ask(method, path)) == BAD_CREDENTIALS


def test_an_app_has_one_hook(as_app: Client, app: App) -> None:
    assert refusal(as_app.get("/app/hook/deliveries")) == NOT_FOUND
    app.hook("http://127.0.0.1:9/hook", secret="hush")

    assert as_app.get("/app/hook/config").json() == {
        "url": "http://127.0.0.1:9/hook",
        "content_type": "json",
        "insecure_ssl": "0",
        "secret": "********",
    }
    with pytest.raises(ValueError, match="one webhook"):
        app.hook("http://127.0.0.1:9/another")


def test_an_event_of_an_app_says_who_has_it_installed(app: App) -> None:
    hook = app.hook("http://127.0.0.1:9/hook")
    hook.record()
    installation = app.install("acme")
    hook.record()

    assert [row["installation_id"] for row in hook.log] == [installation.id, None]

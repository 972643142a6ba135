"""The webhooks of an organization, and the settings page of a GitHub App."""

from collections.abc import Callable

import pytest

from github_sandbox import Sandbox, Status
from redeliver.core.delivery import HookId, Webhook
from redeliver.core.url_pattern import UrlPattern
from redeliver.errors import AccessError, UnavailableError
from redeliver.github_api.delivery_log import DeliveryLog
from redeliver.github_api.webhooks import (
    app_hook,
    find_hook,
    list_hooks,
    organization_hook,
    repository_hook,
)
from tests.support.sandboxes import a_client


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param({}, id="an object"),
        pytest.param([7], id="a number as row"),
        pytest.param([{"id": 7}], id="a row without active"),
        pytest.param([{"id": "7", "active": True}], id="an id as text"),
        pytest.param([{"id": 7, "active": "yes"}], id="active as text"),
    ],
)
def test_an_invalid_list_of_webhooks_is_an_error(github: Sandbox, rows: object) -> None:
    github.org("acme")
    github.inject(Status(200, body=rows), path=".*/hooks")

    with pytest.raises(UnavailableError, match="did not come from GitHub's API"):
        list_hooks(a_client(github.url), org="acme")


def test_a_list_with_short_pages_is_read_to_its_end(github: Sandbox) -> None:
    """A gateway may limit the size of pages."""
    link = {"Link": '<https://api.github.com/orgs/acme/hooks?page=2>; rel="next"'}
    pages = [[{"id": 1, "active": True}], [{"id": 2, "active": False}]]
    github.inject(Status(200, headers=link, body=pages[0]), path=".*/hooks")
    github.inject(Status(200, body=pages[1]), path=".*/hooks", nth=2)

    assert list_hooks(a_client(github.url), org="acme") == {1: True, 2: False}


def test_a_list_of_webhooks_without_an_end_is_an_error(github: Sandbox) -> None:
    rows = [{"id": number, "active": True} for number in range(100)]
    github.inject(Status(200, body=rows), path=".*/hooks", times=None)

    with pytest.raises(UnavailableError, match="did not come from GitHub's API"):
        list_hooks(a_client(github.url), org="acme")

    assert len(github.requests) == 2


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([], id="a list"),
        pytest.param({}, id="an empty object"),
        pytest.param({"slug": "bot"}, id="an App without id"),
    ],
)
def test_an_invalid_app_is_an_error(github: Sandbox, body: object) -> None:
    github.inject(Status(200, body=body), path="/app")

    with pytest.raises(UnavailableError, match="did not come from GitHub's API"):
        app_hook(a_client(github.url), github.url)


@pytest.mark.parametrize("is_active", [True, False])
@pytest.mark.parametrize(
    ("make", "owner", "kind", "path"),
    [
        (organization_hook, "acme", "organization", "organizations/acme/settings"),
        (repository_hook, "acme/shop", "repository", "acme/shop/settings"),
    ],
)
def test_a_webhook_has_a_name_an_id_and_a_page(
    github: Sandbox,
    make: Callable[..., DeliveryLog],
    owner: str,
    kind: str,
    path: str,
    *,
    is_active: bool,
) -> None:
    client = a_client(github.url)

    log = make(client, "https://github.com", owner, HookId(7), is_active=is_active)

    assert log.webhook == Webhook(
        name=f"webhook 7 of {kind} {owner}",
        id=HookId(7),
        page=f"https://github.com/{path}/hooks/7?tab=deliveries",
        is_active=is_active,
    )


USER = {"type": "User", "login": "mona"}
ORGANIZATION = {"type": "Organization", "login": "acme"}


@pytest.mark.parametrize(
    ("app", "page"),
    [
        pytest.param({"slug": "bot", "owner": USER}, "/settings/apps/bot/advanced", id="of a user"),
        pytest.param(
            {"slug": "bot", "owner": ORGANIZATION},
            "/organizations/acme/settings/apps/bot/advanced",
            id="of an organization",
        ),
        pytest.param({"slug": "bot", "owner": None}, "/settings/apps", id="without an owner"),
        pytest.param({"owner": USER}, "/settings/apps", id="without a slug"),
        pytest.param(
            {"slug": "a/b c", "owner": USER},
            "/settings/apps/a%2Fb%20c/advanced",
            id="with special characters in its slug",
        ),
    ],
)
def test_an_app_has_a_settings_page(github: Sandbox, app: dict[str, object], page: str) -> None:
    github.inject(Status(200, body={"id": 7, **app}), path="/app")

    hook = app_hook(a_client(github.url), "https://github.com")

    assert hook.webhook.page == f"https://github.com{page}"


@pytest.mark.parametrize(("app", "name"), [({"slug": "bot"}, "bot"), ({}, "7")])
def test_an_app_is_named_by_its_slug_or_else_its_id(
    github: Sandbox, app: dict[str, object], name: str
) -> None:
    github.inject(Status(200, body={"id": 7, **app}), path="/app")
    github.inject(Status(200, body=[]), path="/app/hook/deliveries")

    hook = app_hook(a_client(github.url), "https://github.com")

    assert hook.webhook.name == f"webhook of GitHub App {name}"
    assert [page.rows for page in hook.pages()] == [[]]


def test_101_webhooks_are_listed_with_two_requests(github: Sandbox) -> None:
    organization = github.org("acme")
    ids = [organization.hook("http://127.0.0.1:9/hook").path for _ in range(101)]

    hooks = list_hooks(a_client(github.url), org="acme")

    assert [f"/orgs/acme/hooks/{number}" for number in hooks] == ids
    assert [request.query["page"] for request in github.requests] == ["1", "2"]


@pytest.mark.parametrize("owner", ["acme", "acme/shop"])
def test_a_webhook_is_found_by_its_url(github: Sandbox, owner: str) -> None:
    """It is one of two webhooks of its owner, and another owner has two such webhooks, too."""
    organization, repository = github.org("acme"), github.repository("acme/shop")
    hooks = [
        (of.hook("https://ci.example.com/hook", active=False), of.hook("https://x.example.com"))
        for of in (organization, repository)
    ]
    is_org = owner == "acme"
    where = {"org": owner} if is_org else {"repo": owner}
    client = a_client(github.url)

    found = find_hook(client, UrlPattern("ci.example.com/*"), **where)

    assert found == {hooks[not is_org][0].id: False}
    with pytest.raises(AccessError, match=f"the payload URLs of 2 webhooks of .* {owner} match"):
        find_hook(client, UrlPattern("*"), **where)
    with pytest.raises(AccessError, match=f"none of the 2 webhooks of .* {owner} has a payload"):
        find_hook(client, UrlPattern("y.example.com"), **where)

"""The endpoints of webhooks, which are alike for organizations, repositories and Apps."""

import pytest

from github_sandbox import App, Hook, Receiver, Sandbox, VirtualClock
from tests.sandbox.client import NOT_FOUND, Client, deliveries, refusal, sign_jwt


@pytest.fixture(params=["organization", "repository", "App"])
def owned(
    request: pytest.FixtureRequest, github: Sandbox, receiver: Receiver, clock: VirtualClock
) -> tuple[Hook, Client]:
    """Return a hook of each kind of owner, and a client that has all permissions for it."""
    if request.param == "App":
        app = github.app()
        return app.hook(receiver.url, secret="hush"), Client(github, sign_jwt(app, clock))
    is_organization = request.param == "organization"
    owner = github.org("acme") if is_organization else github.repository("acme/shop")
    return owner.hook(receiver.url, secret="hush"), Client(github)


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


def test_a_delivery_is_redelivered_for_every_kind_of_owner(
    owned: tuple[Hook, Client], receiver: Receiver
) -> None:
    hook, client = owned
    receiver.stop()
    guid = hook.emit("push")
    receiver.start()

    assert client.redeliver(hook, hook.log[0]["id"]).status_code == 202
    client.github.settle()

    [received] = receiver.received()
    assert (received.guid, received.signature_valid) == (guid, True)
    rows = client.get(deliveries(hook)).json()
    assert [(row["redelivery"], row["status_code"]) for row in rows] == [(True, 200), (False, 502)]
    shown = client.get(f"{deliveries(hook)}/{rows[0]['id']}").json()
    assert rows[0].items() <= shown.items()


def test_a_log_has_pages_for_every_kind_of_owner(owned: tuple[Hook, Client]) -> None:
    hook, client = owned
    ids = [hook.record(status="timed out", status_code=504) for _ in range(3)][::-1]
    hook.record()

    pages = client.pages(hook, per_page=2, status="failure")

    assert [[row["id"] for row in page] for page in pages] == [ids[:2], ids[2:]]


@pytest.mark.parametrize("prefix", ["", "/api/v3"])
def test_a_hook_names_its_url_in_the_api(
    client: Client, hook: Hook, shop: Hook, prefix: str
) -> None:
    assert hook.path == f"/orgs/acme/hooks/{hook.id}"
    assert shop.path == f"/repos/acme/shop/hooks/{shop.id}"
    assert client.github.app().hook("http://127.0.0.1:9").path == "/app/hook"
    for each in (hook, shop):
        shown = client.get(prefix + each.path).json()
        assert shown["url"] == client.github.url + prefix + each.path
        assert shown["deliveries_url"] == shown["url"] + "/deliveries"


def test_a_hook_knows_its_owner(github: Sandbox, hook: Hook, shop: Hook) -> None:
    app_hook = github.app("a-bot").hook("http://127.0.0.1:9")

    assert (hook.owner, shop.owner, app_hook.owner) == ("acme", "acme/shop", "a-bot")
    assert hook.org == "acme"
    assert not hasattr(shop, "org")


@pytest.mark.parametrize(
    ("owner", "kind"),
    [("organization", "organization"), ("repository", "repository"), ("App", "integration")],
)
def test_a_delivery_names_the_kind_and_id_of_the_owner(
    github: Sandbox, receiver: Receiver, clock: VirtualClock, owner: str, kind: str
) -> None:
    app, repository = github.app(), github.repository("acme/shop")
    add_hook = {
        "organization": github.org("acme").hook,
        "repository": repository.hook,
        "App": app.hook,
    }[owner]
    hook = add_hook(receiver.url)
    hook.emit("push")
    client = Client(github, sign_jwt(app, clock)) if owner == "App" else Client(github)

    delivery = client.get(f"{deliveries(hook)}/{hook.log[0]['id']}").json()

    headers = delivery["request"]["headers"]
    assert headers["X-GitHub-Hook-Installation-Target-Type"] == kind
    if owner != "organization":
        target = {"App": app.id, "repository": repository.id}[owner]
        assert headers["X-GitHub-Hook-Installation-Target-ID"] == str(target)


def test_an_event_of_a_repository_has_its_id(github: Sandbox, shop: Hook) -> None:
    shop.record(action="opened")

    assert shop.log[0]["repository_id"] == github.repository("acme/shop").id
    assert shop.log[0]["action"] == "opened"


def test_a_repository_hook_is_shown_without_its_secret(client: Client, shop: Hook) -> None:
    [listed] = client.get("/repos/acme/shop/hooks").json()

    assert listed == client.get(shop.path).json()
    assert (listed["type"], listed["id"]) == ("Repository", shop.id)
    assert listed["config"]["secret"] == "********"


@pytest.mark.parametrize("owner", ["/orgs/acme", "/repos/acme/shop"])
def test_a_listing_shows_which_hooks_are_active(client: Client, owner: str) -> None:
    organization, repository = client.github.org("acme"), client.github.repository("acme/shop")
    add_hook = organization.hook if owner == "/orgs/acme" else repository.hook
    for active in (True, False, True):
        add_hook("http://127.0.0.1:9", active=active)

    first = client.get(f"{owner}/hooks", params={"per_page": 2})
    second = client.get(f"{owner}/hooks", params={"per_page": 2, "page": 2})

    assert [each["active"] for each in first.json()] == [True, False]
    assert [each["active"] for each in second.json()] == [True]
    assert first.links["next"]["url"].startswith(f"{client.github.url}{owner}/hooks?")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/repos/acme/nothing/hooks", id="repository"),
        pytest.param("/repos/acme/shop/hooks/1", id="hook"),
        pytest.param("/repos/acme/shop/hooks/1/deliveries", id="hook's log"),
        pytest.param("/orgs/acme/hooks/{id}", id="a repository's hook at its organization"),
        pytest.param("/repos/acme/ops/hooks/{id}", id="a repository's hook at another"),
        pytest.param("/repos/acme/shop/hooks/{id}/config", id="no such path"),
    ],
)
def test_a_hook_is_not_found_at_a_wrong_path(client: Client, shop: Hook, path: str) -> None:
    client.github.org("acme")
    client.github.repository("acme/ops")

    assert client.get(path.format(id=shop.id)).status_code == 404


def test_a_fine_grained_token_needs_the_permission(github: Sandbox, shop: Hook) -> None:
    github.token("reader", repository_hooks="read")
    github.token("elsewhere", organization_hooks="write", actions_variables="write")

    assert Client(github, "reader").get(deliveries(shop)).status_code == 200
    for token, access, response in (
        ("reader", "write", Client(github, "reader").redeliver(shop, shop.record())),
        ("elsewhere", "read", Client(github, "elsewhere").get(deliveries(shop))),
    ):
        assert response.status_code == 403, token
        accepted = response.headers["X-Accepted-GitHub-Permissions"]
        assert accepted == f"repository_hooks={access}"


@pytest.mark.parametrize(
    ("scope", "reading", "redelivering"),
    [
        ("repo", 200, 202),
        ("admin:repo_hook", 200, 202),
        ("write:repo_hook", 200, 202),
        ("read:repo_hook", 200, 404),
        ("admin:org_hook", 404, 404),
    ],
)
def test_a_classic_token_can_do_what_its_scope_allows(
    github: Sandbox, shop: Hook, scope: str, reading: int, redelivering: int
) -> None:
    github.token("ghp_x", scopes={scope})
    client = Client(github, "ghp_x")

    assert client.get("/repos/acme/shop/hooks").status_code == reading
    assert client.get(deliveries(shop)).status_code == reading
    refused = client.redeliver(shop, shop.record())
    assert refused.status_code == redelivering
    if redelivering == 404:
        accepted = refused.headers["X-Accepted-OAuth-Scopes"]
        assert accepted == "admin:repo_hook, repo, write:repo_hook"
    github.settle()


def test_an_organization_hook_is_shown_without_its_secret(client: Client, hook: Hook) -> None:
    [listed] = client.get("/orgs/acme/hooks").json()
    shown = client.get(f"/orgs/acme/hooks/{hook.id}").json()

    assert listed == shown
    assert shown["id"] == hook.id
    assert shown["config"]["secret"] == "********"
    assert shown["config"]["url"].endswith("/hook")
    assert shown["deliveries_url"] == client.github.url + deliveries(hook)


def test_hooks_come_in_pages(client: Client) -> None:
    hooks = [client.github.org("acme").hook("http://127.0.0.1:9") for _ in range(3)]

    first = client.get("/orgs/acme/hooks", params={"per_page": 2})
    second = client.get(first.links["next"]["url"])

    assert [each["id"] for each in first.json() + second.json()] == [each.id for each in hooks]
    assert "next" not in second.links

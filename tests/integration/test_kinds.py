"""Each kind of webhook with each way to prove who asks, and who may not."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from github_sandbox import App, Hook, Meanwhile, Receiver, Sandbox, VirtualClock
from github_sandbox.model.entities import Access
from redeliver.core.checkpoint import format_checkpoint
from tests.support.action_run import run_action
from tests.support.builders import running

WRITE: Mapping[str, Access] = {
    "organization_hooks": "write",
    "repository_hooks": "write",
    "actions_variables": "write",
}


@dataclass(frozen=True)
class Scene:
    """A GitHub App, and a receiver that missed one event of a webhook."""

    github: Sandbox
    receiver: Receiver
    app: App
    clock: VirtualClock

    @property
    def as_app(self) -> dict[str, str]:
        return {"token": "", "app_id": str(self.app.id), "private_key": self.app.private_key}

    def miss(self, hook: Hook) -> str:
        self.receiver.stop()
        missed = hook.emit("push", at=self.clock() - timedelta(hours=1))
        self.receiver.start()
        return missed

    def arrived(self) -> list[str]:
        self.github.settle()
        return [received.guid for received in self.receiver.received()]


@pytest.fixture
def clock() -> VirtualClock:
    """Return the real time, because an App's JWT has that until GitHub has told its own."""
    return VirtualClock(datetime.now(UTC))


@pytest.fixture
def scene(github: Sandbox, receiver: Receiver, clock: VirtualClock) -> Scene:
    github.org("acme")
    app = github.app(slug="redeliver-bot", owner="acme", permissions=WRITE)
    return Scene(github=github, receiver=receiver, app=app, clock=clock)


KINDS: dict[str, Callable[[Scene], Hook]] = {
    "organization": lambda scene: scene.github.org("acme").hook(scene.receiver.url),
    "repository": lambda scene: scene.github.repository("acme/shop").hook(scene.receiver.url),
    "App": lambda scene: scene.app.hook(scene.receiver.url),
}


def fine_grained(scene: Scene) -> dict[str, str]:
    scene.github.token(
        "github_pat_f1ne",
        organization_hooks="write",
        repository_hooks="write",
        actions_variables="write",
    )
    return {"token": "github_pat_f1ne"}


def classic(scene: Scene) -> dict[str, str]:
    scene.github.token("ghp_classic", scopes={"admin:org_hook", "repo"})
    return {"token": "ghp_classic"}


def installed(scene: Scene) -> dict[str, str]:
    scene.app.install("acme", WRITE)
    return scene.as_app


def by_client_id(scene: Scene) -> dict[str, str]:
    key = scene.app.private_key.replace("\n", "\\n")
    return installed(scene) | {"app_id": scene.app.client_id, "private_key": key}


def with_a_token_for_the_variable(scene: Scene) -> dict[str, str]:
    scene.app.install("acme", {"organization_hooks": "write", "repository_hooks": "write"})
    scene.github.token("ghp_variable", actions_variables="write")
    return scene.as_app | {"variable_token": "ghp_variable"}


def ready_made(scene: Scene) -> dict[str, str]:
    """Give the installation's token that an earlier step of the workflow made."""
    made = scene.app.install("acme", WRITE)
    scene.github.token(
        "ghs_ready",
        organization_hooks="write",
        repository_hooks="write",
        actions_variables="write",
    )
    assert made.id
    return {"token": "ghs_ready"}


WAYS = {
    "a fine-grained token": fine_grained,
    "a classic token": classic,
    "an App": installed,
    "an App by its client id, its key in one line": by_client_id,
    "an App, and a token for the variable": with_a_token_for_the_variable,
    "a token that another step made": ready_made,
}
POSSIBLE = [
    (kind, way)
    for kind in KINDS
    for way in WAYS
    if kind != "App" or "App" in way  # its own webhook answers to its own word only
]


@pytest.mark.parametrize(("kind", "way"), POSSIBLE)
def test_what_was_missed_comes_back(scene: Scene, kind: str, way: str) -> None:
    hook = KINDS[kind](scene)
    credentials = WAYS[way](scene)
    missed = scene.miss(hook)
    variables = scene.github.repository("acme/ops").variables
    variables["LAST_REDELIVERY"] = format_checkpoint(scene.clock() - timedelta(hours=6))

    run = run_action(scene.github, hook, credentials)

    assert run.status == 0, run.visible
    assert scene.arrived() == [missed]
    assert run.outputs["redelivered"] == "1"
    assert variables["LAST_REDELIVERY"] == run.outputs["checkpoint"]
    for secret in (scene.app.private_key.split()[5], *(t.value for t in scene.app.tokens)):
        assert secret not in run.visible


@pytest.mark.parametrize("kind", ["organization", "repository"])
def test_an_apps_tokens_may_do_no_more_than_they_have_to_and_are_masked(
    scene: Scene, kind: str
) -> None:
    hook = KINDS[kind](scene)

    run = run_action(scene.github, hook, installed(scene))

    assert run.status == 0, run.visible
    assert [dict(token.permissions) for token in scene.app.tokens] == [
        {"actions_variables": "write"},
        {f"{kind}_hooks": "write"},
    ]
    masked = re.findall(r"^::add-mask::(.*)$", run.log, flags=re.MULTILINE)
    assert {token.value for token in scene.app.tokens} <= set(masked)
    _, *lines, _ = scene.app.private_key.splitlines()
    assert set(lines) <= set(masked), "every line of the key that is of this key alone"
    assert not {"PRIVATE", "KEY-----"} & set(masked), "or outputs with such a word were dropped"


def test_a_token_that_expires_in_a_long_run_is_renewed(scene: Scene) -> None:
    hook = scene.github.org("acme").hook(scene.receiver.url)
    credentials = installed(scene)
    missed = [scene.miss(hook) for _ in range(3)]
    an_hour = Meanwhile(lambda: scene.clock.advance(timedelta(minutes=55)), after=True)
    scene.github.inject(an_hour, path=".*/deliveries", times=None)

    run = run_action(scene.github, hook, credentials)

    assert run.status == 0, run.visible
    assert sorted(scene.arrived()) == sorted(missed)
    assert len(scene.app.tokens) >= 4, "two at first, and both anew"
    assert all(request.status != 401 for request in scene.github.requests)


def test_a_token_that_is_revoked_in_the_middle_is_replaced(scene: Scene) -> None:
    hook = scene.github.org("acme").hook(scene.receiver.url)
    credentials = installed(scene)
    missed = scene.miss(hook)
    # As far as this machine can tell it has hours left: only GitHub knows better.
    later = Meanwhile(lambda: scene.clock.advance(timedelta(minutes=61)))
    scene.github.inject(later, method="POST", path=".*/attempts")

    run = run_action(scene.github, hook, credentials)

    assert run.status == 0, run.visible
    assert scene.arrived() == [missed]
    assert [r.status for r in scene.github.requests if r.path.endswith("/attempts")] == [401, 202]


@pytest.mark.parametrize("hours", [-2, 2])
def test_an_app_goes_by_githubs_clock_when_the_runners_is_wrong(
    receiver: Receiver, hours: int
) -> None:
    clock = VirtualClock(datetime.now(UTC) + timedelta(hours=hours))
    with running(Sandbox(clock=clock)) as github:
        github.org("acme")
        app = github.app(slug="redeliver-bot", owner="acme", permissions=WRITE)
        scene = Scene(github=github, receiver=receiver, app=app, clock=clock)
        hook = app.hook(receiver.url)
        credentials = installed(scene)
        missed = scene.miss(hook)

        run = run_action(github, hook, credentials)

        assert run.status == 0, run.visible
        assert scene.arrived() == [missed]
        assert [request.status for request in github.requests[:2]] == [401, 200]


def lacking(permissions: Mapping[str, Access]) -> Callable[[Scene], dict[str, str]]:
    def give(scene: Scene) -> dict[str, str]:
        scene.app.install("acme", permissions)
        return scene.as_app

    return give


def suspended(scene: Scene) -> dict[str, str]:
    scene.app.install("acme", WRITE).suspend()
    return scene.as_app


def only_on_the_shop(scene: Scene) -> dict[str, str]:
    scene.github.repository("acme/shop")
    scene.app.install("acme", WRITE, repositories=["acme/shop"])
    return scene.as_app


def with_anothers_key(scene: Scene) -> dict[str, str]:
    # Of the right form, and nobody's.
    body = scene.app.private_key.split("\n")
    body[3] = body[3][::-1]
    return installed(scene) | {"private_key": "\n".join(body)}


DENIED: dict[str, tuple[Callable[[Scene], dict[str, str]], str]] = {
    "an App that is not installed there": (
        lambda scene: scene.as_app,
        "the GitHub App is not installed there",
    ),
    "an App that is suspended": (suspended, "its installation is suspended"),
    "an App without the right to the webhook": (
        lacking({"actions_variables": "write"}),
        "it needs the organization permission 'Webhooks' (read and write)",
    ),
    "an App that may only read the webhook": (
        lacking({"organization_hooks": "read", "actions_variables": "write"}),
        "it needs the organization permission 'Webhooks' (read and write)",
    ),
    "an App without the right to the variable": (
        lacking({"organization_hooks": "write"}),
        "it needs the repository permission 'Variables' (read and write)",
    ),
    "an App whose installation lacks the variable's repository": (
        only_on_the_shop,
        "Check 'variable-repository' for a mistake; if there is none, the GitHub App is not",
    ),
    "an App that GitHub does not know": (
        lambda scene: installed(scene) | {"app_id": "4711"},
        "cannot act as the GitHub App's installation on",
    ),
    "a key that cannot be read": (with_anothers_key, "input 'private-key' is not the App's"),
}


@pytest.mark.parametrize("case", DENIED)
def test_what_an_app_lacks_is_told_with_the_way_to_mend_it(scene: Scene, case: str) -> None:
    give, advice = DENIED[case]
    hook = scene.github.org("acme").hook(scene.receiver.url)
    credentials = give(scene)
    missed = scene.miss(hook)

    run = run_action(scene.github, hook, credentials)

    assert run.status == 1
    assert advice in run.log, run.visible
    assert "GITHUB_TOKEN" not in run.log, "that is no token's fault"
    assert missed not in scene.arrived()
    assert scene.github.repository("acme/ops").variables == {}


@pytest.mark.parametrize(("variable", "lookups"), [("acme/ops", 1), ("elsewhere/ops", 2)])
def test_an_installation_is_looked_up_once_for_each_account(
    scene: Scene, variable: str, lookups: int
) -> None:
    hook = scene.github.org("acme").hook(scene.receiver.url)
    scene.github.repository(variable)
    for account in {"acme", variable.split("/", maxsplit=1)[0]}:
        scene.app.install(account, WRITE)
    missed = scene.miss(hook)

    run = run_action(scene.github, hook, scene.as_app, variable_repository=variable)

    assert run.status == 0, run.visible
    assert scene.arrived() == [missed]
    paths = [request.path for request in scene.github.requests]
    assert len([path for path in paths if path.endswith("/installation")]) == lookups
    assert len([path for path in paths if path.endswith("/access_tokens")]) == 2


def test_an_apps_own_webhook_is_named_and_linked(scene: Scene) -> None:
    hook = scene.app.hook(scene.receiver.url)
    scene.miss(hook)

    run = run_action(scene.github, hook, installed(scene))

    assert "of webhook of GitHub App redeliver-bot: 1 event failed" in run.log
    page = f"{scene.github.url}/organizations/acme/settings/apps/redeliver-bot/advanced"
    assert page in run.summary


# Several webhooks.


@pytest.fixture
def two(scene: Scene) -> tuple[Hook, Hook]:
    """Give two webhooks of one organization that both missed the same event."""
    one, other = (scene.github.org("acme").hook(scene.receiver.url) for _ in range(2))
    scene.receiver.stop()
    for hook in (one, other):
        hook.emit("push", guid="shared", at=scene.clock() - timedelta(hours=1))
    scene.receiver.start()
    return one, other


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "all"])
def test_several_webhooks_each_get_back_what_they_missed(
    scene: Scene, two: tuple[Hook, Hook], *, listed: bool
) -> None:
    ids = "\n".join(str(hook.id) for hook in two) if listed else "all"
    scene.github.org("acme").hook("http://127.0.0.1:9/off?secret=hush", active=False)

    run = run_action(scene.github, two[0], hook_id=ids)

    assert run.status == 0, run.visible
    assert scene.arrived() == ["shared", "shared"]
    assert run.outputs["redelivered"] == "2"
    assert ("Left out because they are not active: webhooks " in run.log) is not listed
    assert "hush" not in run.visible
    assert scene.receiver.url not in run.visible


def test_all_webhooks_of_a_repository_get_back_what_they_missed(scene: Scene) -> None:
    shop = scene.github.repository("acme/shop")
    hooks = [shop.hook(scene.receiver.url) for _ in range(2)]
    missed = [scene.miss(hook) for hook in hooks]

    run = run_action(scene.github, hooks[0], fine_grained(scene), hook_id="all")

    assert run.status == 0, run.visible
    assert sorted(scene.arrived()) == sorted(missed)


def test_what_one_webhook_took_is_nothing_to_the_other(
    scene: Scene, two: tuple[Hook, Hook]
) -> None:
    two[0].redeliver(two[0].log[0]["id"])

    run = run_action(scene.github, two[0], hook_id="all")

    assert run.outputs["redelivered"] == "1", run.visible
    assert len(two[1].log) == 2


def test_a_webhook_that_is_gone_is_told_and_the_others_go_on(
    scene: Scene, two: tuple[Hook, Hook]
) -> None:
    variables = scene.github.repository("acme/ops").variables
    before = variables["LAST_REDELIVERY"] = format_checkpoint(scene.clock() - timedelta(hours=6))

    run = run_action(scene.github, two[0], hook_id=f"7, {two[1].id}")

    assert run.status == 1
    assert "::error::cannot read the deliveries of webhook 7 of organization acme" in run.log
    assert scene.arrived() == ["shared"]
    assert variables["LAST_REDELIVERY"] == before, "what webhook 7 missed is not forgotten"


def test_more_webhooks_than_a_page_holds_are_all_found(scene: Scene, github: Sandbox) -> None:
    hooks = [scene.github.org("acme").hook("http://127.0.0.1:9/x") for _ in range(101)]

    run = run_action(github, hooks[0], hook_id="all")

    assert run.status == 0, run.visible
    assert run.log.count("nothing to redeliver") == 101


def test_an_organization_without_an_active_webhook_is_a_warning(
    scene: Scene, github: Sandbox
) -> None:
    hook = scene.github.org("acme").hook("http://127.0.0.1:9/x", active=False)

    run = run_action(github, hook, hook_id="all")

    assert run.status == 0, run.visible
    assert "::warning::there is no active webhook" in run.log


@pytest.mark.parametrize(("hook_ids", "times"), [("one", 1), ("all", 0)])
def test_github_is_asked_for_the_time_unless_it_has_told_that(
    github: Sandbox, hook: Hook, hook_ids: str, times: int
) -> None:
    more = {"hook-id": "all"} if hook_ids == "all" else {}

    run = run_action(github, hook, more, variable_name="")

    assert run.status == 0
    assert [request.path for request in github.requests].count("/rate_limit") == times

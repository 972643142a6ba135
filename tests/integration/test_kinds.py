"""Each kind of webhook with each kind of credentials, and insufficient credentials."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from github_sandbox import App, Hook, Meanwhile, Receiver, Sandbox, Status, VirtualClock
from github_sandbox.model.entities import Access
from redeliver.core.checkpoint import format_checkpoint
from tests.support.action_run import run_action, start_action, start_interpreter
from tests.support.outage import arrived, miss_events

NOT_GRANTED = Status(422, "The permissions requested are not granted to this installation.")
WRITE: Mapping[str, Access] = {
    "organization_hooks": "write",
    "repository_hooks": "write",
    "actions_variables": "write",
}


@dataclass(frozen=True)
class Scenario:
    """A sandbox with an App of the organization acme."""

    github: Sandbox
    receiver: Receiver
    app: App
    clock: VirtualClock

    @property
    def app_inputs(self) -> dict[str, str]:
        """The inputs that authenticate as the App."""
        return {"token": "", "client_id": self.app.client_id, "private_key": self.app.private_key}

    def miss_event(self, hook: Hook) -> str:
        """Have the hook miss an event, and return its GUID."""
        [guid] = miss_events(self.receiver, hook, events=["push"], now=self.clock())
        return guid

    def arrived(self) -> list[str]:
        """Return the GUIDs of the deliveries that the receiver got."""
        return arrived(self.github, self.receiver)


@pytest.fixture
def hours_ahead() -> int:
    """Return how far GitHub's clock is ahead of the runner's."""
    return 0


@pytest.fixture
def clock(hours_ahead: int) -> VirtualClock:
    """Return GitHub's clock, based on the real time because a run dates its first JWT by that."""
    return VirtualClock(datetime.now(UTC) + timedelta(hours=hours_ahead))


@pytest.fixture
def scenario(github: Sandbox, receiver: Receiver, clock: VirtualClock) -> Scenario:
    github.org("acme")
    app = github.app(slug="redeliver-bot", owner="acme", permissions=WRITE)
    return Scenario(github=github, receiver=receiver, app=app, clock=clock)


HOOKS: dict[str, Callable[[Scenario], Hook]] = {
    "an organization": lambda scenario: scenario.github.org("acme").hook(scenario.receiver.url),
    "a repository": lambda scenario: scenario.github.repository("acme/shop").hook(
        scenario.receiver.url
    ),
    "an App": lambda scenario: scenario.app.hook(scenario.receiver.url),
}


def use_token(scenario: Scenario, token: str) -> dict[str, str]:
    """Grant a token all permissions that a run needs."""
    scenario.github.token(
        token, organization_hooks="write", repository_hooks="write", actions_variables="write"
    )
    return {"token": token}


def use_fine_grained_token(scenario: Scenario) -> dict[str, str]:
    return use_token(scenario, "github_pat_f1ne")


def use_classic_token(scenario: Scenario) -> dict[str, str]:
    scenario.github.token("ghp_classic", scopes={"admin:org_hook", "repo"})
    return {"token": "ghp_classic"}


def install_app(scenario: Scenario) -> dict[str, str]:
    scenario.app.install("acme", WRITE)
    return scenario.app_inputs


def install_app_with_app_id(scenario: Scenario) -> dict[str, str]:
    key = scenario.app.private_key.replace("\n", "\\n")
    ids = {"client_id": "", "app_id": str(scenario.app.id)}
    return install_app(scenario) | ids | {"private_key": key}


def install_app_without_variables(scenario: Scenario) -> dict[str, str]:
    scenario.app.install("acme", {"organization_hooks": "write", "repository_hooks": "write"})
    scenario.github.token("ghp_variable", actions_variables="write")
    return scenario.app_inputs | {"variable_token": "ghp_variable"}


def use_installation_token(scenario: Scenario) -> dict[str, str]:
    """Use an installation token that an earlier step of the workflow created."""
    scenario.app.install("acme", WRITE)
    return use_token(scenario, "ghs_ready")


CREDENTIALS = {
    "a fine-grained token": use_fine_grained_token,
    "a classic token": use_classic_token,
    "an App": install_app,
    "an App by its App ID and its key in one line": install_app_with_app_id,
    "an App and a token for the variable": install_app_without_variables,
    "a token that another step created": use_installation_token,
}
COMBINATIONS = [
    pytest.param(kind, credentials, id=f"webhook of {kind} with {credentials}")
    for kind in HOOKS
    for credentials in CREDENTIALS
    if kind != "an App" or "App" in credentials  # only an App may read its own webhook
]


@pytest.mark.parametrize(("kind", "credentials"), COMBINATIONS)
def test_a_missed_event_is_redelivered(scenario: Scenario, kind: str, credentials: str) -> None:
    hook = HOOKS[kind](scenario)
    inputs = CREDENTIALS[credentials](scenario)
    missed = scenario.miss_event(hook)
    variables = scenario.github.repository("acme/ops").variables
    variables["LAST_REDELIVERY"] = format_checkpoint(scenario.clock() - timedelta(hours=6))

    run = run_action(scenario.github, hook, inputs)

    assert run.status == 0, run.visible
    assert scenario.arrived() == [missed]
    assert run.outputs["requested"] == "1"
    assert variables["LAST_REDELIVERY"] == run.outputs["checkpoint"]
    for secret in (scenario.app.private_key.split()[5], *(t.value for t in scenario.app.tokens)):
        assert secret not in run.visible


TOKEN_PERMISSIONS = {
    "an organization": [{"actions_variables": "write", "organization_hooks": "write"}],
    # The variable is in another repository, where this App needs no permission for webhooks.
    "a repository": [{"actions_variables": "write"}, {"repository_hooks": "write"}],
    "an App": [{"actions_variables": "write"}],  # an App uses its JWT for its own webhook
}


@pytest.mark.parametrize("kind", HOOKS)
def test_an_apps_tokens_have_few_permissions_and_are_masked(scenario: Scenario, kind: str) -> None:
    hook = HOOKS[kind](scenario)

    run = run_action(scenario.github, hook, install_app(scenario))

    assert run.status == 0, run.visible
    given = [dict(sorted(token.permissions.items())) for token in scenario.app.tokens]
    assert sorted(given, key=str) == TOKEN_PERMISSIONS[kind]
    assert all(len(token.repositories or ()) == 1 for token in scenario.app.tokens)
    masked = re.findall(r"^::add-mask::(.*)$", run.log, flags=re.MULTILINE)
    assert {token.value for token in scenario.app.tokens} <= set(masked)
    _, *lines, _ = scenario.app.private_key.splitlines()
    assert set(lines) <= set(masked), "each line that differs between keys"
    assert not {"PRIVATE", "KEY-----"} & set(masked), "the runner drops outputs with masked words"


def test_a_token_that_expires_during_a_run_is_replaced(scenario: Scenario) -> None:
    hook = scenario.github.org("acme").hook(scenario.receiver.url)
    credentials = install_app(scenario)
    missed = [scenario.miss_event(hook) for _ in range(3)]
    advance = Meanwhile(lambda: scenario.clock.advance(timedelta(minutes=55)), after=True)
    scenario.github.inject(advance, path=".*/deliveries", times=None)

    run = run_action(scenario.github, hook, credentials)

    assert run.status == 0, run.visible
    assert sorted(scenario.arrived()) == sorted(missed)
    assert len(scenario.app.tokens) == 2, "one at first, and a new one"
    assert all(request.status != 401 for request in scenario.github.requests)


def test_a_token_that_is_revoked_during_a_run_is_replaced(scenario: Scenario) -> None:
    hook = scenario.github.org("acme").hook(scenario.receiver.url)
    credentials = install_app(scenario)
    missed = scenario.miss_event(hook)
    # The run does not see the clock advance, so it still uses the expired token.
    advance = Meanwhile(lambda: scenario.clock.advance(timedelta(minutes=61)))
    scenario.github.inject(advance, method="POST", path=".*/attempts")

    run = run_action(scenario.github, hook, credentials)

    assert run.status == 0, run.visible
    assert scenario.arrived() == [missed]
    attempts = [r for r in scenario.github.requests if r.path.endswith("/attempts")]
    assert [request.status for request in attempts] == [401, 202]


@pytest.mark.parametrize(
    "hours_ahead", [pytest.param(-2, id="two hours fast"), pytest.param(2, id="two hours slow")]
)
def test_an_app_uses_githubs_clock_if_the_runners_is_wrong(scenario: Scenario) -> None:
    hook = scenario.app.hook(scenario.receiver.url)
    missed = scenario.miss_event(hook)

    run = run_action(scenario.github, hook, install_app(scenario))

    assert run.status == 0, run.visible
    assert scenario.arrived() == [missed]
    assert [request.status for request in scenario.github.requests[:2]] == [401, 200]


def install_app_with(permissions: Mapping[str, Access]) -> Callable[[Scenario], dict[str, str]]:
    def install(scenario: Scenario) -> dict[str, str]:
        scenario.app.install("acme", permissions)
        return scenario.app_inputs

    return install


def suspend_app(scenario: Scenario) -> dict[str, str]:
    scenario.app.install("acme", WRITE).suspend()
    return scenario.app_inputs


def install_app_on_another_repository(scenario: Scenario) -> dict[str, str]:
    scenario.github.repository("acme/shop")
    scenario.app.install("acme", WRITE, repositories=["acme/shop"])
    return scenario.app_inputs


def garble_key(scenario: Scenario) -> dict[str, str]:
    body = scenario.app.private_key.split("\n")
    body[3] = body[3][::-1]
    return install_app(scenario) | {"private_key": "\n".join(body)}


INSUFFICIENT: dict[str, tuple[Callable[[Scenario], dict[str, str]], str]] = {
    "an App that is not installed": (
        lambda scenario: scenario.app_inputs,
        "the GitHub App is not installed there",
    ),
    "an App that does not exist": (
        lambda scenario: scenario.app_inputs | {"client_id": "999999"},
        "GitHub has no App with the id in 'client-id'",
    ),
    "an App that is suspended": (suspend_app, "This installation has been suspended. An owner"),
    "an App without permission for webhooks": (
        install_app_with({"actions_variables": "write"}),
        "it needs the organization permission 'Webhooks' (read and write)",
    ),
    "an App that may only read webhooks": (
        install_app_with({"organization_hooks": "read", "actions_variables": "write"}),
        "it needs the organization permission 'Webhooks' (read and write)",
    ),
    "an App without permission for variables": (
        install_app_with({"organization_hooks": "write"}),
        "it needs the repository permission 'Variables' (read and write)",
    ),
    "an App that is not installed on the variable's repository": (
        install_app_on_another_repository,
        "Check 'variable-repository' for a mistake. If there is none, the GitHub App is not",
    ),
    "an App with an unknown id": (
        lambda scenario: install_app(scenario) | {"client_id": "4711"},
        "cannot authenticate as the GitHub App's installation on",
    ),
    "an invalid key": (garble_key, "input 'private-key' is not a valid private key"),
}


@pytest.mark.parametrize("dry_run", ["false", "true"])
@pytest.mark.parametrize(("set_up", "advice"), INSUFFICIENT.values(), ids=INSUFFICIENT)
def test_an_error_says_what_the_app_lacks(
    scenario: Scenario, set_up: Callable[[Scenario], dict[str, str]], advice: str, dry_run: str
) -> None:
    hook = scenario.github.org("acme").hook(scenario.receiver.url)
    credentials = set_up(scenario)
    missed = scenario.miss_event(hook)

    run = run_action(scenario.github, hook, credentials, dry_run=dry_run)

    assert run.status == 1
    assert advice in run.log, run.visible
    assert "GITHUB_TOKEN" not in run.log, "no token was used"
    assert missed not in scenario.arrived()
    assert scenario.github.repository("acme/ops").variables == {}


def test_an_error_names_the_input_that_has_the_apps_id(scenario: Scenario) -> None:
    hook = HOOKS["an organization"](scenario)
    inputs = install_app_with_app_id(scenario) | {"app_id": "999999"}

    run = run_action(scenario.github, hook, inputs)

    for text in run.log, run.summary:
        assert "has no App with the id in 'app-id'" in text
        assert "client-id" not in text


def test_an_app_signs_although_imports_are_deferred(scenario: Scenario) -> None:
    """Only a new interpreter defers imports; other tests fork one that has done all imports."""
    hook = HOOKS["an organization"](scenario)
    guid = scenario.miss_event(hook)
    inputs = install_app(scenario)

    step = start_action(scenario.github, hook, inputs, start_process=start_interpreter)

    run = step.wait()
    assert run.status == 0, run.visible
    assert scenario.arrived() == [guid]


def count_requests(github: Sandbox, end: str) -> int:
    return sum(request.path.endswith(end) for request in github.requests)


@pytest.mark.parametrize(
    ("kind", "variable", "lookups", "tokens"),
    [
        pytest.param("an organization", "acme/ops", 1, 1, id="an organization"),
        pytest.param("an organization", "Acme/Ops", 1, 1, id="in another case"),
        pytest.param("an organization", "elsewhere/ops", 2, 2, id="two accounts"),
        pytest.param("a repository", "acme/shop", 1, 1, id="a repository"),
        pytest.param("a repository", "acme/ops", 1, 2, id="two repositories"),
    ],
)
def test_an_app_gets_one_token_if_two_would_permit_as_much(
    scenario: Scenario, kind: str, variable: str, lookups: int, tokens: int
) -> None:
    hook = HOOKS[kind](scenario)
    scenario.github.repository(variable)
    for account in {"acme", variable.lower().split("/", maxsplit=1)[0]}:
        scenario.app.install(account, WRITE)
    missed = scenario.miss_event(hook)

    run = run_action(scenario.github, hook, scenario.app_inputs, variable_repository=variable)

    assert run.status == 0, run.visible
    assert scenario.arrived() == [missed]
    assert count_requests(scenario.github, "/installation") == lookups
    assert count_requests(scenario.github, "/access_tokens") == tokens


def test_a_replay_gets_a_token_that_cannot_write_variables(scenario: Scenario) -> None:
    hook = HOOKS["an organization"](scenario)
    missed = scenario.miss_event(hook)
    scenario.app.install("acme", {"organization_hooks": "write"})

    run = run_action(scenario.github, hook, scenario.app_inputs, since="24h")

    assert run.status == 0, run.visible
    assert scenario.arrived() == [missed]
    assert count_requests(scenario.github, "/access_tokens") == 1


def test_two_tokens_replace_one_that_github_does_not_issue(scenario: Scenario) -> None:
    """GitHub says of no request which of two permissions is missing, so each is requested alone."""
    hook = HOOKS["an organization"](scenario)
    missed = scenario.miss_event(hook)
    inputs = install_app(scenario)
    scenario.github.inject(
        NOT_GRANTED,
        method="POST",
        path=".*/access_tokens",
    )

    run = run_action(scenario.github, hook, inputs)

    assert run.status == 0, run.visible
    assert scenario.arrived() == [missed]
    assert count_requests(scenario.github, "/installation") == 1
    assert count_requests(scenario.github, "/access_tokens") == 3


def test_an_apps_own_webhook_is_named_and_linked(scenario: Scenario) -> None:
    hook = scenario.app.hook(scenario.receiver.url)
    scenario.miss_event(hook)

    run = run_action(scenario.github, hook, install_app(scenario))

    assert "of webhook of GitHub App redeliver-bot: 1 event failed" in run.log
    page = f"{scenario.github.url}/organizations/acme/settings/apps/redeliver-bot/advanced"
    assert page in run.summary


def test_two_tokens_replace_one_that_github_does_not_renew(scenario: Scenario) -> None:
    """GitHub issues one for both purposes at first, but not when it has to be renewed."""
    hook = HOOKS["an organization"](scenario)
    missed = scenario.miss_event(hook)
    inputs = install_app(scenario)
    # The run does not see the clock advance, so it still uses the expired token.
    advance = Meanwhile(lambda: scenario.clock.advance(timedelta(minutes=61)))
    scenario.github.inject(advance, method="POST", path=".*/attempts")
    scenario.github.inject(
        NOT_GRANTED,
        method="POST",
        path=".*/access_tokens",
        nth=2,
    )

    run = run_action(scenario.github, hook, inputs)

    assert run.status == 0, run.visible
    assert scenario.arrived() == [missed]

"""Runs that redeliver only the events of some repositories, which they find by their names."""

import json
from collections.abc import Mapping

import pytest

from github_sandbox import App, Hook, Receiver, Sandbox, Status
from tests.support.action_run import run_action
from tests.support.builders import ago
from tests.support.outage import arrived

NAMES = ("acme/shop", "acme/team-a", "acme/Team-B")


def miss_event(receiver: Receiver, hook: Hook, payload: Mapping[str, object]) -> str:
    receiver.stop()
    guid = hook.emit("push", at=ago(hours=1), payload=dict(payload))
    receiver.start()
    return guid


@pytest.fixture
def missed(github: Sandbox, receiver: Receiver, hook: Hook) -> dict[str, str]:
    """Miss an event of each repository and one of none; return their names by GUID."""
    by_guid = {}
    for name in NAMES:
        payload = {"repository": {"id": github.repository(name).id}}
        by_guid[miss_event(receiver, hook, payload)] = name
    by_guid[miss_event(receiver, hook, {"organization": {"id": 1}})] = "none"
    return by_guid


def redelivered(github: Sandbox, receiver: Receiver, missed: Mapping[str, str]) -> list[str]:
    return sorted(missed[guid] for guid in arrived(github, receiver))


def lookups(github: Sandbox) -> list[str]:
    paths = [request.path for request in github.requests]
    return [path for path in paths if "/hooks/" not in path and "/variables" not in path]


CASES = {
    "shop": (["acme/shop"], ["/repos/acme/shop"]),
    "Acme/Shop, team-b": (["acme/Team-B", "acme/shop"], ["/repos/acme/shop", "/repos/acme/team-b"]),
    "team-*, tea?-a": (["acme/Team-B", "acme/team-a"], ["/orgs/acme/repos"]),
    "!team-*, !shop": (["none"], ["/orgs/acme/repos", "/repos/acme/shop"]),
    "team-*, !team-a": (["acme/Team-B"], ["/orgs/acme/repos", "/repos/acme/team-a"]),
    "!team-a": (["acme/Team-B", "acme/shop", "none"], ["/repos/acme/team-a"]),
    "4711": ([], []),
}


@pytest.mark.parametrize("entries", CASES)
def test_only_events_of_the_repositories_are_redelivered(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: dict[str, str], entries: str
) -> None:
    expected, requests = CASES[entries]

    preview = run_action(github, hook, repositories=entries, dry_run="true")
    assert lookups(github) == requests
    run = run_action(github, hook, repositories=entries)

    assert run.status == preview.status == 0, run.visible
    assert redelivered(github, receiver, missed) == expected
    assert preview.outputs["due"] == run.outputs["requested"] == str(len(expected))
    assert "excluded by 'repositories'" in run.log
    assert "excluded by 'repositories'" in preview.summary


def test_a_numeric_id_needs_no_request_and_no_permission(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: dict[str, str]
) -> None:
    shop = github.repository("acme/shop")

    run = run_action(github, hook, repositories=f"{shop.id}, 7")

    assert redelivered(github, receiver, missed) == ["acme/shop"]
    assert f"Only events of these repositories: id {shop.id}, id 7\n" in run.log


def test_a_run_names_the_repositories_that_it_has_found(
    github: Sandbox, hook: Hook, missed: dict[str, str]
) -> None:
    ids = {name: github.repository(name).id for name in NAMES}

    run = run_action(github, hook, repositories="TEAM-*")
    but = run_action(github, hook, repositories="!shop")

    team = f"acme/team-a (id {ids['acme/team-a']}), acme/Team-B (id {ids['acme/Team-B']})"
    assert f"\nOnly events of these repositories: {team}\n" in run.log
    assert "Only events of these repositories&#58; acme&#47;team-a (id " in run.summary
    shop = f"acme/shop (id {ids['acme/shop']})"
    assert f"\nAll events except those of these repositories: {shop}\n" in but.log
    report = json.loads(run.outputs["report"])
    assert [each["name"] for each in report["repositories"]] == ["acme/team-a", "acme/Team-B"]
    events = {each["guid"]: each["repository_id"] for each in report["events"]}
    assert events == {g: str(ids[name]) for g, name in missed.items() if "eam" in name}


ERRORS = {
    "a name that does not exist": ("shopp", "cannot find repository acme/shopp: GitHub responded"),
    "an excluded name that does not exist": ("!shopp", "cannot find repository acme/shopp: "),
    "a pattern that matches nothing": (
        "web-*",
        "no repository of acme matches the entry web-* of input 'repositories'. Check the spelling",
    ),
    "an excluded pattern that matches nothing": ("!web-*", "no repository of acme matches"),
    "nothing that is left": ("team-a, !team-*", "excludes all repositories that it includes"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_entry_that_matches_nothing_is_an_error(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: dict[str, str], case: str
) -> None:
    entries, error = ERRORS[case]

    run = run_action(github, hook, repositories=entries)

    assert run.status == 1
    assert error in run.log, run.visible
    assert redelivered(github, receiver, missed) == []
    assert github.repository("acme/ops").variables == {}


def test_a_repository_that_was_renamed_is_an_error(github: Sandbox, hook: Hook) -> None:
    github.inject(Status(301, "Moved Permanently"), path="/repos/acme/shop")

    run = run_action(github, hook, repositories="shop")

    assert run.status == 1
    assert "cannot find repository acme/shop: GitHub responded 301, Moved Permanently" in run.log
    assert "Something may have been renamed or moved: check 'repositories'" in run.log


def test_a_name_that_no_repository_can_have_is_not_shown(github: Sandbox, hook: Hook) -> None:
    body = {"id": 7, "full_name": "acme/shop ::error::x"}
    github.inject(Status(200, body=body), path="/repos/acme/shop")

    run = run_action(github, hook, repositories="shop")

    assert "\nOnly events of these repositories: id 7\n" in run.log


def test_an_error_says_that_a_token_may_not_see_a_repository(github: Sandbox, hook: Hook) -> None:
    github.repository("acme/shop")
    github.token("ghp_h00ks", organization_hooks="write")
    inputs = {"token": "ghp_h00ks", "variable-token": "ghp_f1ne"}

    named = run_action(github, hook, inputs, repositories="shop")
    pattern = run_action(github, hook, inputs, repositories="s*")

    assert (
        "Check 'repositories' for a mistake. If there is none, the token in input 'token' lacks a "
        "permission: a fine-grained token needs the repository permission 'Metadata' (read) for"
    ) in named.log
    assert "needs access to them, with the repository permission 'Metadata' (read)" in pattern.log
    assert named.status == pattern.status == 1


def test_a_classic_token_finds_repositories(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: dict[str, str]
) -> None:
    github.token("ghp_classic", scopes={"admin:org_hook", "repo"})

    run = run_action(github, hook, token="ghp_classic", repositories="s*, team-a")

    assert run.status == 0, run.visible
    assert redelivered(github, receiver, missed) == ["acme/shop", "acme/team-a"]


@pytest.fixture
def app(github: Sandbox) -> App:
    return github.app(permissions={"organization_hooks": "write", "actions_variables": "write"})


def as_app(app: App) -> dict[str, str]:
    """Return the inputs that authenticate as the App."""
    return {"token": "", "client-id": app.client_id, "private-key": app.private_key}


def test_an_apps_installation_finds_repositories(
    github: Sandbox, receiver: Receiver, hook: Hook, app: App, missed: dict[str, str]
) -> None:
    app.install("acme", repositories=["acme/ops", "acme/shop", "acme/team-a"])

    run = run_action(github, hook, as_app(app), repositories="shop, team-*")
    hidden = run_action(github, hook, as_app(app), repositories="team-b")

    assert run.status == 0, run.visible
    assert redelivered(github, receiver, missed) == ["acme/shop", "acme/team-a"]
    assert {"metadata": "read"} in [dict(token.permissions) for token in app.tokens]
    assert hidden.status == 1
    assert (
        "cannot find repository acme/team-b: GitHub responded 404, Not Found. Check 'repositories' "
        "for a mistake. If there is none, the GitHub App is not installed there"
    ) in hidden.log


@pytest.fixture
def own_hook(github: Sandbox, app: App, receiver: Receiver) -> Hook:
    """Return the webhook of an App that is installed on an organization and on a user."""
    github.org("acme")
    for name in (*NAMES, "octocat/team-x"):
        github.repository(name)
    app.install("acme")
    app.install("octocat")
    return app.hook(receiver.url)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ("acme/shop, octocat/*", ["acme/shop", "octocat/team-x"]),
        ("acme/team-*, !acme/team-a", ["acme/Team-B"]),
        ("!octocat/team-x, !acme/*", []),
    ],
)
def test_an_apps_own_webhook_may_be_limited_to_repositories(
    github: Sandbox, receiver: Receiver, own_hook: Hook, app: App, entries: str, expected: list[str]
) -> None:
    missed = {
        miss_event(receiver, own_hook, {"repository": {"id": github.repository(name).id}}): name
        for name in (*NAMES, "octocat/team-x")
    }

    run = run_action(github, own_hook, as_app(app), repositories=entries)

    assert run.status == 0, run.visible
    assert redelivered(github, receiver, missed) == expected


@pytest.mark.parametrize("entries", ["nobody/shop", "nobody/*"])
def test_an_owner_without_an_installation_is_an_error(
    github: Sandbox, own_hook: Hook, app: App, entries: str
) -> None:
    run = run_action(github, own_hook, as_app(app), repositories=entries)

    assert run.status == 1
    assert (
        "cannot authenticate as the GitHub App's installation on nobody: GitHub responded 404, Not "
        "Found. Check 'repositories' for a mistake. If there is none, the GitHub App is not "
        "installed there"
    ) in run.log

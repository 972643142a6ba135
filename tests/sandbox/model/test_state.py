"""Organizations and repositories exist once a test names them, in any letter case."""

import pytest

from github_sandbox import Hook, Repository
from tests.sandbox.client import Client

VARIABLES = "/repos/acme/nowhere/actions/variables"


def test_an_organization_is_the_same_in_any_case(client: Client, recorded_hook: Hook) -> None:
    assert client.get(f"/orgs/ACME/hooks/{recorded_hook.id}").status_code == 200
    assert client.github.org("Acme").hook("http://127.0.0.1:9").org == "acme"


def test_a_hook_is_found_in_a_repository_in_any_case(client: Client, shop: Hook) -> None:
    assert client.get(f"/repos/Acme/SHOP/hooks/{shop.id}").status_code == 200


@pytest.mark.parametrize("name", ["Acme/OPS", "acme/ops"])
def test_a_repository_is_the_same_in_any_case(client: Client, ops: Repository, name: str) -> None:
    ops.variables["A"] = "1"

    assert client.get(f"/repos/{name}/actions/variables/A").status_code == 200
    assert client.github.repository(name).variables is ops.variables


def test_a_repository_that_no_test_named_does_not_exist(client: Client) -> None:
    assert client.get(f"{VARIABLES}/A").status_code == 404
    assert client.post(VARIABLES, json={"name": "A", "value": ""}).status_code == 404


def test_a_repository_needs_an_owner_in_its_name(client: Client) -> None:
    with pytest.raises(ValueError, match="owner/name"):
        client.github.repository("ops")

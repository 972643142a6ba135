"""The endpoints of Actions variables."""

from datetime import timedelta

import pytest

from github_sandbox import Repository, VirtualClock
from tests.sandbox.client import VARIABLES, Client


def test_a_variable_is_created_read_and_changed(
    client: Client, ops: Repository, clock: VirtualClock
) -> None:
    created = client.post(VARIABLES, json={"name": "LAST", "value": "1"})
    clock.advance(timedelta(minutes=1))
    changed = client.patch(f"{VARIABLES}/LAST", json={"value": "2"})

    assert (created.status_code, created.json()) == (201, {})
    assert (changed.status_code, changed.content) == (204, b"")
    assert client.get(f"{VARIABLES}/LAST").json() == {
        "name": "LAST",
        "value": "2",
        "created_at": "2026-01-10T00:00:00Z",
        "updated_at": "2026-01-10T00:01:00Z",
    }
    assert ops.variables == {"LAST": "2"}


def test_a_name_is_always_in_upper_case(client: Client, ops: Repository) -> None:
    client.post(VARIABLES, json={"name": "last", "value": "1"})

    assert ops.variables == {"LAST": "1"}
    assert client.get(f"{VARIABLES}/lAsT").json()["name"] == "LAST"
    assert client.post(VARIABLES, json={"name": "Last", "value": "1"}).status_code == 409
    assert client.patch(f"{VARIABLES}/lasT", json={"value": "2"}).status_code == 204
    assert ops.variables == {"LAST": "2"}


def test_a_test_can_set_variables_directly(client: Client, ops: Repository) -> None:
    ops.variables["LAST"] = "1"

    assert client.get(f"{VARIABLES}/LAST").json()["value"] == "1"


def test_a_test_can_replace_the_dictionary_of_variables(client: Client, ops: Repository) -> None:
    ops.variables = replacement = {"LAST": "1"}

    client.patch(f"{VARIABLES}/LAST", json={"value": "2"})

    assert replacement == {"LAST": "2"}
    assert client.github.repository("acme/ops").variables is replacement


def test_a_variable_that_a_test_set_was_created_long_ago(
    client: Client, ops: Repository, clock: VirtualClock
) -> None:
    ops.variables["LAST"] = "1"

    def times() -> tuple[str, str]:
        variable = client.get(f"{VARIABLES}/LAST").json()
        return variable["created_at"], variable["updated_at"]

    assert times() == ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z")
    clock.advance(timedelta(hours=1))
    client.patch(f"{VARIABLES}/LAST", json={"value": "2"})
    assert times() == ("2024-01-01T00:00:00Z", "2026-01-10T01:00:00Z")


def test_a_write_of_the_same_value_counts_as_an_update(
    client: Client, ops: Repository, clock: VirtualClock
) -> None:
    client.post(VARIABLES, json={"name": "LAST", "value": "1"})
    clock.advance(timedelta(hours=1))
    client.patch(f"{VARIABLES}/LAST", json={"value": "1"})

    assert ops.variables == {"LAST": "1"}
    assert client.get(f"{VARIABLES}/LAST").json()["updated_at"] == "2026-01-10T01:00:00Z"


def test_a_missing_variable_is_not_found(client: Client, ops: Repository) -> None:
    assert client.get(f"{VARIABLES}/LAST").status_code == 404
    assert client.patch(f"{VARIABLES}/LAST", json={"value": "2"}).status_code == 404
    assert ops.variables == {}


def test_an_existing_variable_is_not_created_again(client: Client, ops: Repository) -> None:
    ops.variables["LAST"] = "1"

    assert client.post(VARIABLES, json={"name": "LAST", "value": "2"}).status_code == 409
    assert ops.variables == {"LAST": "1"}


def test_a_variable_can_be_renamed_but_not_over_another(client: Client, ops: Repository) -> None:
    ops.variables.update(OLD="1", TAKEN="2")

    assert client.patch(f"{VARIABLES}/OLD", json={"name": "taken"}).status_code == 409
    assert client.patch(f"{VARIABLES}/OLD", json={"name": "new"}).status_code == 204
    assert ops.variables == {"NEW": "1", "TAKEN": "2"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({"name": "2ND", "value": ""}, 422, id="starts with a digit"),
        pytest.param({"name": "github_x", "value": ""}, 422, id="starts with GITHUB_"),
        pytest.param({"name": "A-B", "value": ""}, 422, id="a hyphen"),
        pytest.param({"name": "", "value": ""}, 422, id="an empty name"),
        pytest.param({"value": ""}, 422, id="no name"),
        pytest.param({"name": "A"}, 422, id="no value"),
        pytest.param({"name": "A", "value": 1}, 422, id="a number as value"),
        pytest.param({"name": "A", "value": "é" * 24_577}, 422, id="more than 48 KB"),
        pytest.param({"name": "A", "value": "é" * 24_576}, 201, id="48 KB"),
        pytest.param(["A"], 400, id="a list"),
    ],
)
def test_a_variable_is_created_only_if_it_is_valid(
    client: Client, ops: Repository, body: object, status: int
) -> None:
    response = client.post(VARIABLES, json=body)

    assert response.status_code == status
    assert bool(ops.variables) is (status == 201)


def test_a_value_that_is_too_large_does_not_replace_another(
    client: Client, ops: Repository
) -> None:
    ops.variables["LAST"] = "1"

    too_large = {"value": "x" * 50_000}

    assert client.patch(f"{VARIABLES}/LAST", json=too_large).status_code == 422
    assert ops.variables == {"LAST": "1"}


def test_a_body_that_is_not_json_is_a_bad_request(client: Client, ops: Repository) -> None:
    response = client.post(VARIABLES, data=b"{")

    assert (response.status_code, response.json()["message"]) == (400, "Problems parsing JSON")
    assert ops.variables == {}


def test_variables_are_listed_by_name_ten_per_page(client: Client, ops: Repository) -> None:
    ops.variables.update({f"V{number:02}": "" for number in range(12)})

    first = client.get(VARIABLES)
    second = client.get(first.links["next"]["url"])

    assert first.json()["total_count"] == 12
    rows = first.json()["variables"] + second.json()["variables"]
    assert [row["name"] for row in rows] == sorted(ops.variables)


def test_a_page_has_at_most_thirty_variables(client: Client, ops: Repository) -> None:
    """A request for more per page gets thirty."""
    ops.variables.update({f"V{number:02}": "" for number in range(32)})

    first = client.get(VARIABLES, params={"per_page": 100})
    second = client.get(first.links["next"]["url"])

    assert [len(page.json()["variables"]) for page in (first, second)] == [30, 2]

"""The recording of requests and responses for `make contract`."""

from pathlib import Path

import pytest
import requests

from github_sandbox import Dropped, Hook, Status
from github_sandbox.recording import DIRECTORY_VARIABLE, Exchange, read_exchanges
from tests.sandbox.client import TOKEN, VARIABLES, Client, deliveries


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    return tmp_path


def only_exchange(directory: Path) -> Exchange:
    [exchange] = read_exchanges(directory)
    return exchange


def test_request_and_response_are_recorded_without_the_token(
    client: Client, recorded_hook: Hook, directory: Path
) -> None:
    response = client.post(f"/api/v3{deliveries(recorded_hook)}/7/attempts", json={"a": 1})

    exchange = only_exchange(directory)
    assert (exchange.method, exchange.path) == ("POST", f"{deliveries(recorded_hook)}/7/attempts")
    assert exchange.body == '{"a": 1}'
    assert exchange.headers["content-type"] == "application/json"
    assert (exchange.status, exchange.response_body) == (404, response.text)
    assert exchange.response_headers["content-type"].startswith("application/json")
    assert TOKEN not in str(exchange)


def test_the_response_of_a_fault_is_not_recorded(
    client: Client, recorded_hook: Hook, directory: Path
) -> None:
    """The request is recorded."""
    client.github.inject(Status(502))

    assert client.get(deliveries(recorded_hook), params={"per_page": 7}).status_code == 502

    assert only_exchange(directory).query == {"per_page": "7"}
    assert only_exchange(directory).status is None


def test_a_page_with_a_raw_row_is_not_recorded(
    client: Client, recorded_hook: Hook, directory: Path
) -> None:
    """The contract is for GitHub's own rows."""
    recorded_hook.record_raw(None)

    assert client.get(deliveries(recorded_hook)).json() == [None]

    assert only_exchange(directory).status is None


def test_a_dropped_request_is_recorded_without_a_response(
    client: Client, recorded_hook: Hook, directory: Path
) -> None:
    client.github.inject(Dropped())

    with pytest.raises(requests.ConnectionError):
        client.get(deliveries(recorded_hook))

    assert only_exchange(directory).status is None


def test_an_exception_in_the_sandbox_is_recorded_as_500(
    client: Client, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(client.github.repository("acme/ops").variables, "A", object())

    assert client.get(f"{VARIABLES}/A").status_code == 500

    assert only_exchange(directory).status == 500


def test_nothing_is_recorded_without_the_variable(
    client: Client, recorded_hook: Hook, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DIRECTORY_VARIABLE)

    client.get(deliveries(recorded_hook))

    assert not list(directory.iterdir())

"""Tests of the comparison itself, with a small description of our own.

These tests do not need GitHub's own descriptions, which come from npm.
"""

import json
from dataclasses import replace

import pytest

from github_sandbox.recording import Exchange
from tests.contract.conformance import request_problems, response_problems
from tests.contract.contract import Comparison, Contract
from tests.contract.description import FIRST_VERSION, Json, Operation, operations, versions

LATER_VERSION = "2026-03-10"


def ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def json_response(schema: Json) -> Json:
    return {"description": "Response", "content": {"application/json": {"schema": schema}}}


PARAMETERS: Json = {
    "owner": {"name": "owner", "in": "path", "required": True, "schema": {"type": "string"}},
    "size": {"name": "size", "in": "query", "schema": {"type": "integer"}},
}


def a_description(**permissions: Json) -> Json:
    thing = {
        "type": "object",
        "required": ["id", "old"],
        "properties": {
            "id": {"type": "integer", "description": "A number", "example": 7},
            "description": {"type": "string"},
            "old": {"type": "boolean"},
        },
        "x-github-breaking-changes": [
            {"version": LATER_VERSION, "patch": {"properties": {"old": None}, "required": ["id"]}}
        ],
    }
    error = {"type": "object", "properties": {"message": {"type": "string"}}}
    listing = {
        "operationId": "list",
        "description": "Lists things.",
        "parameters": [ref("parameters", "owner"), ref("parameters", "size")],
        "responses": {"200": json_response({"type": "array", "items": ref("schemas", "thing")})},
    }
    change = {
        "operationId": "change",
        "parameters": [ref("parameters", "owner")],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object", "properties": {"id": {"type": "integer"}}}
                }
            },
        },
        "responses": {"204": {"description": "Done"}},
    }
    return {
        "paths": {"/owners/{owner}/things": {"get": listing, "patch": change}},
        "components": {
            "schemas": {
                "thing": thing,
                "basic-error": error,
                "app-permissions": {"type": "object", "properties": permissions},
            },
            "parameters": PARAMETERS,
        },
    }


def described_operations(version: str = FIRST_VERSION) -> dict[str, Operation]:
    return operations(a_description(), version, ["list", "change"])


LIST = described_operations()["list"].document
CHANGE = described_operations()["change"].document

JSON_CONTENT = {"content-type": "application/json; charset=utf-8"}
HEADERS = {"x-github-api-version": FIRST_VERSION, "user-agent": "redeliver/0"}
LISTED = Exchange(
    method="GET",
    path="/owners/acme/things",
    query={"size": "7"},
    headers=HEADERS,
    body="",
    status=200,
    response_headers=JSON_CONTENT,
    response_body=json.dumps([{"id": 7, "old": True, "description": "a field of that name"}]),
)
CHANGED = replace(
    LISTED,
    method="PATCH",
    query={},
    headers=HEADERS | JSON_CONTENT,
    body='{"id": 7}',
    status=204,
    response_body="",
)


def responding(status: int, body: object, exchange: Exchange = LISTED) -> Exchange:
    return replace(exchange, status=status, response_body=json.dumps(body))


def test_the_parts_of_a_schema_share_their_fields() -> None:
    description = a_description()
    items = {"allOf": [ref("schemas", "thing"), {"properties": {"more": {"type": "string"}}}]}
    listing = description["paths"]["/owners/{owner}/things"]["get"]
    listing["responses"] = {"200": json_response({"type": "array", "items": items})}
    document = operations(description, FIRST_VERSION, ["list"])["list"].document

    thing = {"id": 7, "old": True, "more": "text"}
    assert response_problems(responding(200, [thing]), document) == []
    assert response_problems(responding(200, [thing | {"other": 1}]), document) != []
    assert response_problems(responding(200, [{"more": "text"}]), document) != []


def test_an_exchange_that_conforms_has_no_problem() -> None:
    assert request_problems(LISTED, LIST) == response_problems(LISTED, LIST) == []
    assert request_problems(CHANGED, CHANGE) == response_problems(CHANGED, CHANGE) == []


@pytest.mark.parametrize(
    ("request_", "document", "problem"),
    [
        pytest.param(
            replace(LISTED, query={"sise": "7"}), LIST, "sise", id="unknown query parameter"
        ),
        pytest.param(
            replace(LISTED, query={"size": "x"}), LIST, "size", id="wrong type of query parameter"
        ),
        pytest.param(replace(CHANGED, body='{"id": "7"}'), CHANGE, "7", id="wrong type of field"),
        pytest.param(replace(CHANGED, body='{"ID": 7}'), CHANGE, "ID", id="unknown field"),
        pytest.param(replace(CHANGED, body=""), CHANGE, "body", id="missing body"),
        pytest.param(replace(LISTED, headers={}), LIST, "names no version", id="missing version"),
        pytest.param(replace(LISTED, body="{}"), LIST, "has a body", id="unexpected body"),
    ],
)
def test_a_request_that_deviates_has_a_problem(
    request_: Exchange, document: str, problem: str
) -> None:
    [found] = request_problems(request_, document)

    assert problem in found


@pytest.mark.parametrize(
    ("exchange", "document", "problem"),
    [
        pytest.param(responding(200, [{"id": 7}]), LIST, "'old' is a required", id="missing field"),
        pytest.param(responding(200, [{"id": 0.5, "old": True}]), LIST, "0.5", id="wrong type"),
        pytest.param(
            responding(200, [{"id": 7, "old": True, "new": 1}]), LIST, "'new'", id="unknown field"
        ),
        pytest.param(responding(201, []), LIST, "201", id="unknown status"),
        pytest.param(responding(418, {"message": "No"}), LIST, "418", id="unknown error status"),
        pytest.param(
            responding(404, {"message": 404}), LIST, "404", id="wrong type of error message"
        ),
        pytest.param(responding(404, {}), LIST, "no error message", id="missing error message"),
        pytest.param(responding(204, {}, CHANGED), CHANGE, "has a body", id="unexpected body"),
        pytest.param(
            replace(LISTED, response_headers={"content-type": "text/html"}),
            LIST,
            "text/html",
            id="HTML",
        ),
    ],
)
def test_a_response_that_deviates_has_a_problem(
    exchange: Exchange, document: str, problem: str
) -> None:
    [found] = response_problems(exchange, document)

    assert problem in found


def test_an_error_response_may_have_undescribed_fields() -> None:
    error = responding(404, {"message": "Not Found", "hint": "look elsewhere"})

    assert response_problems(error, LIST) == []


def test_a_later_version_of_the_api_has_its_changes() -> None:
    without_old = responding(200, [{"id": 7}])
    later = described_operations(LATER_VERSION)

    assert versions(a_description()) == [FIRST_VERSION, LATER_VERSION]
    assert response_problems(without_old, later["list"].document) == []
    assert response_problems(LISTED, later["list"].document) != []
    assert later["change"] == described_operations()["change"], (
        "equal operations have equal documents"
    )


def test_an_operation_matches_its_own_method_and_path() -> None:
    operation = described_operations()["list"]

    assert operation.matches("GET", "/owners/acme/things")
    assert not operation.matches("PATCH", "/owners/acme/things")
    assert not operation.matches("GET", "/owners/acme/corp/things")


def test_a_description_that_lacks_an_operation_is_an_error() -> None:
    with pytest.raises(LookupError, match="no operation lost"):
        operations(a_description(), FIRST_VERSION, ["list", "lost"])


def test_the_error_names_the_product_that_lacks_an_operation() -> None:
    lacking = a_description()
    del lacking["paths"]["/owners/{owner}/things"]["patch"]

    with pytest.raises(LookupError, match="older: the description has no operation change"):
        Contract(
            {"newer": a_description(), "older": lacking},
            requested_by_redeliver=["list"],
            requested_by_others=["change"],
        )


def test_the_added_permission_is_an_error_once_all_describe_it() -> None:
    names = {"requested_by_redeliver": ["list"], "requested_by_others": ["change"]}
    without, described = a_description(), a_description(actions_variables={"type": "string"})

    Contract({"newer": described, "older": without}, **names)
    with pytest.raises(LookupError, match="delete VARIABLES_PERMISSION"):
        Contract({"newer": described, "older": described}, **names)


def test_a_described_permission_is_not_replaced() -> None:
    described = a_description(actions_variables={"type": "integer"})
    thing = described["components"]["schemas"]["thing"]
    thing["properties"]["permissions"] = ref("schemas", "app-permissions")
    document = operations(described, FIRST_VERSION, ["list"])["list"].document
    item = {"id": 7, "old": True, "permissions": {"actions_variables": 1}}

    assert response_problems(responding(200, [item]), document) == []


# Two products: one has a later version of the API, the other does not.

OLDER = a_description()
del OLDER["components"]["schemas"]["thing"]["x-github-breaking-changes"]
OTHER_CLIENT = HEADERS | {"user-agent": "curl/8"}
CHANGED_BY_OTHERS = replace(CHANGED, headers=OTHER_CLIENT | JSON_CONTENT)
LATER_HEADERS = HEADERS | {"x-github-api-version": LATER_VERSION}


def compare(*exchanges: Exchange) -> Comparison:
    contract = Contract(
        {"newer": a_description(), "older": OLDER},
        requested_by_redeliver=["list"],
        requested_by_others=["change"],
    )
    return contract.compare(exchanges)


def test_exchanges_are_counted_by_operation_and_product() -> None:
    comparison = compare(LISTED, LISTED, CHANGED_BY_OTHERS)

    assert not comparison.problems
    assert comparison.compared["list", "newer"] == comparison.compared["list", "older"] == 2
    assert comparison.by_redeliver["list", "older"] == 2
    assert comparison.by_redeliver["change", "older"] == 0


def test_a_response_is_compared_in_the_requested_version() -> None:
    without_old = replace(responding(200, [{"id": 7}]), headers=LATER_HEADERS)

    assert not compare(LISTED, without_old, CHANGED_BY_OTHERS).problems


@pytest.mark.parametrize(
    ("exchanges", "problem"),
    [
        pytest.param(
            [responding(404, {"message": "Not Found"}), CHANGED_BY_OTHERS],
            "older: list: no successful exchange of redeliver",
            id="only error responses",
        ),
        pytest.param(
            [replace(LISTED, headers=OTHER_CLIENT), CHANGED_BY_OTHERS],
            "newer: list: no successful exchange of redeliver",
            id="only requested by others",
        ),
        pytest.param(
            [replace(responding(200, [{"id": 7}]), headers=LATER_HEADERS), CHANGED_BY_OTHERS],
            "older: list: no successful exchange of redeliver",
            id="only in a version that a product lacks",
        ),
        pytest.param(
            [LISTED, replace(CHANGED_BY_OTHERS, status=None)],
            "newer: change: no successful exchange",
            id="no response",
        ),
        pytest.param(
            [LISTED, CHANGED, CHANGED_BY_OTHERS],
            "newer: change: redeliver requests it, so it is in the wrong list",
            id="requested by redeliver as well",
        ),
        pytest.param(
            [LISTED, CHANGED_BY_OTHERS, responding(200, [{}])],
            "newer, older: list: GET /owners/acme/things, 200: 'id' is a required property: "
            "Failed validating 'required' in schema['items']:",
            id="a response that deviates",
        ),
        pytest.param(
            [LISTED, CHANGED_BY_OTHERS, replace(LISTED, path="/elsewhere", status=404)],
            "GET /elsewhere, 404: tests/contract lists no such operation",
            id="redeliver requests an unknown operation",
        ),
        pytest.param(
            [LISTED, CHANGED_BY_OTHERS, replace(LISTED, path="/elsewhere", headers=OTHER_CLIENT)],
            "GET /elsewhere, 200: tests/contract lists no such operation",
            id="the sandbox has an unknown operation",
        ),
    ],
)
def test_a_deviation_or_a_gap_is_a_problem(exchanges: list[Exchange], problem: str) -> None:
    assert problem in compare(*exchanges).problems


def test_an_unknown_request_by_others_may_be_refused() -> None:
    refused = replace(LISTED, path="/elsewhere", headers=OTHER_CLIENT, status=404)
    comparison = compare(LISTED, CHANGED_BY_OTHERS, refused)

    assert not comparison.problems
    assert comparison.unknown == 1

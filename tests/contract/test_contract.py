"""The contract's own tests, with a description of ours, for GitHub's is not always at hand."""

import json
from dataclasses import replace
from typing import Any

import pytest

from github_sandbox.recording import Exchange
from tests.contract.conformance import problems_of_answer, problems_of_request
from tests.contract.contract import Contract, Verdict
from tests.contract.description import FIRST_VERSION, Operation, operations, versions

LATER = "2026-03-10"


def ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def in_json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "Response", "content": {"application/json": {"schema": schema}}}


def a_description(**permissions: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    things = {
        "type": "object",
        "required": ["id", "old"],
        "properties": {
            "id": {"type": "integer", "description": "A number", "example": 7},
            "description": {"type": "string"},
            "old": {"type": "boolean"},
        },
        "x-github-breaking-changes": [
            {"version": LATER, "patch": {"properties": {"old": None}, "required": ["id"]}}
        ],
    }
    error = {"type": "object", "properties": {"message": {"type": "string"}}}
    listing = {
        "operationId": "list",
        "description": "Lists things.",
        "parameters": [ref("parameters", "owner"), ref("parameters", "size")],
        "responses": {"200": in_json({"type": "array", "items": ref("schemas", "thing")})},
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
        "paths": {"/of/{owner}/things": {"get": listing, "patch": change}},
        "components": {
            "schemas": {
                "thing": things,
                "basic-error": error,
                "app-permissions": {"type": "object", "properties": permissions},
            },
            "parameters": {
                "owner": {
                    "name": "owner",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string"},
                },
                "size": {"name": "size", "in": "query", "schema": {"type": "integer"}},
            },
        },
    }


def cut_out(version: str = FIRST_VERSION) -> dict[str, Operation]:
    return operations(a_description(), version, ["list", "change"])


LIST = cut_out()["list"].document
CHANGE = cut_out()["change"].document

AS_JSON = {"content-type": "application/json; charset=utf-8"}
HEADERS = {"x-github-api-version": FIRST_VERSION, "user-agent": "redeliver/0"}
LISTED = Exchange(
    method="GET",
    path="/of/acme/things",
    query={"size": "7"},
    headers=HEADERS,
    body="",
    status=200,
    answer_headers=AS_JSON,
    answer=json.dumps([{"id": 7, "old": True, "description": "a field of that name"}]),
)
CHANGED = replace(
    LISTED,
    method="PATCH",
    query={},
    headers=HEADERS | AS_JSON,
    body='{"id": 7}',
    status=204,
    answer="",
)


def answered(status: int, answer: object, exchange: Exchange = LISTED) -> Exchange:
    return replace(exchange, status=status, answer=json.dumps(answer))


def test_what_is_as_described_has_no_problem() -> None:
    assert problems_of_request(LISTED, LIST) == problems_of_answer(LISTED, LIST) == []
    assert problems_of_request(CHANGED, CHANGE) == problems_of_answer(CHANGED, CHANGE) == []


@pytest.mark.parametrize(
    ("request_", "document", "problem"),
    [
        pytest.param(replace(LISTED, query={"sise": "7"}), LIST, "sise", id="no such parameter"),
        pytest.param(replace(LISTED, query={"size": "x"}), LIST, "size", id="no number"),
        pytest.param(replace(CHANGED, body='{"id": "7"}'), CHANGE, "7", id="another type"),
        pytest.param(replace(CHANGED, body='{"ID": 7}'), CHANGE, "ID", id="no such field"),
        pytest.param(replace(CHANGED, body=""), CHANGE, "body", id="no body"),
        pytest.param(replace(LISTED, headers={}), LIST, "names no version", id="no version"),
        pytest.param(replace(LISTED, body="{}"), LIST, "with a body", id="a body where none is"),
    ],
)
def test_a_request_that_github_does_not_describe_so(
    request_: Exchange, document: str, problem: str
) -> None:
    [told] = problems_of_request(request_, document)

    assert problem in told


@pytest.mark.parametrize(
    ("exchange", "document", "problem"),
    [
        pytest.param(answered(200, [{"id": 7}]), LIST, "'old' is a required", id="a field lacks"),
        pytest.param(answered(200, [{"id": 0.5, "old": True}]), LIST, "0.5", id="another type"),
        pytest.param(
            answered(200, [{"id": 7, "old": True, "new": 1}]), LIST, "'new'", id="made up"
        ),
        pytest.param(answered(201, []), LIST, "201", id="another status"),
        pytest.param(answered(418, {"message": "No"}), LIST, "418", id="no such refusal"),
        pytest.param(answered(404, {"message": 404}), LIST, "404", id="a refusal of no form"),
        pytest.param(answered(404, {}), LIST, "say why", id="a refusal without a word"),
        pytest.param(answered(204, {}, CHANGED), CHANGE, "has a body", id="a body where none is"),
        pytest.param(
            replace(LISTED, answer_headers={"content-type": "text/html"}),
            LIST,
            "text/html",
            id="no JSON",
        ),
    ],
)
def test_an_answer_that_github_does_not_describe_so(
    exchange: Exchange, document: str, problem: str
) -> None:
    [told] = problems_of_answer(exchange, document)

    assert problem in told


def test_to_a_refusal_github_may_add_what_it_does_not_describe() -> None:
    refused = answered(404, {"message": "Not Found", "hint": "look elsewhere"})

    assert problems_of_answer(refused, LIST) == []


def test_a_later_version_of_the_api_has_its_changes() -> None:
    lean = answered(200, [{"id": 7}])
    later = cut_out(LATER)

    assert versions(a_description()) == [FIRST_VERSION, LATER]
    assert problems_of_answer(lean, later["list"].document) == []
    assert problems_of_answer(LISTED, later["list"].document) != []
    assert later["change"] == cut_out()["change"], "what is the same is the same text"


def test_an_operation_is_known_by_its_method_and_its_path() -> None:
    listing = cut_out()["list"]

    assert listing.is_asked("GET", "/of/acme/things")
    assert not listing.is_asked("PATCH", "/of/acme/things")
    assert not listing.is_asked("GET", "/of/acme/corp/things")


def test_a_description_without_an_operation_is_told() -> None:
    with pytest.raises(LookupError, match="there is no lost"):
        operations(a_description(), FIRST_VERSION, ["list", "lost"])


def test_what_the_descriptions_forget_is_added_only_as_long_as_they_do() -> None:
    with pytest.raises(LookupError, match="VARIABLES_PERMISSION can go"):
        operations(a_description(actions_variables={}), FIRST_VERSION, ["list"])


# All that was said, of two products: one knows a later version of the API, the other does not.

OLDER = a_description()
del OLDER["components"]["schemas"]["thing"]["x-github-breaking-changes"]
BY_ANOTHER = HEADERS | {"user-agent": "curl/8"}
CHANGED_BY_ANOTHER = replace(CHANGED, headers=BY_ANOTHER | AS_JSON)
IN_LATER = HEADERS | {"x-github-api-version": LATER}


def judged(*exchanges: Exchange) -> Verdict:
    contract = Contract(
        {"newer": a_description(), "older": OLDER},
        asked_by_us=["list"],
        asked_by_others=["change"],
    )
    return contract.judge(exchanges)


def test_what_was_said_as_described_is_counted() -> None:
    verdict = judged(LISTED, LISTED, CHANGED_BY_ANOTHER)

    assert not verdict.wrong
    assert verdict.checked["list", "newer"] == verdict.checked["list", "older"] == 2
    assert (verdict.ours["list", "older"], verdict.ours["change", "older"]) == (2, 0)


def test_an_answer_is_held_to_the_version_that_was_asked_for() -> None:
    lean = replace(answered(200, [{"id": 7}]), headers=IN_LATER)

    assert not judged(LISTED, lean, CHANGED_BY_ANOTHER).wrong


@pytest.mark.parametrize(
    ("exchanges", "problem"),
    [
        pytest.param(
            [answered(404, {"message": "Not Found"}), CHANGED_BY_ANOTHER],
            "older: list: no exchange of redeliver's that went well",
            id="only refused",
        ),
        pytest.param(
            [replace(LISTED, headers=BY_ANOTHER), CHANGED_BY_ANOTHER],
            "newer: list: no exchange of redeliver's that went well",
            id="only asked by others",
        ),
        pytest.param(
            [replace(answered(200, [{"id": 7}]), headers=IN_LATER), CHANGED_BY_ANOTHER],
            "older: list: no exchange of redeliver's that went well",
            id="only in a version that a product does not know",
        ),
        pytest.param(
            [LISTED, replace(CHANGED_BY_ANOTHER, status=None)],
            "newer: change: no exchange that went well",
            id="never answered",
        ),
        pytest.param(
            [LISTED, CHANGED, CHANGED_BY_ANOTHER],
            "newer: change: is asked by redeliver, and listed as by others",
            id="asked by us as well",
        ),
        pytest.param(
            [LISTED, CHANGED_BY_ANOTHER, answered(200, [{}])],
            "newer, older: list: GET /of/acme/things, 200: 'id' is a required property: "
            "Failed validating 'required' in schema['items']:",
            id="not as described",
        ),
        pytest.param(
            [LISTED, CHANGED_BY_ANOTHER, replace(LISTED, path="/elsewhere", status=404)],
            "GET /elsewhere, 404: GitHub has no such operation",
            id="asked by us, and there is none",
        ),
        pytest.param(
            [LISTED, CHANGED_BY_ANOTHER, replace(LISTED, path="/elsewhere", headers=BY_ANOTHER)],
            "GET /elsewhere, 200: GitHub has no such operation",
            id="answered, and there is none",
        ),
    ],
)
def test_what_is_wrong_is_told(exchanges: list[Exchange], problem: str) -> None:
    assert problem in judged(*exchanges).wrong


def test_who_asks_for_what_there_is_not_is_refused_and_that_is_well() -> None:
    refused = replace(LISTED, path="/elsewhere", headers=BY_ANOTHER, status=404)
    verdict = judged(LISTED, CHANGED_BY_ANOTHER, refused)

    assert not verdict.wrong
    assert verdict.unknown == 1

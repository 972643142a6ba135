"""Whether a request and its answer are as GitHub describes the operation."""

import json
from functools import cache

from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue

from github_sandbox.recording import Exchange
from tests.contract.description import SERVER, Json

REFUSED = 400
"""From this status on an answer is a refusal."""


def problems_of_request(exchange: Exchange, document: str) -> list[str]:
    """Say what GitHub does not know of, or not so, in what was asked."""
    described = _described(document)
    unknown = exchange.query.keys() - described.query
    problems = [f"asks with {name}, which there is not" for name in sorted(unknown)]
    if "x-github-api-version" not in exchange.headers:
        problems.append("names no version of the API")
    if exchange.body and not described.takes_a_body:
        problems.append("asks with a body")
    try:
        described.strict.validate_request(_request(exchange))
    except OpenAPIError as error:
        problems += _told(error)
    return problems


def problems_of_answer(exchange: Exchange, document: str) -> list[str]:
    """Say what GitHub would not answer, or not so."""
    status = exchange.status or 0
    described = _described(document)
    # To a refusal GitHub may add more than it describes, and does.
    rules = described.strict if status < REFUSED else described.lenient
    content_type, _, _ = exchange.answer_headers.get("content-type", "").partition(";")
    answer = MockResponse(exchange.answer.encode(), status, exchange.answer_headers, content_type)
    try:
        rules.validate_response(_request(exchange), answer)
    except OpenAPIError as error:
        return _told(error)
    if exchange.answer and str(status) in described.silent:
        return ["has a body"]
    if status >= REFUSED and not json.loads(exchange.answer).get("message"):
        return ["does not say why"]  # of which the description only says that GitHub may
    return []


class _Described:
    """An operation, ready to be compared with."""

    def __init__(self, document: str) -> None:
        content: Json = json.loads(document)
        ((item,),) = (item.values() for item in content["paths"].values())

        def found(node: Json) -> Json:
            """Follow a reference, if it is one."""
            if "$ref" not in node:
                return node
            _, _, kind, name = node["$ref"].split("/")
            component: Json = content["components"][kind][name]
            return component

        parameters = [found(each) for each in item.get("parameters", ())]
        self.takes_a_body = "requestBody" in item
        self.query = {each["name"] for each in parameters if each["in"] == "query"}
        self.silent = {
            status for status, each in item["responses"].items() if "content" not in found(each)
        }
        # What is not described is a slip, or made up.
        config = Config(additional_properties_default_policy="forbid")
        self.strict = OpenAPI.from_dict(content, config=config)
        self.lenient = OpenAPI.from_dict(content)


_described = cache(_Described)


def _request(exchange: Exchange) -> MockRequest:
    content_type, _, _ = exchange.headers.get("content-type", "").partition(";")
    return MockRequest(
        SERVER,
        exchange.method,
        exchange.path,
        args=exchange.query,
        headers=exchange.headers,
        data=exchange.body.encode(),
        content_type=content_type,
    )


def _told(error: OpenAPIError) -> list[str]:
    cause = error.__cause__
    if isinstance(cause, InvalidSchemaValue):
        # The first paragraph says what is wrong, the first line of the second by which rule.
        paragraphs = [str(each).split("\n\n") for each in cause.schema_errors]
        return [f"{what}: {rule.splitlines()[0]}" for what, rule, *_ in paragraphs]
    return [f"{error}" + (f" ({cause})" if cause else "")]

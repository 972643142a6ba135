"""Compare one request and its response with GitHub's description of the operation."""

import json
from functools import cache

from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue

from github_sandbox.recording import Exchange
from tests.contract.description import SERVER, Json

FIRST_ERROR_STATUS = 400


def request_problems(exchange: Exchange, document: str) -> list[str]:
    """Return how the request deviates from the operation that `document` describes."""
    operation = _described(document)
    unknown = exchange.query.keys() - operation.query_parameters
    problems = [f"has a query parameter {name}, which is unknown" for name in sorted(unknown)]
    if "x-github-api-version" not in exchange.headers:
        problems.append("names no version of the API")
    if exchange.body and not operation.takes_a_body:
        problems.append("has a body, which the operation does not take")
    try:
        operation.strict.validate_request(_openapi_request(exchange))
    except OpenAPIError as error:
        problems += _messages(error)
    return problems


def response_problems(exchange: Exchange, document: str) -> list[str]:
    """Return how the response deviates from the operation that `document` describes."""
    status = exchange.status or 0
    is_error = status >= FIRST_ERROR_STATUS
    operation = _described(document)
    # GitHub's error responses have fields that it does not describe.
    rules = operation.lenient if is_error else operation.strict
    content_type, _, _ = exchange.response_headers.get("content-type", "").partition(";")
    response = MockResponse(
        exchange.response_body.encode(), status, exchange.response_headers, content_type
    )
    try:
        rules.validate_response(_openapi_request(exchange), response)
    except OpenAPIError as error:
        return _messages(error)
    if exchange.response_body and str(status) in operation.statuses_without_body:
        return ["has a body"]
    # The description leaves `message` optional.
    if is_error and not json.loads(exchange.response_body).get("message"):
        return ["has no error message"]
    return []


class _Described:
    """An operation, parsed for comparisons."""

    def __init__(self, document: str) -> None:
        content: Json = json.loads(document)
        ((operation,),) = (methods.values() for methods in content["paths"].values())

        def resolve(node: Json) -> Json:
            """Follow a reference, if `node` is one."""
            if "$ref" not in node:
                return node
            _, _, kind, name = node["$ref"].split("/")
            component: Json = content["components"][kind][name]
            return component

        parameters = [resolve(parameter) for parameter in operation.get("parameters", ())]
        self.takes_a_body = "requestBody" in operation
        self.query_parameters = {p["name"] for p in parameters if p["in"] == "query"}
        self.statuses_without_body = {
            status
            for status, response in operation["responses"].items()
            if "content" not in resolve(response)
        }
        # A field without a description is misspelt or invented.
        config = Config(additional_properties_default_policy="forbid")
        self.strict = OpenAPI.from_dict(content, config=config)
        self.lenient = OpenAPI.from_dict(content)


_described = cache(_Described)


def _openapi_request(exchange: Exchange) -> MockRequest:
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


def _messages(error: OpenAPIError) -> list[str]:
    cause = error.__cause__
    if isinstance(cause, InvalidSchemaValue):
        # The first paragraph is the problem. The second begins with the rule.
        paragraphs = [str(schema_error).split("\n\n") for schema_error in cause.schema_errors]
        return [f"{problem}: {rule.splitlines()[0]}" for problem, rule, *_ in paragraphs]
    return [f"{error}" + (f" ({cause})" if cause else "")]

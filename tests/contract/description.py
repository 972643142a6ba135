"""Cut single operations out of GitHub's descriptions of its API.

A description is the OpenAPI document of one product. It has some ten megabytes; each operation
becomes a small OpenAPI document of its own.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

SERVER = "https://github.example"
"""The address of the API in these documents. The sandbox has another port in each test."""

FIRST_VERSION = "2022-11-28"
CHANGES = "x-github-breaking-changes"
"""The key under which an object lists how later versions of the API change it."""

PROSE = {"summary", "example", "examples", "externalDocs", "tags", "x-github", "x-octokit"}
"""Keys with text for people, which differs between products.

The text of a "description" is only emptied, because OpenAPI requires this key in some places.
"""

ERROR_RESPONSE = {
    "description": "",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/basic-error"}}},
}
"""The response of an operation with an error that its description leaves out."""

ERROR_STATUSES = ("400", "401", "403", "404")
"""Errors that every operation can respond with, although few descriptions list them.
https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

MORE_ERROR_STATUSES = {
    "actions/create-repo-variable": ("409", "422"),
    "actions/list-repo-variables": ("422",),
    "actions/update-repo-variable": ("409", "422"),
}
"""Errors that the descriptions leave out: 409 for a name that exists, 422 for invalid values."""

VARIABLES_PERMISSION = {"type": "string", "enum": ["read", "write"]}
"""An App's permission on Actions variables, for descriptions that leave it out.
https://github.com/github/rest-api-description/issues/5437
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of a product, in one version of its API."""

    method: str
    path: re.Pattern[str]
    document: str
    """An OpenAPI document with this operation alone. Equal operations have equal documents."""

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is for this operation."""
        return method == self.method and self.path.fullmatch(path) is not None


def versions(description: Json) -> list[str]:
    """Return the versions of the API that a product has, oldest first."""
    changes = (change for node in _objects(description) for change in node.get(CHANGES, ()))
    return [FIRST_VERSION, *sorted({change["version"] for change in changes})]


def operations(description: Json, version: str, names: Collection[str]) -> dict[str, Operation]:
    """Cut operations out of a description, by their ids; raise `LookupError` if one is missing."""
    components = _amended(description["components"])
    by_name = {
        operation["operationId"]: _cut_out(method, path, operation, components, version)
        for path, item in description["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and operation.get("operationId") in names
    }
    missing = set(names) - by_name.keys()
    if missing:
        raise LookupError(f"the description has no operation {', '.join(sorted(missing))}")
    return by_name


def has_variables_permission(description: Json) -> bool:
    """Whether a description has the permission that most leave out."""
    return (
        "actions_variables" in description["components"]["schemas"]["app-permissions"]["properties"]
    )


def _amended(components: Json) -> Json:
    """Add the permission that most descriptions leave out."""
    schemas = components["schemas"]
    permissions = schemas["app-permissions"]
    properties = {"actions_variables": VARIABLES_PERMISSION} | permissions["properties"]
    amended = permissions | {"properties": properties}
    return components | {"schemas": schemas | {"app-permissions": amended}}


def _cut_out(method: str, path: str, operation: Json, components: Json, version: str) -> Operation:
    statuses = (*ERROR_STATUSES, *MORE_ERROR_STATUSES.get(operation["operationId"], ()))
    errors = dict.fromkeys(statuses, ERROR_RESPONSE)
    operation = operation | {"responses": errors | operation["responses"]}
    operation = _in_version(_without_all_of(operation, components), version)
    document = {
        "openapi": "3.0.3",
        "info": {"title": "", "version": ""},
        "servers": [{"url": SERVER}],
        "paths": {path: {method: operation}},
        "components": _used_components(operation, components, version),
    }
    return Operation(
        method=method.upper(),
        path=re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))),
        document=json.dumps(document, sort_keys=True),
    )


def _without_all_of(node: Any, components: Json) -> Any:  # noqa: ANN401 - any JSON value
    """Merge the parts of each `allOf`: each part would forbid the fields of the others."""
    if isinstance(node, list):
        return [_without_all_of(item, components) for item in node]
    if not isinstance(node, dict):
        return node
    if "allOf" not in node:
        return {key: _without_all_of(value, components) for key, value in node.items()}
    merged: Json = {}
    for part in node["allOf"]:
        _, _, kind, name = part.get("$ref", "///").split("/")
        merged = _merged(merged, components[kind][name] if kind else part)
    return merged


def _used_components(operation: Json, components: Json, version: str) -> Json:
    """Return the components that an operation refers to, directly or through others."""
    used: dict[str, Json] = {}
    to_search = [operation]
    while to_search:
        for node in _objects(to_search.pop()):
            match node.get("$ref"):
                case str(reference):
                    _, _, kind, name = reference.split("/")
                    of_kind = used.setdefault(kind, {})
                    if name not in of_kind:
                        of_kind[name] = _in_version(components[kind][name], version)
                        to_search.append(of_kind[name])
    return used


def _in_version(node: Any, version: str, *, are_fields: bool = False) -> Any:  # noqa: ANN401 - any JSON value
    """Remove the text for people, and apply the changes up to a version.

    With `are_fields`, the keys of `node` are names of fields, and "description" can be one.
    """
    if isinstance(node, list):
        return [_in_version(item, version) for item in node]
    if not isinstance(node, dict):
        return node
    result = {
        key: ""
        if key == "description" and not are_fields
        else _in_version(value, version, are_fields=key == "properties" and not are_fields)
        for key, value in node.items()
        if are_fields or key not in PROSE | {CHANGES}
    }
    for change in node.get(CHANGES, ()):
        if change["version"] <= version:
            if isinstance(change["patch"], list):
                raise NotImplementedError("a change that is a JSON Patch (RFC 6902)")
            result = _merged(result, change["patch"])
    return result


def _merged(target: Any, patch: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Apply a JSON Merge Patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


def _objects(node: object) -> Iterator[Json]:
    """Yield every object in a document."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from _objects(value)

"""What GitHub's description of its API says of one operation, cut out so that it stands alone.

Pure. A description is the OpenAPI document of one product, as npm's @octokit/openapi has it.
https://github.com/github/rest-api-description
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

SERVER = "https://github.example"
"""Where a cut-out says that the API is; the sandbox has it at another port each time."""

FIRST_VERSION = "2022-11-28"
CHANGES = "x-github-breaking-changes"
"""Where a description says what is different in a later version of the API."""

PROSE = {"summary", "example", "examples", "externalDocs", "tags", "x-github", "x-octokit"}
"""What a description says to people alone, and in other words for each product. Its own
"description"s are only emptied, for OpenAPI asks for some."""

REFUSAL = {
    "description": "",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/basic-error"}}},
}
"""How anything may be refused."""

REFUSALS = ("400", "401", "403", "404")
"""What any operation may answer, although few descriptions say so.
https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

MORE_REFUSALS = {
    "actions/create-repo-variable": ("409", "422"),
    "actions/list-repo-variables": ("422",),
    "actions/update-repo-variable": ("409", "422"),
}
"""What the descriptions leave out for these: that a name is taken, and what is not valid."""

VARIABLES_PERMISSION = {"type": "string", "enum": ["read", "write"]}
"""That of an App on Actions variables, which the descriptions forget.
https://github.com/github/rest-api-description/issues/5437
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of a product, as a version of its API has it."""

    method: str
    path: re.Pattern[str]
    document: str
    """OpenAPI, with this operation alone: the same text where it is the same."""

    def is_asked(self, method: str, path: str) -> bool:
        """Tell whether a request is for it."""
        return method == self.method and self.path.fullmatch(path) is not None


def versions(description: Json) -> list[str]:
    """List the versions of its API that a product knows, oldest first."""
    changes = (change for node in _objects(description) for change in node.get(CHANGES, ()))
    return [FIRST_VERSION, *sorted({change["version"] for change in changes})]


def operations(description: Json, version: str, wanted: Collection[str]) -> dict[str, Operation]:
    """Cut the wanted operations out of a description, by their ids, or raise `LookupError`."""
    components = _amended(description["components"])
    found = {
        operation["operationId"]: _cut_out(method, path, operation, components, version)
        for path, item in description["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and operation.get("operationId") in wanted
    }
    missing = set(wanted) - found.keys()
    if missing:
        raise LookupError(f"there is no {', '.join(sorted(missing))}")
    return found


def _amended(components: Json) -> Json:
    """Add what the descriptions forget."""
    schemas = components["schemas"]
    permissions = schemas["app-permissions"]["properties"]
    if "actions_variables" in permissions:
        raise LookupError("this has the permission on variables: VARIABLES_PERMISSION can go")
    properties = permissions | {"actions_variables": VARIABLES_PERMISSION}
    amended = schemas["app-permissions"] | {"properties": properties}
    return components | {"schemas": schemas | {"app-permissions": amended}}


def _cut_out(method: str, path: str, operation: Json, components: Json, version: str) -> Operation:
    more = (*REFUSALS, *MORE_REFUSALS.get(operation["operationId"], ()))
    operation = operation | {"responses": dict.fromkeys(more, REFUSAL) | operation["responses"]}
    used: dict[str, Json] = {}
    body = _plain(operation, version)
    waiting = [body]
    while waiting:
        for node in _objects(waiting.pop()):
            match node.get("$ref"):
                case str(reference) if reference not in used:
                    _, _, kind, name = reference.split("/")
                    used[reference] = _plain(components[kind][name], version)
                    waiting.append(used[reference])
    parts: dict[str, Json] = {}
    for reference, component in sorted(used.items()):
        _, _, kind, name = reference.split("/")
        parts.setdefault(kind, {})[name] = component
    document = {
        "openapi": "3.0.3",
        "info": {"title": "", "version": ""},
        "servers": [{"url": SERVER}],
        "paths": {path: {method: body}},
        "components": parts,
    }
    return Operation(
        method=method.upper(),
        path=re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))),
        document=json.dumps(document, sort_keys=True),
    )


def _plain(node: Any, version: str, *, names: bool = False) -> Any:  # noqa: ANN401 - JSON
    """Take out the prose, and carry out the changes up to a version.

    With `names`, the keys are names of GitHub's, such as one that happens to be "description".
    """
    if isinstance(node, list):
        return [_plain(each, version) for each in node]
    if not isinstance(node, dict):
        return node
    plain = {
        key: ""
        if key == "description" and not names
        else _plain(value, version, names=key == "properties" and not names)
        for key, value in node.items()
        if names or key not in PROSE | {CHANGES}
    }
    for change in node.get(CHANGES, ()):
        if change["version"] <= version:
            if isinstance(change["patch"], list):
                raise NotImplementedError("a change in the form of a JSON Patch (RFC 6902)")
            plain = _merged(plain, change["patch"])
    return plain


def _merged(target: Any, patch: Any) -> Any:  # noqa: ANN401 - JSON
    """Carry out a JSON Merge Patch (RFC 7396)."""
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

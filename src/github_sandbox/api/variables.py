"""The endpoints of repositories' Actions variables, and GitHub's rules for variables."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from github_sandbox.api.authorization import authorize
from github_sandbox.api.pagination import numbered_page
from github_sandbox.api.requests import Route, read_json_object, repository_name
from github_sandbox.errors import ApiError, not_found
from github_sandbox.model.entities import Access, RepositoryState
from github_sandbox.model.formats import Json, timestamp
from github_sandbox.model.state import State

VARIABLES = "/repos/{owner}/{repo}/actions/variables"
VARIABLE = VARIABLES + "/{variable}"

MAX_VALUE_BYTES = 48 * 1024
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
"""When a variable that a test set directly counts as created and updated.

It is before everything else in a sandbox, so the variable is old for programs that check its age.
A test that needs another time writes the variable through the API.
"""

NAME = re.compile(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*")


class VariableEndpoints:
    """The endpoints of Actions variables."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """Return the routes to these endpoints."""
        return [
            ("GET", VARIABLES, self._list_variables),
            ("POST", VARIABLES, self._create_variable),
            ("GET", VARIABLE, self._show_variable),
            ("PATCH", VARIABLE, self._update_variable),
        ]

    async def _list_variables(self, request: web.Request) -> web.Response:
        variables = self._variables(request, "read").show_all()
        return numbered_page(request, variables, key="variables", default_size=10, max_size=30)

    async def _show_variable(self, request: web.Request) -> web.Response:
        variables = self._variables(request, "read")
        return web.json_response(variables.show(request.match_info["variable"]))

    async def _create_variable(self, request: web.Request) -> web.Response:
        variables = self._variables(request, "write")
        variables.create(await read_json_object(request), now=self._state.now())
        return web.json_response({}, status=201)

    async def _update_variable(self, request: web.Request) -> web.Response:
        variables = self._variables(request, "write")
        name = request.match_info["variable"]
        variables.update(name, await read_json_object(request), now=self._state.now())
        return web.Response(status=204)

    def _variables(self, request: web.Request, access: Access) -> "Variables":
        repository = self._state.find_repository(repository_name(request))
        permission = "actions_variables"
        return Variables(
            authorize(request, self._state, repository, permission=permission, access=access)
        )


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of one repository. Their names are case-insensitive, and kept in upper case."""

    repository: RepositoryState

    def show(self, name: str) -> Json:
        """Return one variable."""
        name = self._existing_name(name)
        created_at, updated_at = self.repository.variable_times.get(name, (LONG_AGO, LONG_AGO))
        return {
            "name": name,
            "value": self.repository.variables[name],
            "created_at": timestamp(created_at),
            "updated_at": timestamp(updated_at),
        }

    def show_all(self) -> list[Json]:
        """Return all variables, sorted by name."""
        return [self.show(name) for name in sorted(self.repository.variables)]

    def create(self, body: Json, *, now: datetime) -> None:
        """Create a variable, or raise `ApiError`."""
        name = _valid_name(body.get("name"))
        value = _valid_value(body.get("value"))
        self._check_is_new(name)
        self.repository.variables[name] = value
        self.repository.variable_times[name] = (now, now)

    def update(self, name: str, body: Json, *, now: datetime) -> None:
        """Change a variable's value, name or both, or raise `ApiError`."""
        name = self._existing_name(name)
        new_name = _valid_name(body.get("name", name))
        new_value = _valid_value(body.get("value", self.repository.variables[name]))
        created_at, _ = self.repository.variable_times.pop(name, (LONG_AGO, LONG_AGO))
        if new_name != name:
            self._check_is_new(new_name)
            del self.repository.variables[name]
        self.repository.variables[new_name] = new_value
        self.repository.variable_times[new_name] = (created_at, now)

    def _existing_name(self, name: str) -> str:
        if name.upper() not in self.repository.variables:
            raise not_found()
        return name.upper()

    def _check_is_new(self, name: str) -> None:
        if name in self.repository.variables:
            raise ApiError(409, "Already exists - Variable already exists")


def _valid_name(name: object) -> str:
    if not isinstance(name, str) or not NAME.fullmatch(name.upper()):
        raise ApiError(
            422,
            "Variable names can only contain alphanumeric characters ([a-z], [A-Z], [0-9]) or "
            "underscores (_), and may start with neither a number nor GITHUB_.",
        )
    return name.upper()


def _valid_value(value: object) -> str:
    if not isinstance(value, str):
        raise ApiError(422, "Invalid request. The value must be a string.")
    if len(value.encode()) > MAX_VALUE_BYTES:
        raise ApiError(422, "Variable value is too large. It may have 48 KB.")
    return value

"""The endpoints of repositories' Actions variables."""

from aiohttp import web

from github_sandbox.api.authorization import authenticate, authorize, not_found
from github_sandbox.api.pagination import numbered_page
from github_sandbox.api.requests import Route, read_json_object, repository_name
from github_sandbox.api.variables import Variables
from github_sandbox.model.state import Access, State

VARIABLES = "/repos/{owner}/{repo}/actions/variables"
VARIABLE = VARIABLES + "/{variable}"


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

    def _variables(self, request: web.Request, access: Access) -> Variables:
        token = authenticate(request, self._state)
        repository = self._state.find_repository(repository_name(request))
        if repository is None:
            raise not_found()
        authorize(token, repository, permission="actions_variables", access=access)
        return Variables(repository)

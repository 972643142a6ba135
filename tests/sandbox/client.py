"""A small client of the sandbox's API, and functions that wait for it."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jwt
import requests

from github_sandbox import App, Hook, Installation, Sandbox, VirtualClock

TOKEN = "t0k3n"
VARIABLES = "/repos/acme/ops/actions/variables"
NOT_FOUND = (404, "Not Found")
TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Client:
    """Sends requests to a sandbox, with a token or without one."""

    github: Sandbox
    token: str | None = TOKEN
    prefix: str = ""
    verify: str | bool = True

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int | None] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        data: bytes | None = None,
        allow_redirects: bool = True,
    ) -> requests.Response:
        authorization = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return requests.request(
            method,
            path if path.startswith("http") else self.github.url + self.prefix + path,
            params=params,
            headers={**authorization, **(headers or {})},
            json=json,
            data=data,
            timeout=TIMEOUT_SECONDS,
            verify=self.verify,
            allow_redirects=allow_redirects,
        )

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, str | int | None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        return self.request("GET", path, params=params, headers=headers)

    def post(
        self, path: str, *, json: object = None, data: bytes | None = None
    ) -> requests.Response:
        return self.request("POST", path, json=json, data=data)

    def patch(self, path: str, *, json: object = None) -> requests.Response:
        return self.request("PATCH", path, json=json)

    def redeliver(self, hook: Hook, delivery_id: int) -> requests.Response:
        return self.post(f"{deliveries(hook)}/{delivery_id}/attempts")

    def pages(self, hook: Hook, **query: str | int | None) -> list[list[dict[str, Any]]]:
        """Return all pages of a log, by following the links."""
        response = self.get(deliveries(hook), params=query)
        pages = [response.json()]
        while "next" in response.links:
            response = self.get(response.links["next"]["url"])
            pages.append(response.json())
        return pages


def deliveries(hook: Hook) -> str:
    """Return the path of a hook's delivery log."""
    return f"{hook.path}/deliveries"


def sign_jwt(app: App, clock: VirtualClock, *, key: str | None = None, **claims: object) -> str:
    """Return an App's JWT, issued a minute ago and valid for nine, unless `claims` differ."""
    now = int(clock().timestamp())
    usual = {"iat": now - 60, "exp": now + 540, "iss": app.client_id}
    # `jwt.encode` would refuse a number as the issuer.
    payload = json.dumps(usual | claims).encode()
    return jwt.PyJWS().encode(payload, key or app.private_key, algorithm="RS256")


def issue_token(as_app: Client, installation: Installation, **body: object) -> requests.Response:
    """Request an installation token for the permissions and repositories in `body`."""
    return as_app.post(f"/app/installations/{installation.id}/access_tokens", json=body)


def installation_client(as_app: Client, installation: Installation, **body: object) -> Client:
    """Return a client with an installation token for the permissions and repositories in `body`."""
    return replace(as_app, token=issue_token(as_app, installation, **body).json()["token"])


def refusal(response: requests.Response) -> tuple[int, str]:
    """Return the status code and the message of an error."""
    return response.status_code, response.json()["message"]


def eventually(claim: Callable[[], bool]) -> None:
    """Wait until a claim is true."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_down(url: str) -> bool:
    """Whether a server refuses connections."""
    try:
        requests.post(url, json={}, timeout=TIMEOUT_SECONDS)
    except requests.ConnectionError:
        return True
    return False

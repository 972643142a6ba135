"""Asks the sandbox what a program under test would, over HTTP."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from github_sandbox import Hook, Sandbox

TOKEN = "t0k3n"
DEADLINE = 10


@dataclass(frozen=True)
class Client:
    github: Sandbox
    token: str | None = TOKEN
    prefix: str = ""
    verify: str | bool = True

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int | None] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        data: bytes | None = None,
    ) -> requests.Response:
        authorization = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return requests.request(
            method,
            path if path.startswith("http") else self.github.url + self.prefix + path,
            params=params,
            headers={**authorization, **(headers or {})},
            json=json,
            data=data,
            timeout=DEADLINE,
            verify=self.verify,
        )

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, str | int | None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        return self.ask("GET", path, params=params, headers=headers)

    def post(
        self, path: str, *, json: object = None, data: bytes | None = None
    ) -> requests.Response:
        return self.ask("POST", path, json=json, data=data)

    def patch(self, path: str, *, json: object = None) -> requests.Response:
        return self.ask("PATCH", path, json=json)

    def redeliver(self, hook: Hook, delivery_id: int) -> requests.Response:
        return self.post(f"{deliveries(hook)}/{delivery_id}/attempts")

    def pages(self, hook: Hook, **query: str | int | None) -> list[list[dict[str, Any]]]:
        """Follow the links to the end."""
        response = self.get(deliveries(hook), params=query)
        pages = [response.json()]
        while "next" in response.links:
            response = self.get(response.links["next"]["url"])
            pages.append(response.json())
        return pages


def deliveries(hook: Hook) -> str:
    return f"/orgs/{hook.org}/hooks/{hook.id}/deliveries"


def eventually(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)

"""Fixtures: a sandbox with TLS."""

import ssl
from collections.abc import Iterator

import pytest

from github_sandbox import Sandbox
from tests.sandbox.client import TOKEN


@pytest.fixture
def secure(tls: ssl.SSLContext) -> Iterator[Sandbox]:
    with Sandbox(tls=tls) as github:
        github.token(TOKEN, organization_hooks="write")
        yield github

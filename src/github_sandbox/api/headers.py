"""The headers of the API's responses, as recorded from api.github.com in 2026."""

import hashlib
import random
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from aiohttp import web

from github_sandbox.api.authorization import CLASSIC_SCOPES, NEEDED
from github_sandbox.api.requests import sent_jwt, sent_token
from github_sandbox.model.entities import PersonalToken
from github_sandbox.model.rate_limits import PRIMARY_LIMIT, PrimaryLimit
from github_sandbox.model.state import State

CONSTANT_HEADERS: Mapping[str, str] = {
    "X-GitHub-Media-Type": "github.v3; format=json",
    "Vary": "Accept-Encoding, Accept, X-Requested-With",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "ETag, Link, Location, Retry-After, X-GitHub-OTP, X-RateLimit-Limit, "
        "X-RateLimit-Remaining, X-RateLimit-Used, X-RateLimit-Resource, X-RateLimit-Reset, "
        "X-OAuth-Scopes, X-Accepted-OAuth-Scopes, X-Poll-Interval, X-GitHub-Media-Type, "
        "X-GitHub-SSO, X-GitHub-Request-Id, Deprecation, Sunset, Warning"
    ),
    "Strict-Transport-Security": "max-age=31536000; includeSubdomains; preload",
    "X-Frame-Options": "deny",
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "0",
    "Referrer-Policy": "origin-when-cross-origin, strict-origin-when-cross-origin",
    "Content-Security-Policy": "default-src 'none'",
}
"""The headers that are the same in every response, unless it sets them itself."""


def add_cache_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers about caches to a response that shows or creates an object."""
    if response.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
        return
    if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
        return
    is_public = sent_jwt(request)
    varies = "Accept" if is_public else "Accept, Authorization, Cookie, X-GitHub-OTP"
    response.headers["Cache-Control"] = (
        f"{'public' if is_public else 'private'}, max-age=60, s-maxage=60"
    )
    response.headers["Vary"] = f"{varies},{CONSTANT_HEADERS['Vary']}"
    response.headers["ETag"] = f'W/"{hashlib.sha256(response.body).hexdigest()}"'


def rate_limit_headers(limit: PrimaryLimit) -> dict[str, str]:
    """Return the headers that show the primary rate limit."""
    return {
        "x-ratelimit-limit": str(PRIMARY_LIMIT),
        "x-ratelimit-remaining": str(limit.remaining),
        "x-ratelimit-used": str(limit.used),
        "x-ratelimit-reset": str(limit.reset_timestamp),
        "x-ratelimit-resource": "core",
    }


def new_request_id(now: datetime) -> str:
    """Return an id for GitHub's support: random numbers and the time."""
    sizes = (16, 24, 28, 28)
    numbers = [random.getrandbits(bits) for bits in sizes]
    return ":".join(f"{number:X}" for number in [*numbers, int(now.timestamp())])


def token_headers(request: web.Request, state: State) -> dict[str, str]:
    """Return the headers about the request's token, and about what the endpoint accepts.

    There are none for an unknown token.
    """
    token = state.tokens.get(sent_token(request) or "")
    if token is None or token.has_expired(state.now()):
        return {}
    needed = request.get(NEEDED)
    headers = {}
    if isinstance(token, PersonalToken) and token.scopes is not None:
        accepted = CLASSIC_SCOPES[needed] if needed else frozenset[str]()
        headers["X-OAuth-Scopes"] = ", ".join(sorted(token.scopes))
        headers["X-Accepted-OAuth-Scopes"] = ", ".join(sorted(accepted))
    elif needed:
        headers["x-accepted-github-permissions"] = "=".join(needed)
    if isinstance(token, PersonalToken) and token.expires_at:
        headers["github-authentication-token-expiration"] = _expiration(token.expires_at)
    return headers


def _expiration(end: datetime) -> str:
    # GitHub has used UTC and, in recordings of one user, the offset of a time zone.
    zone = "%z" if end.utcoffset() else "UTC"
    return end.strftime(f"%Y-%m-%d %H:%M:%S {zone}")

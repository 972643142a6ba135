"""Check the JSON web tokens of GitHub Apps, and issue installation tokens."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import NoReturn

import jwt
from aiohttp import web

from github_sandbox.api.authorization import check_not_suspended
from github_sandbox.api.requests import sent_token
from github_sandbox.errors import ApiError
from github_sandbox.model.entities import (
    AppState,
    InstallationState,
    InstallationToken,
    Permissions,
    RepositoryState,
    grants,
)
from github_sandbox.model.formats import Json
from github_sandbox.model.state import State

MAX_JWT_LIFETIME = timedelta(minutes=10)
TOKEN_LIFETIME = timedelta(hours=1)


def authenticate_app(request: web.Request, state: State) -> AppState:
    """Return the App that signed the request's JSON web token, or raise `ApiError`."""
    # GitHub accepts other tokens with either scheme, but a JSON web token only with "Bearer".
    token = sent_token(request, {"bearer"}) or ""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        _refuse_jwt()
    app = _find_issuer(claims.get("iss"), state)
    try:
        # This verifies the signature only: `jwt.decode` would compare times with the real clock.
        jwt.PyJWS().decode(token, app.public_key, algorithms=["RS256"])
    except jwt.InvalidTokenError:
        _refuse_jwt()
    _check_times(claims, now=state.now().timestamp())
    return app


def _refuse_jwt() -> NoReturn:
    raise ApiError(401, "A JSON web token could not be decoded")


def _find_issuer(issuer: object, state: State) -> AppState:
    for app in state.apps.values():
        if issuer in (app.id, str(app.id), app.client_id):
            return app
    if str(issuer).isdecimal():
        raise ApiError(404, "Integration not found")
    raise ApiError(401, "'Issuer' claim ('iss') must be an Integer")


def _check_times(claims: Json, *, now: float) -> None:
    issued_at, expires_at = claims.get("iat"), claims.get("exp")
    if not isinstance(issued_at, int) or issued_at > now:
        raise ApiError(
            401,
            "'Issued at' claim ('iat') must be an Integer representing the time that the "
            "assertion was issued",
        )
    if not isinstance(expires_at, int | float) or expires_at <= now:
        raise ApiError(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future "
            "time at which the assertion expires",
        )
    if expires_at > now + MAX_JWT_LIFETIME.total_seconds():
        raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")


def issue_token(installation: InstallationState, body: Json, state: State) -> InstallationToken:
    """Issue a token with the permissions and repositories in the request's body.

    By default the token has all that the installation has. Raise `ApiError` if the body requests
    more than that.
    """
    check_not_suspended(installation)
    token = InstallationToken(
        value=_new_value(installation.app),
        installation=installation,
        permissions=_requested_permissions(body, installation),
        repositories=_requested_repositories(body, state.covered_repositories(installation)),
        expires_at=state.now() + TOKEN_LIFETIME,
        lag=state.token_lag,
    )
    installation.app.tokens.append(token)
    state.tokens[token.value] = token
    return token


def _new_value(app: AppState) -> str:
    """Return a token of some 520 characters: a prefix, the App's id, and a JSON web token."""
    random = secrets.token_urlsafe
    return f"ghs_{app.id}_eyJ{random(24)}.eyJ{random(282)}.{random(64)}"


def _requested_permissions(body: Json, installation: InstallationState) -> Permissions:
    permissions = body.get("permissions")
    if not permissions:
        return installation.permissions
    if not isinstance(permissions, dict) or not all(
        grants(installation.permissions, name, access) for name, access in permissions.items()
    ):
        raise ApiError(422, "The permissions requested are not granted to this installation.")
    return permissions


def _requested_repositories(
    body: Json, covered: Sequence[RepositoryState]
) -> frozenset[str] | None:
    # The body has the repositories' names without the owner, their ids, or both.
    names, ids = body.get("repositories") or [], body.get("repository_ids") or []
    if not names and not ids:
        return None
    by_name = {repository.full_name.lower().partition("/")[2]: repository for repository in covered}
    by_id = {repository.id: repository for repository in covered}
    try:
        requested = [by_name[name.lower()] for name in names] + [by_id[number] for number in ids]
    except (AttributeError, KeyError, TypeError) as error:
        raise ApiError(
            422,
            "There is at least one repository that does not exist or is not accessible to the "
            "parent installation.",
        ) from error
    return frozenset(repository.full_name.lower() for repository in requested)

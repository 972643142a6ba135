"""The rules for GitHub Apps: who signed a JSON web token, and which tokens that one is given."""

import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache
from typing import NoReturn

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from github_sandbox.access import Refusal, not_found, refuse_suspended, sent_token
from github_sandbox.log import Json
from github_sandbox.world import (
    AppState,
    InstallationState,
    InstallationToken,
    Permissions,
    RepositoryState,
    State,
    grants,
)

LONGEST_ASSERTION = timedelta(minutes=10)


@cache
def a_private_key() -> str:
    """Generate a key in the form GitHub hands out, but once only: it takes its time."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def public_key_of(private_key: str) -> rsa.RSAPublicKey:
    """Give what a signature by the private key is checked with."""
    key = load_pem_private_key(private_key.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("an App has an RSA key")
    return key.public_key()


def authenticate_app(request: web.Request, state: State) -> AppState:
    """Find the App that signed the request's JSON web token, or refuse."""
    # Only as a bearer is it taken; other tokens are with either scheme.
    assertion = sent_token(request, {"bearer"}) or ""
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        _refuse_assertion()
    app = _issuer(claims.get("iss"), state)
    try:
        # Nothing but the signature: PyJWT would judge the times by a clock of its own.
        jwt.PyJWS().decode(assertion, app.public_key, algorithms=["RS256"])
    except jwt.InvalidTokenError:
        _refuse_assertion()
    _check_times(claims, now=state.now().timestamp())
    return app


def _refuse_assertion() -> NoReturn:
    raise Refusal(401, "A JSON web token could not be decoded")


def _issuer(issuer: object, state: State) -> AppState:
    for app in state.apps.values():
        if issuer in (app.id, str(app.id), app.client_id):
            return app
    if str(issuer).isdecimal():
        raise Refusal(404, "Integration not found")
    raise Refusal(401, "'Issuer' claim ('iss') must be an Integer")


def _check_times(claims: Json, *, now: float) -> None:
    issued_at, expires_at = claims.get("iat"), claims.get("exp")
    if not isinstance(issued_at, int) or issued_at > now:
        raise Refusal(
            401,
            "'Issued at' claim ('iat') must be an Integer representing the time that the "
            "assertion was issued",
        )
    if not isinstance(expires_at, int | float) or expires_at <= now:
        raise Refusal(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future "
            "time at which the assertion expires",
        )
    if expires_at > now + LONGEST_ASSERTION.total_seconds():
        raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")


def find_installation(
    app: AppState, predicate: Callable[[InstallationState], bool]
) -> InstallationState:
    """Find one of the App's installations, or refuse."""
    for installation in app.installations.values():
        if predicate(installation):
            return installation
    raise not_found()


def issue_token(installation: InstallationState, asked: Json, state: State) -> InstallationToken:
    """Issue a token for what is asked, or for all there is, or refuse."""
    refuse_suspended(installation)
    token = InstallationToken(
        value=f"ghs_{secrets.token_hex(18)}",
        installation=installation,
        permissions=_asked_permissions(asked, installation),
        repositories=_asked_repositories(asked, state.covered_repositories(installation)),
        expires_at=state.now() + installation.app.token_life,
    )
    installation.app.tokens.append(token)
    state.tokens[token.value] = token
    return token


def _asked_permissions(asked: Json, installation: InstallationState) -> Permissions:
    permissions = asked.get("permissions")
    if not permissions:
        return installation.permissions
    if not isinstance(permissions, dict) or not all(
        grants(installation.permissions, name, access) for name, access in permissions.items()
    ):
        raise Refusal(422, "The permissions requested are not granted to this installation.")
    return permissions


def _asked_repositories(asked: Json, covered: Sequence[RepositoryState]) -> frozenset[str] | None:
    # By name, without the owner, or by id.
    names, ids = asked.get("repositories") or [], asked.get("repository_ids") or []
    if not names and not ids:
        return None
    by_name = {each.full_name.lower().partition("/")[2]: each for each in covered}
    by_id = {each.id: each for each in covered}
    try:
        repositories = [by_name[name.lower()] for name in names] + [by_id[each] for each in ids]
    except (AttributeError, KeyError, TypeError) as error:
        raise Refusal(
            422,
            "There is at least one repository that does not exist or is not accessible to the "
            "parent installation.",
        ) from error
    return frozenset(each.full_name.lower() for each in repositories)

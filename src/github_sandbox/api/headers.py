"""The headers of the API's responses that depend on the request's token."""

from datetime import datetime

from aiohttp import web

from github_sandbox.api.requests import sent_token
from github_sandbox.model.entities import PersonalToken
from github_sandbox.model.state import State


def token_headers(request: web.Request, state: State) -> dict[str, str]:
    """Return the headers for the request's token: none if it is unknown."""
    match state.tokens.get(sent_token(request) or ""):
        case PersonalToken(expires_at=datetime() as end) if end > state.now():
            return {"github-authentication-token-expiration": _expiration(end)}
    return {}


def _expiration(end: datetime) -> str:
    # GitHub has used UTC and, in recordings of one user, the offset of a time zone.
    zone = "%z" if end.utcoffset() else "UTC"
    return end.strftime(f"%Y-%m-%d %H:%M:%S {zone}")

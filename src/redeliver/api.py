"""Ask GitHub's REST API, and turn its refusals into advice. The only importer of PyGithub."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from github import Auth, Github
from requests import RequestException
from urllib3.util import Retry

import redeliver
from redeliver.errors import AccessError, RateLimitError, UnavailableError
from redeliver.inert import brief

TIMEOUT_SECONDS = 30

# A redelivery whose reply was lost may have been queued all the same, so a POST must
# never be repeated: not by its method, and not as an "other" error either, which is what
# urllib3 makes of a TLS connection that breaks after the request was sent. A connection
# that could not even be opened is tried again for every method.
RETRY_READS_ONLY = Retry(
    connect=3,
    read=3,
    status=3,
    other=0,
    backoff_factor=0.5,
    backoff_jitter=0.5,
    allowed_methods={"GET"},
    status_forcelist=range(500, 600),
    raise_on_status=False,
    respect_retry_after_header=False,
)

# PyGithub and urllib3 log whatever comes in, unfiltered, and the runner would obey it.
logging.getLogger("github").setLevel(logging.CRITICAL + 1)
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What it takes to make a request: GitHub's names for it, and the input with the token."""

    purpose: str
    """Completes "cannot …"."""
    token_input: str
    fine_grained: str
    classic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What GitHub answered: header names in lower case, the body as it came."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:  # noqa: ANN401 - whatever GitHub sent
        """Decode the body, or raise `UnavailableError`."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            raise UnavailableError(
                f"GitHub answered {self.status} with something that is not JSON: is 'hostname' "
                "right, and does a proxy or a login page stand in between?"
            ) from None

    @property
    def message(self) -> str:
        """GitHub's own words, made inert."""
        try:
            message = json.loads(self.text)["message"]
        except (ValueError, RecursionError, LookupError, TypeError):
            return "no message"
        return brief(str(message), 300)


class Api:
    """GitHub's REST API as one token may use it."""

    def __init__(self, token: str, *, url: str) -> None:
        self._requester = Github(
            auth=Auth.Token(token),
            base_url=url,
            timeout=TIMEOUT_SECONDS,
            retry=RETRY_READS_ONLY,
            # How fast to ask is decided in one place, pace.py.
            seconds_between_requests=None,
            seconds_between_writes=None,
            user_agent=f"redeliver/{redeliver.__version__}",
        ).requester

    def ask(
        self,
        method: str,
        path: str,
        permission: Permission,
        *,
        expect: set[int],
        parameters: Mapping[str, str | int] | None = None,
        body: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request, and return the answer if its status is one of `expect`.

        Any other answer raises: `AccessError` when the token falls short,
        `RateLimitError`, or else `UnavailableError`, also when there is no answer.
        """
        try:
            # Not requestJsonAndCheck: that takes a redirect for an answer.
            status, headers, text = self._requester.requestJson(
                method, path, dict(parameters or {}), input=body
            )
        except (RequestException, ValueError, RuntimeError) as error:
            # RuntimeError is PyGithub's for a redirect to elsewhere, ValueError for headers
            # that it cannot read. Their texts hold URLs, so only the kind is told.
            raise UnavailableError(
                f"cannot {permission.purpose}: no usable answer from GitHub "
                f"({type(error).__name__}); is 'hostname' right, and is GitHub up?"
            ) from None
        answer = Answer(status=status, headers=headers, text=text)
        if status not in expect:
            raise _failure(answer, permission)
        return answer


def _failure(answer: Answer, permission: Permission) -> Exception:
    cannot = f"cannot {permission.purpose}"
    said = f"GitHub answered {answer.status}, {answer.message}"
    if answer.status in {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS} and _is_rate_limit(
        answer
    ):
        return RateLimitError(
            f"{cannot}: the rate limit of input {permission.token_input} is used up"
            f"{_until(answer.headers)}. Nothing is lost: the next run carries on from the "
            "checkpoint. If this happens often, give the action a token of its own"
        )
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return AccessError(
            f"{cannot}: {said}. The token of input {permission.token_input} is mistyped, expired "
            "or revoked, or belongs to another GitHub than 'hostname' says. Make a new one and "
            "save it in the secret that the input reads"
        )
    if answer.status == HTTPStatus.FORBIDDEN and "x-github-sso" in answer.headers:
        return AccessError(
            f"{cannot}: {said}. The organization uses SAML single sign-on and the token of input "
            f"{permission.token_input} is not authorized for it: its owner does that under "
            "Settings > Developer settings > Personal access tokens > Configure SSO"
        )
    if answer.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
        return AccessError(
            f"{cannot}: {said}. Either it does not exist, or the token of input "
            f"{permission.token_input} lacks a permission. A fine-grained token needs "
            f"{permission.fine_grained}; a classic token needs the scope {permission.classic}. "
            "Both are granted under Settings > Developer settings > Personal access tokens. "
            f"The workflow's own GITHUB_TOKEN can never do this.{_accepted(answer.headers)}"
        )
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        return UnavailableError(
            f"{cannot}: {said}, a redirect, which is not followed because the token must go "
            "nowhere else. Was something renamed? Use its present name"
        )
    return UnavailableError(f"{cannot}: {said}. Nothing is lost: the next run tries again")


def _is_rate_limit(answer: Answer) -> bool:
    # https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    return (
        answer.status == HTTPStatus.TOO_MANY_REQUESTS
        or answer.headers.get("x-ratelimit-remaining") == "0"
        or "retry-after" in answer.headers
        or "rate limit" in answer.message.lower()
    )


def _until(headers: Mapping[str, str]) -> str:
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") != "0" or not (reset.isascii() and reset.isdigit()):
        return ""
    return f" until {datetime.fromtimestamp(int(reset[:10]), UTC):%H:%M:%S} UTC"


def _accepted(headers: Mapping[str, str]) -> str:
    """Say in GitHub's words what was needed and, for a classic token, what it has."""
    says = {
        "needed permission": headers.get("x-accepted-github-permissions", ""),
        "needed scope": headers.get("x-accepted-oauth-scopes", ""),
        "scopes the token has": headers.get("x-oauth-scopes", ""),
    }
    told = "; ".join(f"{name}: {brief(text)}" for name, text in says.items() if text)
    return f" GitHub says: {told}" if told else ""

"""Why a request failed, and whether another try may succeed."""

from dataclasses import dataclass
from http import HTTPStatus

from redeliver.errors import RedeliverError, UnavailableError, UnreachableError
from redeliver.github_api.network_errors import NoResponseError
from redeliver.github_api.permissions import Purpose
from redeliver.github_api.response import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A request that failed."""

    error: RedeliverError
    reason: str
    is_transient: bool
    """Whether another try may succeed."""
    may_be_done: bool
    """Whether GitHub may have received and executed the request."""
    retry_in: int | None = None
    """How many seconds to wait for a rate limit; None if it is another failure."""
    is_secondary_limit: bool = False
    """Whether a secondary rate limit was hit, because the requests came too fast."""
    is_without_response: bool = False
    new_token_response: Response | None = None
    """The response, if some of GitHub's servers may not know the token yet."""


def no_response(purpose: Purpose, error: NoResponseError) -> Failure:
    """Return the failure of a request without a usable response."""
    advice = error.advice or (
        ". No events are lost; the next run retries. If this keeps happening, check 'hostname' and "
        "your network or proxy"
    )
    kind = UnavailableError if error.has_responded else UnreachableError
    return Failure(
        error=kind(f"cannot {purpose.action}: {error}{advice}", reason=str(error)),
        reason=str(error),
        is_transient=error.is_transient,
        may_be_done=error.may_be_done,
        is_without_response=True,
    )


def new_token(response: Response, error: RedeliverError) -> Failure:
    """Return the failure of a request whose token GitHub may accept in a moment."""
    return Failure(
        error=error,
        reason=f"some of GitHub's servers may not know the new token yet ({response.summary})",
        is_transient=True,
        may_be_done=False,
        new_token_response=response,
    )


def bad_response(response: Response, error: RedeliverError) -> Failure:
    """Return the failure of a request with an unexpected response; `error` is what to raise."""
    is_broken = response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    is_limit = response.is_rate_limit
    return Failure(
        error=error,
        reason="GitHub is rate limiting requests" if is_limit else response.summary,
        is_transient=is_broken or is_limit,
        may_be_done=is_broken,
        retry_in=response.retry_in if is_limit else None,
        is_secondary_limit=is_limit and response.remaining != 0,
    )

"""Why a request got no usable response, and what to do about it."""

from http import HTTPStatus

from requests import ConnectionError as RequestsConnectionError
from requests import RequestException, Timeout
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, RetryError, SSLError
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ResponseError

from redeliver.github_api.permissions import Purpose
from redeliver.github_api.response import redirect_advice


class NoResponseError(Exception):
    """GitHub sent no response, or none that can be read."""

    def __init__(
        self,
        reason: str,
        *,
        advice: str = "",
        is_transient: bool = True,
        may_be_done: bool = True,
        has_responded: bool = False,
    ) -> None:
        """Describe one failed request.

        `advice` is empty if another try may succeed. `may_be_done` tells whether GitHub may have
        received the request, and `has_responded` whether there was a response that cannot be used.
        """
        super().__init__(reason)
        self.advice = advice
        self.is_transient = is_transient
        self.may_be_done = may_be_done
        self.has_responded = has_responded


NOT_READY = ResponseError.SPECIFIC_ERROR.format(status_code=HTTPStatus.ACCEPTED.value)
"""The text of urllib3's error for a 202 that `connection` refuses."""

TRANSIENT = (RequestsConnectionError, Timeout, ChunkedEncodingError, ContentDecodingError)

RESPONDED = (RetryError, ContentDecodingError, ValueError, OverflowError, RuntimeError)
"""The errors of which the cause is mostly a response: a redirect, a 202, or invalid headers."""


def advice_for(error: Exception, purpose: Purpose) -> str:
    """Return what to change if another try would not help, or "" if it may."""
    if isinstance(error, OSError) and not isinstance(error, RequestException):
        return (
            ". The file named in the environment variable REQUESTS_CA_BUNDLE cannot be read, or "
            "holds no certificates"
        )
    if isinstance(error, RetryError):
        if str(_reason(error)) == NOT_READY:
            return (
                ". GitHub responded 202, which means that the result is not ready yet. "
                "No events are lost; the next run retries"
            )
        return f". GitHub responded with a redirect. {redirect_advice(purpose)}"
    if isinstance(error, SSLError) and "EOF" not in str(error):  # EOF is a broken connection
        return (
            ". Its certificate is not trusted here. If your GitHub or proxy has a certificate of "
            "your own certificate authority, set the environment variable REQUESTS_CA_BUNDLE to "
            "the path of the authority's certificate file"
        )
    return ""


def was_never_sent(error: Exception) -> bool:
    """Whether the connection failed before the request was sent."""
    return isinstance(_reason(error), (NewConnectionError, ConnectTimeoutError))


def _reason(error: Exception) -> Exception | None:
    """Return the urllib3 error inside an error of `requests`, if there is one."""
    return getattr(error.args[0], "reason", None) if error.args else None

"""Why a request got no usable response, and what to do about it."""

import os
import re
import ssl
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlsplit

from requests import ConnectionError as RequestsConnectionError
from requests import Timeout
from requests.exceptions import (
    ChunkedEncodingError,
    ContentDecodingError,
    InvalidSchema,
    InvalidURL,
)
from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProxySchemeUnknown,
)

from redeliver.sanitize import quote_untrusted

BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

NOT_VALID_YET = 9
EXPIRED = 10
"""OpenSSL's codes for a certificate at a wrong time:
https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
"""

OTHER_NAME = {62, 64}
"""OpenSSL's codes for a certificate of another host name or IP address."""

UNKNOWN_AUTHORITY = {2, 7, 18, 19, 20, 21}
"""OpenSSL's codes for a certificate of an authority that is not trusted. With 7, the authority has
the name of a trusted one, but another key."""

NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}
"""OpenSSL's reasons, in its various versions, for a response that is not TLS."""

TRANSIENT = (RequestsConnectionError, Timeout, ChunkedEncodingError, ContentDecodingError)
"""The errors after which another try may succeed."""

RESPONDED = (ContentDecodingError, ValueError, OverflowError)
"""The errors of which the cause is mostly a response, such as one with invalid headers."""


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

        `advice` says what to do if no try succeeds; it is empty if there is only general advice.
        `may_be_done` tells whether GitHub may have received the request, and `has_responded`
        whether there was a response that cannot be used.
        """
        super().__init__(reason)
        self.advice = advice
        self.is_transient = is_transient
        self.may_be_done = may_be_done
        self.has_responded = has_responded


class ConnectError(NewConnectionError):
    """There is no connection, so no request was sent. The cause of this error says why."""

    def __init__(self, connection: HTTPConnection, *, is_proxy: bool) -> None:
        """Note whether it is the proxy to which there is no connection."""
        super().__init__(connection, "no connection")
        self.is_proxy = is_proxy


def bundle_variable() -> str:
    """Return the environment variable that names the authorities to trust; "" if none does.

    `requests` looks for them in the same order, and for a proxy as `proxy_variable` does.
    """
    return next((name for name in BUNDLE_VARIABLES if os.environ.get(name)), "")


def proxy_variable(url: str) -> str:
    """Return the environment variable that names the proxy; the usual one if there is no proxy."""
    scheme = urlsplit(url).scheme
    names = [f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"]
    return next((name for name in names if os.environ.get(name)), names[1])


def explain(error: Exception, url: str) -> NoResponseError:
    """Return why a request to `url` failed, and what to do about it.

    Most texts of errors are not quoted, because they can have a URL with a secret.
    """
    host = urlsplit(url).netloc
    for cause in _causes(error):
        match cause:
            case ConnectError():
                reason, advice = _no_connection(cause, host, proxy_variable(url))
                return NoResponseError(reason, advice=advice, may_be_done=False)
            case ConnectTimeoutError():  # also its subclass NewConnectionError
                return NoResponseError(f"cannot connect to {host}", may_be_done=False)
            # The URL of GitHub is checked before, so this is about the URL of a proxy.
            case InvalidSchema() | InvalidURL() | ProxySchemeUnknown():
                return _unusable_proxy(cause, proxy_variable(url))
    return NoResponseError(
        f"no usable response from {host} ({type(error).__name__})",
        is_transient=isinstance(error, TRANSIENT),
        has_responded=isinstance(error, RESPONDED),
    )


def unreadable_bundle() -> NoResponseError:
    """Return the error for a file of authorities that cannot be read."""
    return NoResponseError(
        f"the file named in the environment variable {bundle_variable()} cannot be read, or holds "
        "no certificates",
        advice=". Set the variable to the path of a file with certificates in PEM format",
        is_transient=False,
        may_be_done=False,
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was raised from, the outermost error first."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


def _unusable_proxy(error: Exception, variable: str) -> NoResponseError:
    """Return the error for a proxy that `requests` cannot use at all."""
    kind = "is not the URL of a proxy"
    if isinstance(error, InvalidSchema):  # `requests` needs another package for SOCKS
        kind = "names a SOCKS proxy, which redeliver does not support"
    return NoResponseError(
        f"the environment variable {variable} {kind}",
        advice=". Set it to the URL of an HTTP proxy, or remove it",
        is_transient=False,
        may_be_done=False,
    )


def _no_connection(error: ConnectError, host: str, variable: str) -> tuple[str, str]:
    """Return why there is no connection, and specific advice, which may be empty."""
    proxy = f"the proxy in the environment variable {variable}"
    there = proxy if error.is_proxy else host
    causes = list(_causes(error.__cause__))
    for cause in causes:
        match cause:
            case ssl.SSLCertVerificationError():
                return _bad_certificate(cause, there)
            case ssl.SSLError(reason=reason) if reason in NO_TLS:
                return f"{there} does not respond with TLS", (
                    ". Check its address and port, and whether something intercepts requests"
                )
            case ssl.SSLError():
                what = quote_untrusted(str(cause.reason or type(cause).__name__))
                return f"the TLS handshake with {there} failed ({what})", ""
            case NameResolutionError():
                check = f"the variable {variable}" if error.is_proxy else "'hostname'"
                return f"the host name of {there} cannot be resolved", f". Check {check}"
            case OSError() if status := re.match(
                r"Tunnel connection failed: ([0-9]{3})", str(cause)
            ):
                return _refused_by_proxy(int(status[1]), variable, host)
    advice = f". Check the variable {variable}, and that the proxy runs" if error.is_proxy else ""
    return f"cannot connect to {there} ({type(causes[-1]).__name__})", advice


def _bad_certificate(error: ssl.SSLCertVerificationError, there: str) -> tuple[str, str]:
    code = error.verify_code
    replace = ". Replace it. If its dates are right, the clock of this machine is wrong"
    if code == NOT_VALID_YET:
        return f"the certificate of {there} is not valid yet", replace
    if code == EXPIRED:
        return f"the certificate of {there} has expired", replace
    if code in OTHER_NAME:
        return f"the certificate of {there} is for another name", (
            ". Check the address, and whether something intercepts requests"
        )
    if code not in UNKNOWN_AUTHORITY:
        what = quote_untrusted(error.verify_message)
        return f"the certificate of {there} is refused ({what})", (
            ". Whoever runs the server has to replace it"
        )
    if variable := bundle_variable():
        advice = (
            f". Only the authorities in the file named in the environment variable {variable} are "
            "trusted: add the certificate of the authority that issued this one"
        )
    else:
        advice = (
            ". If your GitHub or proxy has a certificate of your own certificate authority, set "
            "the environment variable REQUESTS_CA_BUNDLE to the path of the authority's "
            "certificate file"
        )
    return f"the certificate of {there} is from an authority that is not trusted here", advice


def _refused_by_proxy(status: int, variable: str, host: str) -> tuple[str, str]:
    reason = (
        f"the proxy in the environment variable {variable} responded {status} instead of "
        f"connecting to {host}"
    )
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return reason, (
            ". It wants a user name and a password: add them to the URL in this variable, before "
            "the host, and percent-encode special characters in them"
        )
    return reason, (
        f". Check that the variable names a proxy, and ask whoever runs it to allow connections to "
        f"{host}"
    )

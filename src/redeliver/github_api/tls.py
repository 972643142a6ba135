"""HTTPS connections that trust the user's own authorities, and tell whether a request was sent."""

import ssl
from http.client import HTTPException
from pathlib import Path
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import Retry
from urllib3.util.ssl_ import create_urllib3_context

from redeliver.github_api.network_errors import ConnectError, unreadable_bundle


class TlsAdapter(HTTPAdapter):
    """The HTTPS connections of a session of `requests`."""

    def __init__(self, bundle: str | None, *, retry: Retry) -> None:
        """Trust the authorities in the file or directory `bundle`; if it is None, the usual ones.

        Raise `NoResponseError` if `bundle` cannot be read.
        """
        self._context = _context(bundle) if bundle else None
        super().__init__(max_retries=retry)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - HTTPAdapter's signature
        """Make the connections to servers."""
        super().init_poolmanager(*arguments, ssl_context=self._context, **options)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> ProxyManager:  # noqa: ANN401 - HTTPAdapter's signature
        """Return the connections through a proxy."""
        if proxy.lower().startswith("https:"):
            options["proxy_ssl_context"] = self._context
        manager: ProxyManager = super().proxy_manager_for(
            proxy, ssl_context=self._context, **options
        )
        manager.pool_classes_by_scheme = POOLS
        return manager


class _Targets(HTTPSConnection):
    """A connection that tells whether it failed before a request was sent."""

    def connect(self) -> None:
        """Connect to the proxy, if there is one, and to the server."""
        try:
            super().connect()
        except (OSError, HTTPException, HTTPError) as error:
            is_proxy = self.proxy is not None and not self.has_connected_to_proxy
            raise ConnectError(self, is_proxy=is_proxy) from error


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Targets


POOLS = {"http": HTTPConnectionPool, "https": _Pool}


def _context(bundle: str) -> ssl.SSLContext:
    """Return TLS settings for authorities that the user has named.

    Since 3.13, Python also checks stricter rules of RFC 5280. Many organizations' own authorities
    break them, and curl accepts these. So the rules are not checked for authorities that the user
    has named. Signatures, dates and host names are checked as always.
    https://docs.python.org/3/library/ssl.html#ssl.create_default_context
    """
    context = create_urllib3_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    try:
        is_directory = Path(bundle).is_dir()
        context.load_verify_locations(
            cafile=None if is_directory else bundle, capath=bundle if is_directory else None
        )
    except OSError:
        raise unreadable_bundle() from None
    return context

"""Match the payload URL of a webhook with a pattern of host and path: `ci.example.com/*`."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PATTERN = re.compile(r"[^\s/:?#@\\\[\]]+(:[0-9]{1,5})?(/[^\s?#\\]*)?")
"""Host, perhaps a port, and perhaps a path. In a pattern with a scheme, no port follows the `:`."""

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class UrlPattern:
    """A pattern of host and path, in which `*` stands for any characters.

    Without a port, any port matches, and without a path, any path. The case of the host, and the
    query of a URL, do not matter.
    """

    text: str = field(repr=False)
    """May hold a secret, as a URL does."""

    def matches(self, url: object) -> bool:
        """Whether this is the text of a URL that the pattern matches."""
        try:
            parts = urlsplit(url if isinstance(url, str) else "")
            host, port = parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme)
        except ValueError:
            return False
        if not host:
            return False
        wanted_host, slash, wanted_path = self.text.partition("/")
        if ":" in wanted_host:
            host = f"{host}:{port}"
        path = parts.path.removeprefix("/")
        return _matches(wanted_host.lower(), host) and (not slash or _matches(wanted_path, path))


def _matches(pattern: str, text: str) -> bool:
    return bool(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text))

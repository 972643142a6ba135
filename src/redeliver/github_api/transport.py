"""Send requests to GitHub's REST API, each with a deadline, for any number of threads.

A thread of its own sends each request. So a request has a deadline as a whole, and a signal can
end the wait for it, even if the name of the host cannot be resolved or a response never ends.
"""

from collections import deque
from queue import Empty, SimpleQueue
from threading import Thread
from urllib.parse import urlsplit

from redeliver import interruption
from redeliver.github_api.connection import Connection, Request
from redeliver.github_api.network_errors import NoResponseError
from redeliver.github_api.response import Response

DEADLINE_SECONDS = 30.0
"""How long to wait for a complete response. GitHub itself ends a request after ten seconds:
https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#timeouts
"""


class Transport:
    """The REST API at `url`, for any number of threads."""

    def __init__(self, url: str, *, deadline: float = DEADLINE_SECONDS) -> None:
        """Wait at most `deadline` seconds for a response."""
        self._url = url
        self._deadline = deadline
        self._idle = deque[Connection]()
        """The connections that no request uses."""

    def send(self, request: Request, *, token: str) -> Response:
        """Send one request and return its response, whatever its status.

        Raise `NoResponseError` if there is none.
        """
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = Connection(self._url)
        result = SimpleQueue[Response | Exception]()

        def work() -> None:
            try:
                result.put(connection.send(request, token=token))
            except Exception as error:  # noqa: BLE001 - the calling thread raises it
                result.put(error)

        Thread(target=work, name="request", daemon=True).start()
        try:
            outcome = interruption.get(result, timeout=self._deadline)
        except Empty:
            # The thread still uses the connection, so nothing else may.
            host, deadline = urlsplit(self._url).netloc, f"{self._deadline:g} s"
            raise NoResponseError(f"no complete response from {host} within {deadline}") from None
        self._idle.append(connection)
        try:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        finally:
            del outcome  # its traceback has this frame: that cycle would keep sockets open

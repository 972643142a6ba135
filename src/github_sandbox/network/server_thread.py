"""Run a web application in a thread of its own, and let other threads use its event loop."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from aiohttp import web

T = TypeVar("T")

HOST = "127.0.0.1"


class ServerThread:
    """Serves an aiohttp application until it is stopped."""

    def __init__(
        self,
        build: Callable[[], Awaitable[web.Application]],
        *,
        port: int,
        reuse_port: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Listen on `port` (0: any free one), and call `build` on the event loop.

        With `reuse_port`, another socket that allows it may have bound the port already.
        """
        self._build = build
        self._tls = tls
        self._listener = socket.create_server((HOST, port), backlog=1024, reuse_port=reuse_port)
        self.port: int = self._listener.getsockname()[1]
        self._started: Future[asyncio.AbstractEventLoop] = Future()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="github-sandbox", daemon=True)

    def start(self) -> None:
        """Start, and return once the server accepts requests. Raise the error if it cannot."""
        self._thread.start()
        self._loop = self._started.result()

    def stop(self) -> None:
        """Stop the server and wait until its thread has ended."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's event loop, and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def call(self, function: Callable[[], T]) -> T:
        """Call a function on the server's event loop, and return its result."""

        async def call() -> T:
            return function()

        return self.wait_for(call())

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        with self._listener:
            # At the stop, do not wait long for requests that are being handled.
            runner = web.AppRunner(await self._build(), access_log=None, shutdown_timeout=0.1)
            try:
                await runner.setup()
                await web.SockSite(runner, self._listener, ssl_context=self._tls).start()
                self._started.set_result(loop)
                await self._stopping.wait()
                # asyncio and aiohttp never close a connection that was accepted just before they
                # stop listening. So stop accepting first, and then wait for the three iterations
                # of the event loop after which the application knows all accepted connections.
                loop.remove_reader(self._listener)
                for _ in range(3):
                    await asyncio.sleep(0)
            finally:
                open_connections = runner.server.connections if runner.server else []
                transports = [connection.transport for connection in open_connections]
                await runner.cleanup()
                # With TLS, this has only begun to close them: the client would have to agree.
                for transport in filter(None, transports):
                    transport.abort()

"""A server in a thread of its own, and a way for other threads to reach its event loop."""

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
    """Runs an aiohttp application until it is stopped."""

    def __init__(
        self,
        build: Callable[[], Awaitable[web.Application]],
        *,
        port: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Listen on `port` (0: any that is free); `build` is called on the event loop."""
        self._build = build
        self._tls = tls
        self._listener = socket.create_server((HOST, port), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self._ready: Future[asyncio.AbstractEventLoop] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="github-sandbox", daemon=True)

    def start(self) -> None:
        """Return once the server answers, or raise what kept it from starting."""
        self._thread.start()
        self._loop = self._ready.result()

    def stop(self) -> None:
        """Return once nothing is left running."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop, and wait for what it gives."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def call(self, function: Callable[[], T]) -> T:
        """Call a function on the server's loop, and wait for what it gives."""

        async def called() -> T:
            return function()

        return self.wait_for(called())

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self) -> None:
        with self._listener:
            # Who is being answered when the sandbox is left has no reason to wait.
            runner = web.AppRunner(await self._build(), access_log=None, shutdown_timeout=0.1)
            try:
                await runner.setup()
                await web.SockSite(runner, self._listener, ssl_context=self._tls).start()
                self._ready.set_result(asyncio.get_running_loop())
                await self._stop.wait()
            finally:
                await runner.cleanup()

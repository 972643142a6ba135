"""A TCP server in a thread of its own, and how it forwards a connection to another server."""

import asyncio
import threading
from abc import ABC, abstractmethod
from asyncio import StreamReader, StreamWriter
from concurrent.futures import Future
from contextlib import closing, suppress
from typing import Self

from github_sandbox.network.server_thread import HOST


class TcpServer(ABC):
    """A server on 127.0.0.1 that runs inside its `with` block."""

    def __enter__(self) -> Self:
        """Start the server on any free port."""
        self._started: Future[int] = Future()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._port = self._started.result()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop the server, and close all connections."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    @abstractmethod
    async def _respond(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Handle one connection. It is closed afterwards."""

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        # `async with` would wait until all clients have closed their connections.
        with closing(await asyncio.start_server(self._handle_client, HOST, 0)) as server:
            self._started.set_result(server.sockets[0].getsockname()[1])
            await self._stopping.wait()

    async def _handle_client(self, reader: StreamReader, writer: StreamWriter) -> None:
        # Clients may disconnect at any time, and Python 3.11 would log cancelled handlers.
        with closing(writer), suppress(OSError, asyncio.CancelledError):
            await self._respond(reader, writer)


async def forward(
    reader: StreamReader, writer: StreamWriter, server: tuple[StreamReader, StreamWriter]
) -> None:
    """Forward everything between a client and a server, until one of them disconnects."""
    server_reader, server_writer = server
    await asyncio.gather(_copy(reader, server_writer), _copy(server_reader, writer))


async def _copy(source: StreamReader, target: StreamWriter) -> None:
    # When the source closes its connection, close the target's as well.
    with closing(target):
        while chunk := await source.read(64 * 1024):
            target.write(chunk)
            await target.drain()

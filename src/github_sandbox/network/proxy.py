"""A forward proxy for HTTPS. The only method that it supports is CONNECT."""

import asyncio
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import closing, suppress
from typing import Self

from github_sandbox.network.server_thread import HOST


class Proxy:
    """A proxy on 127.0.0.1 that runs inside its `with` block."""

    def __init__(self, *, leads: Mapping[str, str] | None = None) -> None:
        """Connect clients to the host:port they request, or to the one that `leads` maps it to."""
        self._leads = leads or {}
        self.connections: list[str] = []
        """Every host:port that clients requested, reachable or not."""

    def __enter__(self) -> Self:
        """Start the proxy."""
        self._started: Future[int] = Future()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self.url = f"http://{HOST}:{self._started.result()}"
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop the proxy, and close all connections."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        # `async with` would wait until all clients have closed their connections.
        with closing(await asyncio.start_server(self._handle_client, HOST, 0)) as server:
            self._started.set_result(server.sockets[0].getsockname()[1])
            await self._stopping.wait()

    async def _handle_client(self, reader: StreamReader, writer: StreamWriter) -> None:
        # Clients may disconnect at any time, and Python 3.11 would log cancelled handlers.
        with closing(writer), suppress(OSError, asyncio.CancelledError):
            request_line = await reader.readline()
            while (await reader.readline()).strip():
                pass  # skip the headers
            match request_line.decode("latin-1").split():
                case ["CONNECT", address, _]:
                    self.connections.append(address)
                    await _tunnel(self._leads.get(address, address), reader, writer)
                case _:
                    writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\n\r\n")


async def _tunnel(address: str, reader: StreamReader, writer: StreamWriter) -> None:
    host, _, port = address.rpartition(":")
    try:
        server_reader, server_writer = await asyncio.open_connection(host, port)
    except OSError:
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
        return
    writer.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
    await asyncio.gather(_forward(reader, server_writer), _forward(server_reader, writer))


async def _forward(source: StreamReader, target: StreamWriter) -> None:
    # When the source closes its connection, close the target's as well.
    with closing(target):
        while chunk := await source.read(64 * 1024):
            target.write(chunk)
            await target.drain()

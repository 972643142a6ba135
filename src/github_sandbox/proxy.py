"""An ordinary forward proxy: it tunnels what a client asks for by CONNECT, and nothing else."""

import asyncio
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import closing, suppress
from typing import Self

from github_sandbox.server import HOST


class Proxy:
    """A proxy on 127.0.0.1, up while in its `with` block."""

    def __init__(self, *, leads: Mapping[str, str] | None = None) -> None:
        """Connect to what is asked for, or to where it `leads` instead, as host:port."""
        self._leads = leads or {}
        self.connections: list[str] = []
        """What was asked for, as host:port, whether it could be reached or not."""

    def __enter__(self) -> Self:
        """Start to answer."""
        self._ready: Future[int] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self.url = f"http://{HOST}:{self._ready.result()}"
        return self

    def __exit__(self, *_exception: object) -> None:
        """Break off whatever is under way."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        # Not `async with`: that would wait for the clients to go.
        with closing(await asyncio.start_server(self._answer, HOST, 0)) as server:
            self._ready.set_result(server.sockets[0].getsockname()[1])
            await self._stop.wait()

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        # Whoever goes away may; and Python 3.11 complains of a handler that is cancelled.
        with closing(writer), suppress(OSError, asyncio.CancelledError):
            request = await reader.readline()
            while (await reader.readline()).strip():
                pass  # headers are of no concern
            match request.decode("latin-1").split():
                case ["CONNECT", address, _]:
                    self.connections.append(address)
                    await _tunnel(self._leads.get(address, address), reader, writer)
                case _:
                    writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\n\r\n")


async def _tunnel(address: str, reader: StreamReader, writer: StreamWriter) -> None:
    host, _, port = address.rpartition(":")
    try:
        from_there, to_there = await asyncio.open_connection(host, port)
    except OSError:
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
        return
    writer.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
    await asyncio.gather(_pump(reader, to_there), _pump(from_there, writer))


async def _pump(source: StreamReader, sink: StreamWriter) -> None:
    # When one side has closed, the other has nobody left to talk to.
    with closing(sink):
        while chunk := await source.read(64 * 1024):
            sink.write(chunk)
            await sink.drain()

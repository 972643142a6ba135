"""A forward proxy for HTTPS. The only method that it supports is CONNECT."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping
from http import HTTPStatus

from github_sandbox.network.server_thread import HOST
from github_sandbox.network.tcp_server import TcpServer, forward


class Proxy(TcpServer):
    """A proxy on 127.0.0.1 that runs inside its `with` block."""

    def __init__(
        self, *, leads: Mapping[str, str] | None = None, refuses_with: int | None = None
    ) -> None:
        """Connect clients to the host:port they request, or to the one that `leads` maps it to.

        With `refuses_with`, respond to every CONNECT with this status instead.
        """
        self._leads = leads or {}
        self._refuses_with = refuses_with
        self._hang_ups = 0
        self.connections: list[str] = []
        """Every host:port that clients requested, reachable or not."""

    @property
    def url(self) -> str:
        """The URL of the proxy."""
        return f"http://{HOST}:{self._port}"

    def hang_up(self, times: int = 1) -> None:
        """Close the next `times` connections without a response to CONNECT."""
        self._hang_ups = times

    async def _respond(self, reader: StreamReader, writer: StreamWriter) -> None:
        request_line = await reader.readline()
        while (await reader.readline()).strip():
            pass  # skip the headers
        match request_line.decode("latin-1").split():
            case ["CONNECT", address, _]:
                self.connections.append(address)
                await self._connect(address, reader, writer)
            case _:
                writer.write(_head(HTTPStatus.METHOD_NOT_ALLOWED, "Allow: CONNECT"))

    async def _connect(self, address: str, reader: StreamReader, writer: StreamWriter) -> None:
        if self._hang_ups:
            self._hang_ups -= 1
            return
        if self._refuses_with is not None:
            writer.write(_head(self._refuses_with))
            return
        host, _, port = self._leads.get(address, address).rpartition(":")
        try:
            server = await asyncio.open_connection(host, port)
        except OSError:
            writer.write(_head(HTTPStatus.BAD_GATEWAY))
            return
        writer.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
        await forward(reader, writer, server)


def _head(status: int, *headers: str) -> bytes:
    """Return the head of an HTTP response without a body."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *headers]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()

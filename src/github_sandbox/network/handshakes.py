"""A server in front of a TLS server, on which a test can break TLS handshakes."""

import asyncio
import socket
import ssl
import struct
from asyncio import StreamReader, StreamWriter
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain, repeat
from typing import Protocol
from urllib.parse import urlsplit

from github_sandbox.network.server_thread import HOST
from github_sandbox.network.tcp_server import TcpServer, forward

HELLO_SIZE = 64 * 1024
"""More bytes than a ClientHello has, the first message of a TLS client."""


class BrokenHandshake(Protocol):
    """One way in which a TLS handshake can go wrong."""

    async def respond(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Respond to a new connection. It is closed afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class ClosedHandshake:
    """Closes the connection after the ClientHello."""

    async def respond(self, reader: StreamReader, _writer: StreamWriter) -> None:
        """Wait for the ClientHello."""
        await reader.read(HELLO_SIZE)


@dataclass(frozen=True, slots=True)
class ResetHandshake:
    """Resets the connection after the ClientHello."""

    async def respond(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Close the connection with TCP's flag RST."""
        await reader.read(HELLO_SIZE)
        # With this option, closing a socket does not wait, but resets the connection.
        no_waiting = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_waiting)
        writer.transport.abort()


@dataclass(frozen=True, slots=True)
class TlsAlert:
    """Responds with a fatal alert of TLS, such as 40 (handshake failure) or 80 (internal error)."""

    number: int

    async def respond(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Send the alert: the type of the record, TLS 1.2, two bytes, fatal, the number."""
        await reader.read(HELLO_SIZE)
        writer.write(bytes([21, 3, 3, 0, 2, 2, self.number]))


@dataclass(frozen=True, slots=True)
class PlainHttp:
    """Responds without TLS, as a web server does that expects HTTP on this port."""

    status: int = 400

    async def respond(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Send an HTTP response."""
        await reader.read(HELLO_SIZE)
        phrase = HTTPStatus(self.status).phrase
        writer.write(f"HTTP/1.1 {self.status} {phrase}\r\nContent-Length: 0\r\n\r\n".encode())


@dataclass(frozen=True, slots=True)
class ForeignCertificate:
    """Responds with the certificate of another server, and closes a connection that accepts it."""

    tls: ssl.SSLContext

    async def respond(self, _reader: StreamReader, writer: StreamWriter) -> None:
        """Do the handshake, which raises an error if the client does not accept the certificate."""
        try:
            await writer.start_tls(self.tls)
        finally:
            # To close it would need the client, and could take longer than this server runs.
            writer.transport.abort()


class BrokenHandshakes(TcpServer):
    """A server on localhost that runs inside its `with` block, in front of a TLS server.

    It forwards connections byte for byte, except those that a test has broken.
    """

    def __init__(self, server_url: str) -> None:
        """Forward to the host and port of `server_url`."""
        self._server = urlsplit(server_url)
        self._broken = chain[BrokenHandshake]()
        self.connections = 0
        """How many connections there were so far, whether broken or not."""

    @property
    def url(self) -> str:
        """The base URL, with the host that the server's certificate names."""
        return f"https://localhost:{self._port}"

    def break_next(self, broken: BrokenHandshake, *, times: int | None = 1) -> None:
        """Break the handshakes of the next `times` connections, or of all (None).

        Calls queue up: the connections of an earlier call are broken first.
        """
        self._broken = chain(self._broken, repeat(broken) if times is None else [broken] * times)

    async def _respond(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.connections += 1
        broken = next(self._broken, None)
        if broken:
            await broken.respond(reader, writer)
        else:
            server = await asyncio.open_connection(HOST, self._server.port)
            await forward(reader, writer, server)

"""A server in place of api.github.com, for the few endpoints that the sandbox lacks, and of Slack.

A proxy connects clients to it, and they trust the certificate authority of the tests.
"""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, TypeAlias
from urllib.parse import parse_qsl, urlsplit

Route: TypeAlias = Callable[[dict[str, Any]], tuple[int, object]]
"""Takes the query parameters of a GET request, or else the body; returns a status and a body."""

HOSTS = ("api.github.com", "hooks.slack.com")

CA_FILE = "/etc/ssl/authority.pem"
"""The path in a job's container."""


class ApiGithubCom:
    """Runs within its `with` block. A key of `routes` is such as `GET /repos/acme/ops/issues`."""

    def __init__(self, tls: ssl.SSLContext, certificate: Path, routes: Mapping[str, Route]) -> None:
        self.tokens: set[str] = set()
        self._certificate = certificate
        tokens = self.tokens

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.respond(dict(parse_qsl(urlsplit(self.path).query)))

            def do_POST(self) -> None:
                self.respond(json.loads(b"".join(self.body())))

            do_PATCH = do_POST  # noqa: N815 - the name that http.server calls

            def body(self) -> Iterator[bytes]:
                if self.headers["Transfer-Encoding"] != "chunked":
                    yield self.rfile.read(int(self.headers["Content-Length"]))
                    return
                # `gh api --input -` sends chunks, because it does not know the length.
                while size := int(self.rfile.readline(), base=16):
                    yield self.rfile.read(size)
                    self.rfile.readline()

            def respond(self, parameters: dict[str, Any]) -> None:
                if "Authorization" in self.headers:
                    tokens.add(self.headers["Authorization"])
                status, body = routes[f"{self.command} {urlsplit(self.path).path}"](parameters)
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        address = f"127.0.0.1:{self._server.server_address[1]}"
        self.leads = {f"{host}:443": address for host in HOSTS}
        """The address to which a proxy has to connect, by the address that a client requests."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def act_arguments(self, proxy: str, *volumes: str) -> list[str]:
        """Return the arguments with which act has a job use this server through `proxy`."""
        mounts = [f"{self._certificate}:{CA_FILE}", *volumes]
        return [
            *("--env", f"HTTPS_PROXY={proxy}", "--env", f"SSL_CERT_FILE={CA_FILE}"),
            *("--container-options", " ".join(f"-v {mount}" for mount in mounts)),
        ]

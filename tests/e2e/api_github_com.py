"""What passes for api.github.com with who trusts it: the few answers that a test gives."""

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, TypeAlias
from urllib.parse import parse_qsl, urlsplit

Route: TypeAlias = Callable[[dict[str, Any]], tuple[int, object]]
"""Takes the query, or the body, and gives a status and a body."""

IN_CONTAINER = "/etc/ssl/authority.pem"


class ApiGithubCom:
    """Up while in its `with` block; `routes` are by method and path."""

    def __init__(self, tls: ssl.SSLContext, certificate: Path, routes: Mapping[str, Route]) -> None:
        self.tokens: set[str] = set()
        self._certificate = certificate
        tokens = self.tokens

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(dict(parse_qsl(urlsplit(self.path).query)))

            def do_POST(self) -> None:
                self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            do_PATCH = do_POST  # noqa: N815 - as the library names them

            def answer(self, told: dict[str, Any]) -> None:
                tokens.add(self.headers["Authorization"])
                status, body = routes[f"{self.command} {urlsplit(self.path).path}"](told)
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.leads = {"api.github.com:443": f"127.0.0.1:{self._server.server_address[1]}"}
        """Where a proxy has to lead."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def through(self, proxy: str, *volumes: str) -> list[str]:
        """Give what has act lead a job here, with more volumes for its container."""
        mounts = [f"{self._certificate}:{IN_CONTAINER}", *volumes]
        return [
            *("--env", f"HTTPS_PROXY={proxy}", "--env", f"SSL_CERT_FILE={IN_CONTAINER}"),
            *("--container-options", " ".join(f"-v {each}" for each in mounts)),
        ]

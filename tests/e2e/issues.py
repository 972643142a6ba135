"""The issues of a repository at api.github.com, as far as an example needs them."""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

PATH = "/repos/acme/ops/issues"


class Issues:
    """https://docs.github.com/en/rest/issues/issues, up while in its `with` block."""

    def __init__(self, tls: ssl.SSLContext, certificate: Path) -> None:
        self.certificate = certificate
        self.seen_in_container = "/etc/ssl/authority.pem"
        self.opened: list[dict[str, Any]] = []
        self.tokens: set[str] = set()
        opened, tokens = self.opened, self.tokens

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = urlsplit(self.path)
                query = parse_qs(asked.query)
                assert asked.path == PATH
                assert query["creator"] == ["github-actions[bot]"]
                assert query["state"] == ["open"]
                self.answer(200, opened)

            def do_POST(self) -> None:
                assert self.path == PATH
                issue = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                opened.append(issue)
                self.answer(201, issue)

            def answer(self, status: int, body: object) -> None:
                tokens.add(self.headers["Authorization"])
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

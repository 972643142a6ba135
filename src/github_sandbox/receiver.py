"""The receiver's program: takes deliveries, writes them down, answers as it is told.

Its directory holds `behaviour.json`, read anew for every delivery, and `received.jsonl`,
to which every delivery is added before it is answered.
Standard library only: run as a script, it is up in a few hundredths of a second.
"""

import argparse
import contextlib
import hashlib
import hmac
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from typing import Any

BEHAVIOUR = {"status": 200, "delay": 0.0, "failing_events": {}, "secret": None}


class Server(ThreadingTCPServer):
    """Listens on 127.0.0.1."""

    # The port stays reserved, by a socket that only binds it, while the receiver is down.
    allow_reuse_address = True
    allow_reuse_port = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, directory: Path) -> None:
        self.directory = directory
        super().__init__(("127.0.0.1", port), Hook)

    def behaviour(self) -> dict[str, Any]:
        """Read how to answer."""
        with contextlib.suppress(FileNotFoundError):
            told = json.loads((self.directory / "behaviour.json").read_bytes())
            return {**BEHAVIOUR, **told}
        return BEHAVIOUR

    def write_down(self, received: dict[str, Any]) -> None:
        """Add one line to what was received, whole or not at all."""
        line = json.dumps(received).encode() + b"\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        journal = os.open(self.directory / "received.jsonl", flags, 0o600)
        try:
            os.write(journal, line)
        finally:
            os.close(journal)


class Hook(BaseHTTPRequestHandler):
    """Takes one delivery."""

    server: Server

    def do_POST(self) -> None:
        """Write the delivery down, then answer it."""
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        behaviour = self.server.behaviour()
        event = self.headers["X-GitHub-Event"]
        status = behaviour["failing_events"].get(event, behaviour["status"])
        self.server.write_down(
            {
                "guid": self.headers["X-GitHub-Delivery"],
                "event": event,
                "signature_valid": self.signature_valid(body, behaviour["secret"]),
                "status": status,
                "payload": json.loads(body),
            }
        )
        time.sleep(behaviour["delay"])
        with contextlib.suppress(ConnectionError):  # GitHub does not wait for ever
            self.answer(status)

    def signature_valid(self, body: bytes, secret: str | None) -> bool | None:
        """Check the signature; None if there is nothing to check it by."""
        signature = self.headers["X-Hub-Signature-256"]
        if signature is None or secret is None:
            return None
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(signature, expected)

    def answer(self, status: int) -> None:
        """Answer without a body."""
        self.send_response(status)
        if 300 <= status < 400:  # noqa: PLR2004 - redirections
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing: what was received is in the file."""


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description="Receive webhook deliveries on 127.0.0.1.")
    parser.add_argument("directory", type=Path, help="where behaviour and journal are kept")
    parser.add_argument("port", type=int)
    parser.add_argument("--leashed", action="store_true", help="stop when standard input ends")
    arguments = parser.parse_args()

    with Server(arguments.port, arguments.directory) as server:
        sys.stdout.write(f"Receiving on http://127.0.0.1:{server.server_address[1]}/hook\n")
        sys.stdout.flush()
        if arguments.leashed:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            sys.stdin.read()
        else:
            with contextlib.suppress(KeyboardInterrupt):
                server.serve_forever()


if __name__ == "__main__":
    main()

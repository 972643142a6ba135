"""Run a simulated GitHub, with a webhook that has two failed deliveries, until it is killed.

A job of .github/workflows/ci.yml runs this on Linux, macOS and Windows. So it does without the
receiver and the terminal of `python -m github_sandbox`, which need Linux or macOS.
"""

import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from github_sandbox import Sandbox

TOKEN = "simulated-token"


class Receiver(BaseHTTPRequestHandler):
    """A receiver of webhooks that responds with `status`."""

    status = 503

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def main() -> None:
    """Listen on the port that the only argument names."""
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as receiver,
        Sandbox(port=int(sys.argv[1])) as github,
    ):
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        hook = github.org("acme").hook(f"http://127.0.0.1:{receiver.server_port}/")
        github.repository("acme/ops")
        now = datetime.now(UTC)
        for hours in (3, 2):
            hook.emit("push", at=now - timedelta(hours=hours))
        Receiver.status = 200
        hook.emit("push", at=now - timedelta(hours=1))
        # The token comes last: when it works, everything else is there.
        github.token(TOKEN, organization_hooks="write", actions_variables="write")
        threading.Event().wait()


if __name__ == "__main__":
    main()

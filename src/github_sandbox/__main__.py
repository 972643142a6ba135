"""A miniature GitHub to try things on: an organization's webhook, its receiver and a token."""

import argparse
import os
import re
import signal
import textwrap
import threading
from contextlib import ExitStack

from github_sandbox.hook import Hook
from github_sandbox.receiver import Receiver
from github_sandbox.sandbox import Sandbox

TOKEN = "sandbox-token"
SECRET = "hush"


def main() -> None:
    """Run the sandbox and a receiver until a signal arrives."""
    parser = argparse.ArgumentParser(prog="python -m github_sandbox", description=__doc__)
    parser.add_argument("--port", type=_port, default=8000, help="0: any free port")
    parser.add_argument("--org", default="acme", help="organization that owns the webhook")
    parser.add_argument(
        "--repo",
        type=_repository,
        default="acme/ops",
        help="repository with the checkpoint's variable",
    )
    parser.add_argument(
        "--answer", type=_status, default=200, help="status code that the receiver responds with"
    )
    arguments = parser.parse_args()

    interrupted = threading.Event()
    # SIGINT needs a handler too: shells have background processes ignore it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())

    with ExitStack() as stack:
        try:
            github = stack.enter_context(Sandbox(port=arguments.port))
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            parser.error(f"argument --port: {reason}: name another, or 0 for any free port")
        receiver = stack.enter_context(Receiver(secret=SECRET))
        hook = _create_hook(github, receiver, arguments)
        print(_instructions(github, hook, arguments.repo, arguments.answer), flush=True)
        interrupted.wait()


def _port(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) >= 2**16:
        raise argparse.ArgumentTypeError("must be a number from 0 to 65535; 0 is any free port")
    return int(text)


def _repository(text: str) -> str:
    if not re.fullmatch("[^/]+/[^/]+", text):
        raise argparse.ArgumentTypeError("must be a repository as owner/name")
    return text


def _status(text: str) -> int:
    if not re.fullmatch("[1-5][0-9]{2}", text):
        raise argparse.ArgumentTypeError("must be a status code from 100 to 599")
    return int(text)


def _create_hook(github: Sandbox, receiver: Receiver, arguments: argparse.Namespace) -> Hook:
    """Create a hook with three deliveries, two of which failed because the receiver was down."""
    github.token(TOKEN, organization_hooks="write", actions_variables="write")
    github.repository(arguments.repo)
    hook = github.org(arguments.org).hook(receiver.url, secret=SECRET)
    hook.emit("push")
    receiver.stop()
    hook.emit("push")
    hook.emit("pull_request", action="opened")
    receiver.start()
    receiver.behave(status=arguments.answer)
    return hook


def _instructions(github: Sandbox, hook: Hook, repository: str, status: int) -> str:
    deliveries = f"{github.url}/orgs/{hook.org}/hooks/{hook.id}/deliveries"
    failed = hook.log[0]["id"]
    return textwrap.dedent(
        f"""\
        The miniature GitHub is at {github.url}, and at {github.url}/api/v3.

        token       {TOKEN}
        org         {hook.org}
        hook-id     {hook.id}
        repository  {repository}

        The receiver missed two of three deliveries. It now responds with status {status}.

        List the deliveries, and redeliver the newest:

            curl -H 'Authorization: Bearer {TOKEN}' {deliveries}
            curl -H 'Authorization: Bearer {TOKEN}' -X POST \\
                {deliveries}/{failed}/attempts

        Run redeliver for the rest, as a runner does:

            INPUT_TOKEN={TOKEN} INPUT_ORG={hook.org} INPUT_HOOK_ID={hook.id} \\
                INPUT_VARIABLE_NAME=LAST_REDELIVERY GITHUB_REPOSITORY={repository} \\
                GITHUB_API_URL={github.url} GITHUB_OUTPUT=/dev/null \\
                .venv/bin/python -m redeliver

        or as a command, from a shell or cron:

            GH_TOKEN={TOKEN} .venv/bin/redeliver --hostname {github.url} \\
                --org {hook.org} --hook-id {hook.id} --checkpoint-file /tmp/checkpoint.json

        Ctrl-C stops the miniature GitHub and the receiver."""
    )


if __name__ == "__main__":
    main()

"""A GitHub to try things on: one organization with one hook, its receiver, one token."""

import argparse
import signal
import textwrap
import threading

from github_sandbox.handles import Hook
from github_sandbox.receiver_process import Receiver
from github_sandbox.sandbox import Sandbox

TOKEN = "sandbox-token"
SECRET = "hush"


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m github_sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="0: any that is free")
    parser.add_argument("--org", default="acme", help="owner of the hook")
    parser.add_argument("--repo", default="acme/ops", help="where to keep the checkpoint")
    parser.add_argument("--answer", type=int, default=200, help="what the receiver answers now")
    arguments = parser.parse_args()

    interrupted = threading.Event()
    # Explicitly, for a shell has what it runs in the background ignore Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())

    with Receiver(secret=SECRET) as receiver, Sandbox(port=arguments.port) as github:
        github.token(TOKEN, organization_hooks="write", actions_variables="write")
        github.repository(arguments.repo)
        hook = github.org(arguments.org).hook(receiver.url, secret=SECRET)
        # Something to redeliver: what happened while the receiver was down.
        hook.emit("push")
        receiver.stop()
        hook.emit("push")
        hook.emit("pull_request", action="opened")
        receiver.start()
        receiver.behave(status=arguments.answer)
        instructions = _instructions(github, hook, arguments.repo, arguments.answer)
        print(instructions, flush=True)
        interrupted.wait()


def _instructions(github: Sandbox, hook: Hook, repository: str, answer: int) -> str:
    deliveries = f"{github.url}/orgs/{hook.org}/hooks/{hook.id}/deliveries"
    failed = hook.log[0]["id"]
    return textwrap.dedent(
        f"""\
        GitHub in miniature is at {github.url}, and at {github.url}/api/v3.

        token       {TOKEN}
        org         {hook.org}
        hook-id     {hook.id}
        repository  {repository}

        The receiver missed two of three deliveries, and now answers {answer}:

            curl -H 'Authorization: Bearer {TOKEN}' {deliveries}
            curl -H 'Authorization: Bearer {TOKEN}' -X POST \\
                {deliveries}/{failed}/attempts

        redeliver brings back what is left, as a runner would start it:

            INPUT_TOKEN={TOKEN} INPUT_ORG={hook.org} INPUT_HOOK_ID={hook.id} \\
                INPUT_VARIABLE_NAME=LAST_REDELIVERY GITHUB_REPOSITORY={repository} \\
                GITHUB_API_URL={github.url} .venv/bin/python -m redeliver

        or as from a shell or cron:

            GH_TOKEN={TOKEN} .venv/bin/redeliver --hostname {github.url} \\
                --org {hook.org} --hook-id {hook.id} --checkpoint-file checkpoint.json

        Ctrl-C ends it all."""
    )


if __name__ == "__main__":
    main()

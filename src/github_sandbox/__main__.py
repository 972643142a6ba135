"""Run a simulated GitHub on which to try redeliver.

It has an organization with a webhook, a receiver for the webhook's events, and tokens. While it
runs, it reads commands from standard input, such as: down, up, send 20.
"""

import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from github_sandbox.command import flags
from github_sandbox.command.clock import MovableClock
from github_sandbox.command.instructions import OUTPUTS, instructions
from github_sandbox.command.scene import Scene
from github_sandbox.command.standard_input import typed_lines
from github_sandbox.command.typed_commands import TypedCommands
from github_sandbox.receiver import Receiver
from github_sandbox.sandbox import Sandbox

SECRET = "hush"


def main() -> None:
    """Run the sandbox and a receiver until a signal arrives or `quit` is typed."""
    parser = flags.create_parser(__doc__)
    options = flags.parse(parser)
    stop = Event()
    # SIGINT needs a handler, too, because shells make background processes ignore it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)

    clock = MovableClock()
    with ExitStack() as stack:
        try:
            github = stack.enter_context(Sandbox(port=options.port, clock=clock))
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            parser.error(f"argument --port: {reason}: choose another port, or 0 for any free one")
        receiver = stack.enter_context(Receiver(secret=SECRET))
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="redeliver-")))
        (directory / OUTPUTS).touch()  # like a runner: the action does not create this file
        scene = Scene(github, receiver, clock, secret=SECRET)
        scene.fail_in_the_past(options.failures)
        state = scene.bring_up()
        print(instructions(scene, receiver=state, directory=directory), flush=True)
        commands = TypedCommands(scene, stop=stop.set)
        for line in typed_lines(stop):
            if line.strip():
                print(commands.run(line), flush=True)
        if not stop.is_set() and sys.stdin and sys.stdin.isatty():
            print("This program no longer reads commands. Press Ctrl-C to stop it.", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()

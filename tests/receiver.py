"""The receiver, which forks from a process that has been through its imports already."""

from pathlib import Path

import github_sandbox
from github_sandbox.process import Process
from tests.warm import imported

IMPORTS = ("argparse", "hashlib", "hmac", "http.server", "json", "threading")
"""What takes long of what the receiver's program imports."""


class Receiver(github_sandbox.Receiver):
    """A receiver as `github_sandbox` has it, but that it is up at once."""

    def _begin(self, program: Path, *arguments: str, stdin: int, stdout: int) -> Process:
        return imported(*IMPORTS, flags=("-I", "-S")).begin(
            str(program),
            *arguments,
            environment={},
            directory=program.parent,
            stdin=stdin,
            stdout=stdout,
            stderr=2,
        )

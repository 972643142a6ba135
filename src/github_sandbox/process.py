"""A process that was started: by `subprocess.Popen`, or by what a test uses in its place."""

from typing import Protocol


class Process(Protocol):
    """The methods of `subprocess.Popen` that are used here."""

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        ...

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends, or raise `subprocess.TimeoutExpired` after `timeout` seconds."""
        ...

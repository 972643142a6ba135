"""A process that was started: a new interpreter, or whatever a test has in its place."""

from typing import Protocol


class Process(Protocol):
    """As much of `subprocess.Popen` as is used here."""

    def kill(self) -> None:
        """Kill it in a way it cannot notice."""
        ...

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, or raise `subprocess.TimeoutExpired` after `timeout` seconds."""
        ...

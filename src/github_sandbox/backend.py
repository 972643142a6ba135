"""The running server that all objects of a test act on."""

from dataclasses import dataclass

from github_sandbox.delivery.dispatcher import Dispatcher
from github_sandbox.model.state import State
from github_sandbox.network.server_thread import ServerThread


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Its thread, what it knows, and what delivers its events."""

    server: ServerThread
    state: State
    dispatcher: Dispatcher

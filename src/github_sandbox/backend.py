"""The parts of a running sandbox that hooks, organizations and other objects act on."""

from dataclasses import dataclass

from github_sandbox.delivery.dispatcher import Dispatcher
from github_sandbox.model.state import State
from github_sandbox.network.server_thread import ServerThread


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The server thread of a sandbox, its state, and its dispatcher of deliveries."""

    server: ServerThread
    state: State
    dispatcher: Dispatcher

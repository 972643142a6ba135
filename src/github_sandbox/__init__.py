"""A simulated GitHub over HTTP: webhooks that really deliver, access control, and faults."""

from github_sandbox.clock import VirtualClock
from github_sandbox.faults import (
    Delay,
    Dropped,
    Fault,
    InvalidBody,
    LostResponse,
    Meanwhile,
    Status,
    Swallowed,
    Truncated,
)
from github_sandbox.hook import Hook
from github_sandbox.model.entities import InstallationToken
from github_sandbox.model.state import Request
from github_sandbox.network.handshakes import (
    BrokenHandshake,
    BrokenHandshakes,
    ClosedHandshake,
    ForeignCertificate,
    PlainHttp,
    ResetHandshake,
    TlsAlert,
)
from github_sandbox.network.proxy import Proxy
from github_sandbox.objects import App, Installation, Organization, Repository
from github_sandbox.receiver import Received, Receiver
from github_sandbox.sandbox import Sandbox

__all__ = [
    "App",
    "BrokenHandshake",
    "BrokenHandshakes",
    "ClosedHandshake",
    "Delay",
    "Dropped",
    "Fault",
    "ForeignCertificate",
    "Hook",
    "Installation",
    "InstallationToken",
    "InvalidBody",
    "LostResponse",
    "Meanwhile",
    "Organization",
    "PlainHttp",
    "Proxy",
    "Received",
    "Receiver",
    "Repository",
    "Request",
    "ResetHandshake",
    "Sandbox",
    "Status",
    "Swallowed",
    "TlsAlert",
    "Truncated",
    "VirtualClock",
]

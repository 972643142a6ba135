"""GitHub in miniature: organization hooks that really deliver, and what can go wrong."""

from github_sandbox.clock import VirtualClock
from github_sandbox.faults import (
    Delay,
    Dropped,
    Fault,
    Garbage,
    LostReply,
    Meanwhile,
    Status,
    Truncated,
)
from github_sandbox.proxy import Proxy
from github_sandbox.receiver_process import Received, Receiver
from github_sandbox.sandbox import Hook, Organization, Sandbox
from github_sandbox.world import Repository, Request

__all__ = [
    "Delay",
    "Dropped",
    "Fault",
    "Garbage",
    "Hook",
    "LostReply",
    "Meanwhile",
    "Organization",
    "Proxy",
    "Received",
    "Receiver",
    "Repository",
    "Request",
    "Sandbox",
    "Status",
    "Truncated",
    "VirtualClock",
]

"""GitHub in miniature: organization hooks that really deliver, and what can go wrong."""

from github_sandbox.faults import Delay, Dropped, Fault, Garbage, LostReply, Status, Truncated
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
    "Organization",
    "Received",
    "Receiver",
    "Repository",
    "Request",
    "Sandbox",
    "Status",
    "Truncated",
]

"""Adapt messages to the command: flags for inputs, no secrets, nothing that acts on a terminal."""

import re
from collections.abc import Mapping

from redeliver.cli.environment import NAMES, Invocation
from redeliver.sanitize import MIN_SECRET_LENGTH, sanitize, secret_parts
from redeliver.settings import SECRETS


class Wording:
    """Turns a message into a line for a terminal, with secrets masked, as a runner would do."""

    def __init__(self) -> None:
        self._names = NAMES
        self._secrets: set[str] = set()

    def learn(self, invocation: Invocation) -> None:
        """Learn what messages call the inputs, and which values are secrets.

        Forget the secrets of the run before: in a loop, each run may have new tokens.
        """
        self._names = invocation.names
        self._secrets = set()
        for name in SECRETS:
            for secret in secret_parts(invocation.inputs[name]):
                self.hide(secret)

    def hide(self, secret: str) -> None:
        """Mask `secret` from now on."""
        if len(secret) >= MIN_SECRET_LENGTH:
            self._secrets.add(secret)

    def without_secrets(self, text: str) -> str:
        """Replace every secret in `text` with stars."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def in_flags(self, text: str) -> str:
        """Replace the names of inputs in a message by those that the command has."""
        return in_flags(text, self._names)

    def __call__(self, text: str) -> str:
        """Return `text` as a line that can be printed."""
        # Twice, because sanitizing can split a secret, and can join parts into one.
        return self.without_secrets(sanitize(self.in_flags(self.without_secrets(text))))


def in_flags(text: str, names: Mapping[str, str] = NAMES) -> str:
    """Replace the names of inputs by those of flags and variables."""
    return re.sub(rf"(?:\binputs? )?'({'|'.join(names)})'", lambda match: names[match[1]], text)

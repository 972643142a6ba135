"""Say in a terminal what the program says of inputs and workflows, safe to print."""

import re
from collections.abc import Mapping

from redeliver.cli.environment import NAMES, Invocation
from redeliver.sanitize import MIN_SECRET_LENGTH, sanitize, secret_parts
from redeliver.settings import COMES_OUT_EMPTY, SECRETS

WORDS: Mapping[str, str] = {
    f". {COMES_OUT_EMPTY}": "",
    "input 'token' must be set, usually from a secret, or 'app-id' and 'private-key'": "there is "
    "no token: set REDELIVER_TOKEN or GH_TOKEN, or give --app-id and --private-key-file",
    "input 'variable-repository' must be set, as owner/name": "where is the checkpoint to be kept? "
    "Give --checkpoint-file, or --variable-repository for an Actions variable there, or an empty "
    "--variable-name to keep none and look back --lookback every time",
    "save the secret again,": "set it again,",
    " and save it in the secret that the input reads": "",
    ". The workflow's own GITHUB_TOKEN can never have it": "",
    "(or GITHUB_API_URL, when that is empty) ": "",
    ": a Docker action sees the workspace, as /github/workspace, and no other files": "",
    "the runner's clock": "this machine's clock",
    "a runner's own clock": "this machine's own clock",
    "The step's log": "The output above",
    "the step's log": "the output above",
}
"""What a step of a workflow is told, and what that is here."""


class Wording:
    """Puts what is said into a terminal's words: harmless, and without a secret.

    No runner is there to mask them.
    """

    def __init__(self) -> None:
        self._names = NAMES
        self._secrets: set[str] = set()

    def learn(self, invocation: Invocation) -> None:
        """Take in what the inputs are called, and which of them nothing may show."""
        self._names = invocation.names
        for name in SECRETS:
            for secret in secret_parts(invocation.inputs[name]):
                self.hide(secret)

    def hide(self, secret: str) -> None:
        """Never show `secret` from now on."""
        if len(secret) >= MIN_SECRET_LENGTH:
            self._secrets.add(secret)

    def without_secrets(self, text: str) -> str:
        """Return `text` with stars in place of secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def __call__(self, text: str) -> str:
        """Return `text` as a line that can be printed."""
        # Twice: to make it harmless may divide a secret, and may join one.
        return self.without_secrets(sanitize(in_flags(self.without_secrets(text), self._names)))


def in_flags(text: str, names: Mapping[str, str] = NAMES) -> str:
    """Call the inputs what they are called here, and leave workflows out of it."""
    for workflow, terminal in WORDS.items():
        text = text.replace(workflow, terminal)
    return re.sub(rf"(?:\binputs? )?'({'|'.join(names)})'", lambda match: names[match[1]], text)

"""The door from a terminal or cron: flags and environment in; lines, a table or JSON out.

What it needs beside the action, click and rich, is an extra of the package. An exit status says
what to do about it, as sysexits.h has them: see STATUSES.
"""

import os
import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from redeliver import settings, wiring
from redeliver.cli.checkpoint_file import CheckpointFile, locked
from redeliver.console import Console
from redeliver.errors import (
    AccessError,
    BusyError,
    CheckpointError,
    FileError,
    InputError,
    Interrupted,
    RateLimitError,
    RedeliverError,
    UnavailableError,
)
from redeliver.interruption import interruptible
from redeliver.reporting import messages, outputs
from redeliver.sanitize import MIN_SECRET_LENGTH, sanitize, secret_parts
from redeliver.settings import COMES_OUT_EMPTY, INPUTS, SECRETS, VARIABLE_NAME

if TYPE_CHECKING:
    from redeliver.cli.terminal import Stream

EXIT_STATUSES: Mapping[int, str] = {
    os.EX_OK: "Done. What was left for the next run is in the warnings, but for what "
    "--max-redeliveries leaves.",
    1: "The run went through, but something could not be dealt with; with --fail-on unrecovered, "
    "also if something is still failing, was given up, or has left or may leave GitHub's log.",
    os.EX_USAGE: "The flags, or the environment, are wrong. GitHub was not asked.",
    os.EX_DATAERR: "The variable or the file holds something that is no checkpoint.",
    os.EX_UNAVAILABLE: "GitHub gave no answer, or none that can be used; or the command is not "
    "installed completely.",
    os.EX_SOFTWARE: "A bug: please report it.",
    os.EX_CANTCREAT: "The checkpoint's file cannot be read or written.",
    os.EX_IOERR: "The run went through, but the report could not be written to the standard "
    "output.",
    os.EX_TEMPFAIL: "Come back later: another run holds the checkpoint's file, or GitHub wants no "
    "more requests for now.",
    os.EX_NOPERM: "The token, or the App, may not do what it takes, or what was named does not "
    "exist. Nothing was redelivered.",
    130: "Stopped by SIGINT. Nothing is lost.",
    143: "Stopped by SIGTERM. Nothing is lost.",
}
"""What each exit status says; docs/own-server.md has the same."""

STATUS_OF: Mapping[type[RedeliverError], int] = {
    InputError: os.EX_USAGE,
    CheckpointError: os.EX_DATAERR,
    FileError: os.EX_CANTCREAT,
    BusyError: os.EX_TEMPFAIL,
    RateLimitError: os.EX_TEMPFAIL,  # before what it is a kind of
    UnavailableError: os.EX_UNAVAILABLE,
    AccessError: os.EX_NOPERM,
}
"""The exit status for each error that ends a run; the first that fits."""

ENVIRONMENT: Mapping[str, str] = {
    "REDELIVER_TOKEN, GH_TOKEN": "Token that reads the webhook's deliveries and redelivers them. "
    "GH_TOKEN is used if neither REDELIVER_TOKEN nor --app-id is given.",
    "REDELIVER_PRIVATE_KEY": "Private key of --app-id, unless there is a --private-key-file.",
    "REDELIVER_VARIABLE_TOKEN": "Another token, for --variable-repository.",
    "REDELIVER_…": "Every other flag but --json, such as REDELIVER_HOOK_ID for --hook-id. "
    "REDELIVER_DRY_RUN is true or false. Flags go first.",
}
"""What may be given otherwise than by flags."""

FILES = ("checkpoint-file", "private-key-file")
"""What can be given beside the inputs."""

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

LONGEST_KEY = 20_000
"""Characters that are read of a private key; the longest in use have 13,000."""


def main() -> int:
    """Run once as the command line wants it, and return the exit status."""
    if not (find_spec("click") and find_spec("rich")):
        sys.stderr.write("redeliver: the command needs more: pip install 'redeliver[cli]'\n")
        return os.EX_UNAVAILABLE
    from redeliver.cli import terminal  # noqa: PLC0415 - an extra, which may be missing

    errors, wording = terminal.Stream(sys.stderr), Wording()
    try:
        return _run(errors, wording)
    except RedeliverError as error:
        errors.write(wording(f"Error: {error}"))
        return next(status for kind, status in STATUS_OF.items() if isinstance(error, kind))
    except Interrupted as stop:
        errors.write(wording(f"Error: {messages.stopped(stop.signal)}"))
        return 128 + stop.signal
    except Exception:  # noqa: BLE001 - a bug keeps its traceback, yet even that may quote the outside
        for line in traceback.format_exc().splitlines():
            errors.write(wording(line))
        errors.write("Error: this is a bug in redeliver: please report it with the lines above")
        return os.EX_SOFTWARE


def _run(errors: "Stream", wording: "Wording") -> int:
    from redeliver.cli import flags, terminal  # noqa: PLC0415 - extras, which may be missing

    arguments = sys.argv[1:]
    _refuse_secrets(arguments, os.environ)
    tables = {
        "Environment": ENVIRONMENT,
        "Exit status": {str(k): v for k, v in EXIT_STATUSES.items()},
    }
    found = flags.parse(arguments, tables=tables)
    if found is None:
        return os.EX_OK
    invocation = resolve(found.values, os.environ)
    wording.learn(invocation)
    wanted, file = settings.parse(invocation.inputs), invocation.checkpoint_file
    out = terminal.Stream(sys.stdout)
    with (
        locked(file) if file else nullcontext(),
        terminal.screen(errors if found.as_json else out, errors, wording) as screen,
        interruptible(),
    ):
        done = wiring.redeliver(
            wanted,
            Console(say=screen.say, progress=screen.progress, mask=wording.hide),
            store_in=(lambda clock: CheckpointFile(file, clock=clock)) if file else None,
        )
    screen.conclude(done)
    for warning in messages.warnings(done):
        errors.write(wording(f"Warning: {warning}"))
    if problem := messages.problem(done):
        errors.write(wording(f"Error: {problem}"))
    if found.as_json:
        out.write(wording.without_secrets(outputs.to_json(done)))
        if out.is_broken:
            errors.write("Error: the report could not be written to the standard output")
            return done.status or os.EX_IOERR
    return done.status


def _refuse_secrets(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Raise `InputError` if there is a secret on the command line, wherever it stands."""
    secrets = [environment.get(name, "") for name in (*map(variable_of, SECRETS), "GH_TOKEN")]
    known = [secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH]
    for argument in arguments:
        if re.search(r"(gh[a-z]_|github_pat_)\w{20}|-----BEGIN", argument) or any(
            secret in argument for secret in known
        ):
            raise InputError(
                "what looks like a secret is on the command line, which is there for all to see "
                "and may be kept in a history. Have GitHub revoke it, make another, and set that "
                "in the environment: see --help"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What flags and environment say, understood."""

    inputs: Mapping[str, str] = field(repr=False)
    names: Mapping[str, str]
    """What each input, and each file, is called here."""
    checkpoint_file: Path | None


def variable_of(name: str) -> str:
    """Name the environment variable of an input or a flag."""
    return f"REDELIVER_{name.upper().replace('-', '_')}"


NAMES: Mapping[str, str] = {
    name: variable_of(name) if name in SECRETS else f"--{name}" for name in (*INPUTS, *FILES)
}
"""What an input, or a file, is called here, unless it was given otherwise."""


def resolve(flags: Mapping[str, str], environment: Mapping[str, str]) -> Invocation:
    """Find what each input is to be, or raise `InputError`."""
    known = {variable_of(name): name for name in (*INPUTS, *FILES)}
    unknown = {each for each in environment if each.startswith(variable_of(""))} - known.keys()
    if unknown:  # a slip of the pen, such as in a filter, must not go unseen
        told = ", ".join(sorted(unknown))
        raise InputError(f"there is no variable {told}; --help lists what there is")
    in_variables = {known[each]: environment[each] for each in environment if each in known}
    given = in_variables | dict(flags)
    inputs = {name: given.get(name, "") for name in INPUTS}
    # What is empty was not given by that variable, so the flag is the better name.
    by_variable = [name for name in in_variables if name not in flags and given[name]]
    names = {**NAMES, **{name: variable_of(name) for name in by_variable}}
    if not inputs["token"] and not inputs["app-id"] and environment.get("GH_TOKEN"):
        inputs["token"], names["token"] = environment["GH_TOKEN"], "GH_TOKEN"
    if given.get("private-key-file"):
        file_name = names["private-key-file"]
        if inputs["private-key"]:
            raise InputError(f"either {file_name} or {names['private-key']} must be empty")
        inputs["private-key"] = _private_key(Path(given["private-key-file"]), file_name)
        names["private-key"] = file_name
    if not inputs["hostname"] and environment.get("GH_HOST"):
        inputs["hostname"], names["hostname"] = environment["GH_HOST"], "GH_HOST"
    inputs["hostname"] = inputs["hostname"] or "github.com"
    file = given.get("checkpoint-file")
    if file:
        _refuse_both(inputs, names)
    elif "variable-name" not in given:
        inputs["variable-name"] = VARIABLE_NAME
    return Invocation(inputs=inputs, names=names, checkpoint_file=Path(file) if file else None)


def _private_key(file: Path, name: str) -> str:
    try:
        with file.open(encoding="ascii", errors="replace") as opened:
            return opened.read(LONGEST_KEY)
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from error


def _refuse_both(inputs: Mapping[str, str], names: Mapping[str, str]) -> None:
    variable = ("variable-repository", "variable-name", "variable-token")
    both = [names["checkpoint-file"], *(names[name] for name in variable if inputs[name])]
    if len(both) > 1:
        raise InputError(
            f"{both[0]} and {both[1]} are two places for one checkpoint: give only one"
        )


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

"""Resolve flags and environment variables into the inputs of a run."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from redeliver.errors import InputError
from redeliver.sanitize import MIN_SECRET_LENGTH
from redeliver.settings import INPUTS, SECRETS, TOKEN, UNITS, VARIABLE_NAME, Settings, parse

ENVIRONMENT: Mapping[str, str] = {
    "REDELIVER_TOKEN, GH_TOKEN": "Token that reads the webhook's deliveries and redelivers them. "
    "GH_TOKEN is used only if neither REDELIVER_TOKEN nor --client-id is set.",
    "REDELIVER_PRIVATE_KEY": "Private key of the GitHub App, instead of --private-key-file.",
    "REDELIVER_VARIABLE_TOKEN": "A different token for the variable in --variable-repository.",
    "REDELIVER_…": "Every flag except --json can also be set as a variable, such as "
    "REDELIVER_HOOK_ID for --hook-id. REDELIVER_DRY_RUN, REDELIVER_AT_ONCE, REDELIVER_QUIET and "
    "REDELIVER_INCLUDE_DELIVERED are true or false. A flag overrides the variable.",
}
"""The environment variables, for the help."""

COMMAND_ONLY = ("checkpoint-file", "private-key-file", "every", "at-once", "metrics-file", "quiet")
"""The options that are not inputs of the action."""

MAX_INTERVAL = timedelta(hours=24)
"""The longest time from one run of a loop to the next: GitHub keeps its log for three days."""

MAX_KEY_LENGTH = 20_000
"""How many characters of a private key are read; the longest in use have 13,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """The inputs that flags and environment variables give."""

    inputs: Mapping[str, str] = field(repr=False)
    names: Mapping[str, str]
    """What messages call each option: the flag or the variable that gave it."""
    checkpoint_file: Path | None
    every: str
    """Empty to run once."""
    at_once: bool
    """Whether no event waits after a failed redelivery."""
    metrics_file: Path | None
    is_quiet: bool
    """Whether a run without trouble prints nothing."""


def variable_of(name: str) -> str:
    """Return the environment variable of an input or a flag."""
    return f"REDELIVER_{name.upper().replace('-', '_')}"


NAMES: Mapping[str, str] = {
    name: variable_of(name) if name in SECRETS else f"--{name}" for name in (*INPUTS, *COMMAND_ONLY)
}
"""What messages call an option that no environment variable gave."""


def resolve(flags: Mapping[str, str], environment: Mapping[str, str]) -> Invocation:
    """Return the value of each input, or raise `InputError`."""
    in_variables = _in_variables(environment, flags)
    given = in_variables | dict(flags)
    inputs = {name: given.get(name, "") for name in INPUTS}
    # An empty variable gave nothing, so messages name the flag.
    by_variable = [name for name in in_variables if name not in flags and given[name]]
    called = {**NAMES, **{name: variable_of(name) for name in by_variable}}
    if inputs["app-id"] and not inputs["client-id"]:
        called["client-id"] = called["app-id"]
    if not (inputs["token"] or inputs["client-id"] or inputs["app-id"]):
        gh_token = environment.get("GH_TOKEN", "")
        inputs["token"] = gh_token
        called |= {"token": "GH_TOKEN" if gh_token else "REDELIVER_TOKEN or GH_TOKEN"}
    if not inputs["private-key"]:
        called["private-key"] = "--private-key-file"
    if given.get("private-key-file"):
        file_name = called["private-key-file"]
        if inputs["private-key"]:
            raise InputError(
                f"{file_name} and {called['private-key']} cannot both be set: remove one"
            )
        inputs["private-key"] = _private_key(Path(given["private-key-file"]), file_name)
        called["private-key"] = file_name
    if not inputs["hostname"] and environment.get("GH_HOST"):
        inputs["hostname"], called["hostname"] = environment["GH_HOST"], "GH_HOST"
    inputs["hostname"] = inputs["hostname"] or "github.com"
    file, metrics_file = given.get("checkpoint-file"), given.get("metrics-file")
    if file:
        _refuse_both(inputs, called)
    elif "variable-name" not in given:
        inputs["variable-name"] = VARIABLE_NAME
    return Invocation(
        inputs=inputs,
        names=called,
        checkpoint_file=Path(file) if file else None,
        every=given.get("every", "").strip(),
        at_once=_switch(given.get("at-once", ""), called["at-once"]),
        metrics_file=Path(metrics_file) if metrics_file else None,
        is_quiet=_switch(given.get("quiet", ""), called["quiet"]),
    )


def _in_variables(environment: Mapping[str, str], flags: Mapping[str, str]) -> dict[str, str]:
    """Return what the environment sets, by the name of the flag, or raise `InputError`."""
    known = {variable_of(name): name for name in (*INPUTS, *COMMAND_ONLY)}
    unknown = {name for name in environment if name.startswith(variable_of(""))} - known.keys()
    if unknown:  # a typing error in the name of a filter must not go unnoticed
        names = " or ".join(sorted(unknown))
        raise InputError(
            f"redeliver has no environment variable {names}. Check the spelling, and see --help"
        )
    found = {known[name]: environment[name] for name in environment if name in known}
    if {"client-id", "app-id"} & flags.keys():  # a flag overrides the variables of both names
        found |= {"client-id": "", "app-id": ""}
    return found


def _switch(text: str, name: str) -> bool:
    if text.strip() not in {"", "true", "false"}:
        raise InputError(f"{name} must be true or false")
    return text.strip() == "true"


def _private_key(file: Path, name: str) -> str:
    try:
        with file.open(encoding="ascii", errors="replace") as opened:
            return opened.read(MAX_KEY_LENGTH)
    except OSError as error:
        raise InputError(
            f"the file in {name} cannot be read: {error.strerror}. Check its path, and that the "
            "user who runs redeliver may read it"
        ) from error


def _refuse_both(inputs: Mapping[str, str], names: Mapping[str, str]) -> None:
    variable = ("variable-repository", "variable-name", "variable-token")
    both = [names["checkpoint-file"], *(names[name] for name in variable if inputs[name])]
    if len(both) > 1:
        raise InputError(
            f"{both[0]} and {both[1]} cannot both be set: the checkpoint is either in a file or "
            "in a variable. Remove one of them"
        )


def parse_settings(invocation: Invocation, *, at_once: bool = False) -> Settings:
    """Parse the inputs, or raise `InputError` with advice for the command.

    With `at_once`, no event waits after a failed redelivery, whatever `invocation` says.
    """
    choice = (
        "say where to keep the checkpoint: --checkpoint-file FILE, --variable-repository "
        "OWNER/NAME, or --variable-name '' for nowhere. A run with --since or --guids needs none"
    )
    return parse(
        invocation.inputs,
        names=invocation.names,
        if_missing={"variable-repository": choice},
        at_once=at_once or invocation.at_once,
    )


def parse_interval(invocation: Invocation, settings: Settings) -> timedelta | None:
    """Return the time from the start of a run to the start of the next, or raise `InputError`.

    Return None to run once.
    """
    text, name = invocation.every, invocation.names["every"]
    if not text:
        return None
    match = re.fullmatch(r"([1-9][0-9]{0,4})([smh])", text)
    interval = timedelta(**{UNITS[match[2]]: int(match[1])}) if match else timedelta.max
    if interval > MAX_INTERVAL:
        raise InputError(
            f"{name} must be a number of seconds, minutes or hours from 1s to 24h, such as 30s, 5m "
            "or 1h"
        )
    if settings.options.is_replay:
        which = "since" if settings.options.since is not None else "guids"
        raise InputError(
            f"{name} and {invocation.names[which]} cannot both be set: each run would redeliver "
            "the same events again"
        )
    has_checkpoint = invocation.checkpoint_file or settings.variable_name
    if not has_checkpoint and not settings.options.dry_run:
        raise InputError(
            f"{name} needs a checkpoint, because without one a run does not know what the run "
            "before it has redelivered: set --checkpoint-file FILE or --variable-repository "
            "OWNER/NAME. Only a dry run needs none"
        )
    return interval


def refuse_secrets(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Raise `InputError` if any argument has a secret in it."""
    secrets = [environment.get(name, "") for name in (*map(variable_of, SECRETS), "GH_TOKEN")]
    known = [secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH]
    for argument in arguments:
        is_token_or_key = TOKEN.search(argument) or "-----BEGIN" in argument
        if is_token_or_key or any(secret in argument for secret in known):
            raise InputError(
                "the command line has a secret, or what looks like one. Other users of this "
                "machine can see it there, and your shell may keep it in its history. Revoke it on "
                "GitHub, create a new one, and set that in an environment variable: see --help"
            )

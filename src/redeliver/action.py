"""The entry point of the action: inputs in; masks, log, annotations, outputs and summary out."""

import os
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from errno import ENOENT
from pathlib import Path

from actions_toolkit import core

from redeliver import settings, wiring
from redeliver.console import ProgressLines
from redeliver.errors import Interrupted, RedeliverError, UnavailableError
from redeliver.github_api.network_errors import bundle_variable
from redeliver.interruption import interruptible
from redeliver.reporting import messages, outputs, summary
from redeliver.sanitize import sanitize, secret_parts, truncate
from redeliver.settings import SECRETS

MAX_LINE = 4000
"""Characters. GitHub truncates an annotation that is longer than 4,096. A pipe takes up to 4,096
bytes in one write; a signal could cut a longer line, and Python would not write the rest."""


def main() -> int:
    """Run once as a step of a workflow, and return the exit status."""
    if sys.stdout is None:  # it was closed before the start
        _lose_log()
    try:
        return _step()
    except RedeliverError as error:
        return _failed(f"{error}{_hint(error)}", 1)
    except Interrupted as stop:
        return _failed(messages.stopped(stop.signal), 128 + stop.signal)
    except Exception:  # noqa: BLE001 - even the traceback of a bug is sanitized
        for line in traceback.format_exc().splitlines():
            _say(line)
        _error("this is a bug in redeliver. Please report it with the lines above")
        return 1


def _step() -> int:
    with interruptible():
        inputs = _inputs()
        for name in SECRETS:
            # The runner masks a secret as it was saved; here it has no surrounding spaces.
            for secret in secret_parts(inputs[name]):
                _mask(secret)
        done = wiring.redeliver(_settings(inputs), _WorkflowLog())
    # What matters most comes first, in case that something goes wrong here.
    for warning in messages.warnings(done):
        _warning(_line(warning))
    if problem := messages.problem(done):
        _error(_line(problem))
    _set_outputs(outputs.outputs(done))
    _summarize(summary.summary(done))
    return done.status


def _inputs() -> dict[str, str]:
    """Read every input from the environment."""
    inputs = {name: _input(name) for name in settings.INPUTS}
    inputs["variable-repository"] = inputs["variable-repository"] or os.environ.get(
        "GITHUB_REPOSITORY", ""
    )
    return inputs


def _input(name: str) -> str:
    """Read an input such as `hook-id` from `INPUT_HOOK-ID`, or from `INPUT_HOOK_ID`.

    The runner keeps the hyphen; some shells and other runners cannot set such a name.
    """
    value: str = core.get_input(name) or core.get_input(name.replace("-", "_"))
    return value


def _settings(inputs: dict[str, str]) -> settings.Settings:
    """Parse the inputs; messages about missing ones have advice for workflows."""
    names = {}
    if not inputs["hostname"]:
        names["hostname"] = "the environment variable GITHUB_API_URL"
        inputs["hostname"] = os.environ.get("GITHUB_API_URL") or "github.com"
    why_empty = (
        "A secret that does not exist, or is not available to this workflow, is an empty string"
    )
    event = os.environ.get("GITHUB_EVENT_NAME", "schedule")
    return settings.parse(
        inputs,
        names=names,
        if_missing={"token": why_empty},
        by_hand=event == "workflow_dispatch",
        # Somebody, or the end of a deployment, started the run because the receiver works again.
        at_once=event != "schedule",
    )


def _hint(error: RedeliverError) -> str:
    """Return further advice on an error that is true only in a workflow."""
    bundle = os.environ.get(bundle_variable())
    if not isinstance(error, UnavailableError) or not bundle:
        return ""
    with suppress(OSError):  # for example if it is a certificate and not a path
        if Path(bundle).exists():
            return ""
    return (
        ". A Docker action can only read files in the workspace, which is /github/workspace there"
    )


class _WorkflowLog:
    """The console of a step: its log."""

    def __init__(self) -> None:
        self.say = self.remark = self.detail = _say
        self.progress = ProgressLines(_say)
        self.mask = _mask


def _failed(problem: str, status: int) -> int:
    """Report the error of a run that has no report, and return `status`."""
    _error(_line(problem))
    _summarize(summary.failure(problem))
    return status


# What is written at the end. By then, the run has done its work, and its errors matter more than
# a file that cannot be written.


def _set_outputs(values: Mapping[str, str]) -> None:
    path = os.environ.get("GITHUB_OUTPUT")
    if not path:
        return  # actions_toolkit would print commands that no runner obeys any more
    try:
        if not Path(path).exists():  # for which actions_toolkit raises a bare `Exception`
            raise FileNotFoundError(ENOENT, os.strerror(ENOENT))
        for name, value in values.items():
            core.set_output(name, value)
    except OSError as error:
        _warning(
            f"could not write the outputs to the file in GITHUB_OUTPUT: {error.strerror}. Later "
            "steps get empty outputs"
        )


def _summarize(markdown: str) -> None:
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(_as_given(markdown))
    except OSError as error:
        _warning(
            f"could not write the step summary to the file in GITHUB_STEP_SUMMARY: "
            f"{error.strerror}. This log has the same information"
        )


# The log.


def _lose_log() -> None:
    sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - until the process ends


def _unless_broken(write: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function that writes to the log, unless that is broken: the run continues."""

    def write_if_possible(text: str) -> None:
        try:
            write(text)
        except OSError:
            _lose_log()

    return write_if_possible


_info = _unless_broken(core.info)
_warning = _unless_broken(core.warning)
_error = _unless_broken(core.error)
_mask = _unless_broken(core.set_secret)


def _say(line: str) -> None:
    """Print a line of the log. Nothing in it can act as a workflow command."""
    _info(_line(line))


def _line(text: str) -> str:
    return truncate(sanitize(_as_given(text)), MAX_LINE)


def _as_given(text: str) -> str:
    """Return a message that names `app-id` and not `client-id`, if only that is set."""
    if _input("app-id") and not _input("client-id"):
        return text.replace("'client-id'", "'app-id'")
    return text

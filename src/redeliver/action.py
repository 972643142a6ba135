"""The door from GitHub Actions: inputs in; mask, log, annotations, outputs and summary out.

The only importer of actions_toolkit.
"""

import os
import traceback
from datetime import datetime
from pathlib import Path

from actions_toolkit import core

from redeliver import report, settings
from redeliver.api import Api
from redeliver.errors import RedeliverError
from redeliver.hooks import OrganizationHook
from redeliver.inert import inert
from redeliver.pace import Pace
from redeliver.report import Report
from redeliver.run import Store, run
from redeliver.settings import Settings
from redeliver.store import Nowhere, RepositoryVariable

SECRETS = ("token", "variable-token")


def main(now: datetime) -> int:
    """Run once as a step of a workflow, and return the exit status."""
    try:
        return _step(now)
    except RedeliverError as error:
        status = _failed(str(error))
        _summarize(report.failure_summary(str(error)))
        return status
    except Exception:  # noqa: BLE001 - a bug keeps its traceback, yet even that may quote the outside
        for line in traceback.format_exc().splitlines():
            _say(line)
        return _failed("this is a bug in redeliver: please report it with the lines above")


def _step(now: datetime) -> int:
    inputs = _inputs()
    for name in SECRETS:
        # Trimmed as it will be used: the runner masks a secret only as it was saved.
        if inputs[name]:
            core.set_secret(inputs[name])
    done = _run(settings.parse(inputs), now)
    for name, value in report.outputs(done).items():
        core.set_output(name, value)
    _summarize(report.summary(done))
    if done.warning:
        core.warning(inert(done.warning))
    return _failed(done.problem) if done.problem else 0


def _inputs() -> dict[str, str]:
    """Read every input from the environment, as `INPUT_HOOK-ID` or as `INPUT_HOOK_ID`.

    The runner keeps the hyphen; some shells and other runners cannot set such a name.
    """
    inputs = {
        name: core.get_input(name) or core.get_input(name.replace("-", "_"))
        for name in settings.INPUTS
    }
    inputs["hostname"] = inputs["hostname"] or os.environ.get("GITHUB_API_URL") or "github.com"
    inputs["variable-repository"] = inputs["variable-repository"] or os.environ.get(
        "GITHUB_REPOSITORY", ""
    )
    return inputs


def _run(wanted: Settings, now: datetime) -> Report:
    api = Api(wanted.token, token_input="token", url=wanted.api_url)  # noqa: S106 - a name
    return run(
        OrganizationHook(api, wanted.org, wanted.hook_id),
        _store(wanted, api, now),
        now=now,
        lookback=wanted.lookback,
        dry_run=wanted.dry_run,
        wait_turn=Pace(_say).wait,
        say=_say,
    )


def _store(wanted: Settings, api: Api, now: datetime) -> Store:
    if not wanted.variable_name:
        return Nowhere()
    if wanted.variable_token:
        token_input = "variable-token"  # noqa: S105 - a name
        api = Api(wanted.variable_token, token_input=token_input, url=wanted.api_url)
    return RepositoryVariable(api, wanted.variable_repository, wanted.variable_name, now=now)


def _say(line: str) -> None:
    """Print a line of the log. Whatever it quotes, it is only words to the runner."""
    core.info(inert(line))


def _failed(problem: str) -> int:
    core.error(inert(problem))
    return 1


def _summarize(markdown: str) -> None:
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(markdown)
    except OSError as error:
        # The work is done and told in the log; a missing summary does not undo it.
        core.warning(f"the step summary could not be written: {type(error).__name__}")

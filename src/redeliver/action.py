"""The door from GitHub Actions: inputs in; mask, log, annotations, outputs and summary out.

The only importer of actions_toolkit.
"""

import os
import traceback
from pathlib import Path

from actions_toolkit import core

from redeliver import report, settings
from redeliver.api import Api, Clock
from redeliver.errors import Interrupted, RedeliverError
from redeliver.hooks import OrganizationHook
from redeliver.inert import inert
from redeliver.interruption import interruptible
from redeliver.pace import Pace, Patience
from redeliver.plan import Policy
from redeliver.report import Report
from redeliver.run import Store, Surroundings, run
from redeliver.settings import Settings
from redeliver.store import Nowhere, RepositoryVariable

SECRETS = ("token", "variable-token")


def main() -> int:
    """Run once as a step of a workflow, and return the exit status."""
    try:
        return _step()
    except RedeliverError as error:
        return _failed(str(error), 1)
    except Interrupted as stop:
        return _failed(report.stopped(stop.signal), 128 + stop.signal)
    except Exception:  # noqa: BLE001 - a bug keeps its traceback, yet even that may quote the outside
        for line in traceback.format_exc().splitlines():
            _say(line)
        core.error("this is a bug in redeliver: please report it with the lines above")
        return 1


def _step() -> int:
    inputs = _inputs()
    for name in SECRETS:
        # Trimmed as it will be used: the runner masks a secret only as it was saved.
        if inputs[name]:
            core.set_secret(inputs[name])
    wanted = settings.parse(inputs)
    with interruptible():
        done = _run(wanted)
    for name, value in report.outputs(done).items():
        core.set_output(name, value)
    _summarize(report.summary(done))
    for warning in done.warnings:
        core.warning(inert(warning))
    if done.problem:
        core.error(inert(done.problem))
    return done.status


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


def _run(wanted: Settings) -> Report:
    clock, wait = Clock(), Patience(_say).wait

    def api(token_input: str, token: str) -> Api:
        return Api(token, token_input=token_input, url=wanted.api_url, clock=clock, wait=wait)

    main = api("token", wanted.token)
    store: Store = Nowhere(main)
    if wanted.variable_name:
        store = RepositoryVariable(
            api("variable-token", wanted.variable_token) if wanted.variable_token else main,
            wanted.variable_repository,
            wanted.variable_name,
        )
    return run(
        OrganizationHook(main, wanted.org, wanted.hook_id),
        store,
        Surroundings(clock=clock, wait_turn=Pace(_say).wait, wait=wait, say=_say),
        lookback=wanted.lookback,
        policy=Policy(
            give_up_after=wanted.give_up_after or wanted.retention,
            max_attempts=wanted.max_attempts,
        ),
        retention=wanted.retention,
        dry_run=wanted.dry_run,
    )


def _say(line: str) -> None:
    """Print a line of the log. Whatever it quotes, it is only words to the runner."""
    core.info(inert(line))


def _failed(problem: str, status: int) -> int:
    """Tell of a run that ended before there was anything to report."""
    core.error(inert(problem))
    _summarize(report.failure_summary(problem))
    return status


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

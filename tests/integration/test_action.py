"""The action as a step of a workflow, against the sandbox."""

import json
import re
from collections import Counter
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest

from github_sandbox import Delay, Hook, Meanwhile, Receiver, Sandbox, Status, VirtualClock
from redeliver.core.checkpoint import Ended, format_checkpoint, slot_end
from tests.support.action_run import (
    Process,
    ProcessEnvironment,
    RunningStep,
    run_action,
    start_action,
    start_interpreter,
)
from tests.support.builders import NOW, TOKEN, ago
from tests.support.outage import arrived, miss_events


def requested_guids(github: Sandbox, hook: Hook) -> list[str]:
    """Return the GUID of each requested redelivery, in the order of the events."""
    paths = [request.path for request in github.requests]
    counts = Counter(path.split("/")[-2] for path in paths if path.endswith("/attempts"))
    return [row["guid"] for row in reversed(hook.log) for _ in range(counts[str(row["id"])])]


def refuse_redelivery(github: Sandbox, hook: Hook, guid: str) -> None:
    """Have GitHub refuse the next redelivery of this event."""
    (number,) = [row["id"] for row in hook.log if row["guid"] == guid]
    github.inject(Status(422, "Cannot"), method="POST", path=f".*/{number}/attempts")


@pytest.fixture
def missed(receiver: Receiver, hook: Hook) -> list[str]:
    """Deliver two events, miss two in between, and return the GUIDs of those missed, in order."""
    hook.emit("push", at=ago(hours=5))
    missed = miss_events(receiver, hook)
    hook.emit("push", at=ago(hours=2))
    return missed


def test_a_run_redelivers_events_and_saves_the_checkpoint(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: list[str]
) -> None:
    variables = github.repository("acme/ops").variables
    variables["LAST_REDELIVERY"] = format_checkpoint(ago(hours=6))

    run = run_action(github, hook)

    assert run.status == 0, run.visible
    assert requested_guids(github, hook) == missed
    assert arrived(github, receiver, after=2) == sorted(missed)
    pending = Ended((slot_end(NOW),))
    assert variables["LAST_REDELIVERY"] == format_checkpoint(ago(hours=4), pending), (
        "the log was not read again, so the outcomes are not known"
    )
    assert json.loads(run.outputs["report"])["counts"]["requested"] == 2
    assert {**run.outputs, "report": ""} == {
        "scanned": "4",
        "failed-deliveries": "2",
        "already-delivered": "0",
        "failed": "2",
        "unreadable": "0",
        "requested": "2",
        "recovered": "0",
        "still-failing": "0",
        "pending": "2",
        "refused": "0",
        "deferred": "0",
        "given-up": "0",
        "due": "0",
        "checkpoint": variables["LAST_REDELIVERY"],
        "token-expires": "",
        "health": "failing",
        "report": "",
    }
    assert run.errors == ""
    assert f"Requested: issues.opened {missed[0]} (delivery " in run.log
    assert "last status 502 failed to connect to host)" in run.log
    assert run.summary.startswith("### redeliver: 2 events failed: 2 pending\n")


def test_a_second_run_redelivers_nothing(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: list[str]
) -> None:
    run_action(github, hook)
    before = arrived(github, receiver, after=2)

    again = run_action(github, hook)

    assert again.status == 0, again.visible
    assert again.outputs["requested"] == "0"
    assert again.outputs["failed"] == "0"
    assert arrived(github, receiver, after=2) == before == sorted(missed)


def test_a_run_makes_no_request_that_it_does_not_need(
    github: Sandbox, hook: Hook, missed: list[str]
) -> None:
    github.repository("acme/ops").variables["LAST_REDELIVERY"] = format_checkpoint(ago(hours=6))

    run_action(github, hook)

    methods = [request.method for request in github.requests]
    claim = save = "PATCH"
    writes = [method for method in methods if method != "GET"]
    assert writes == [claim, *["POST"] * len(missed), save]
    # The variable, the log, and the variable after the claim. On a slow machine, the variable is
    # read again before each of the two writes.
    assert 3 <= methods.count("GET") <= 5


def test_a_run_with_an_empty_log_makes_three_requests(github: Sandbox, hook: Hook) -> None:
    github.repository("acme/ops").variables["LAST_REDELIVERY"] = format_checkpoint(ago(hours=6))

    run = run_action(github, hook)

    assert run.status == 0, run.visible
    assert "Read 0 deliveries of webhook" in run.log
    assert len(github.requests) == 3


def test_a_first_run_looks_back_and_saves_a_checkpoint(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: list[str]
) -> None:
    run = run_action(github, hook, lookback="225m")

    assert "There is no checkpoint yet in variable LAST_REDELIVERY of acme/ops" in run.log
    assert arrived(github, receiver, after=2) == [missed[1]], "the first event is too old"
    assert github.repository("acme/ops").variables.keys() == {"LAST_REDELIVERY"}


def test_a_run_without_variable_name_saves_no_checkpoint(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: list[str]
) -> None:
    run = run_action(github, hook, variable_name="")

    assert run.status == 0, run.visible
    assert [r.path for r in github.requests][:1] == ["/rate_limit"], "its response gives the time"
    assert arrived(github, receiver, after=2) == sorted(missed)
    assert github.repository("acme/ops").variables == {}
    assert run.outputs["checkpoint"] == ""


def test_a_dry_run_shows_the_plan_and_changes_nothing(
    github: Sandbox, hook: Hook, missed: list[str]
) -> None:
    run = run_action(github, hook, dry_run="true")

    assert run.status == 0, run.visible
    assert {request.method for request in github.requests} == {"GET"}
    assert [line.split()[4] for line in run.log.splitlines() if "Would be" in line] == missed
    assert "dry run, 2 events failed" in run.summary
    assert (run.outputs["failed"], run.outputs["due"], run.outputs["requested"]) == ("2", "2", "0")


def test_events_that_were_delivered_meanwhile_are_counted(
    github: Sandbox, hook: Hook, missed: list[str], clock: VirtualClock
) -> None:
    (delivery,) = hook.ids_of(missed[0])
    hook.redeliver(delivery)
    clock.advance(timedelta(minutes=1))

    run = run_action(github, hook)

    assert run.status == 0, run.visible
    assert "1 more failed at first, but has been delivered since" in run.log
    assert (run.outputs["already-delivered"], run.outputs["failed"]) == ("1", "1")
    assert (run.outputs["scanned"], run.outputs["failed-deliveries"]) == ("5", "2")


def test_a_refusal_is_reported_and_other_events_are_redelivered(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: list[str]
) -> None:
    refuse_redelivery(github, hook, missed[0])

    run = run_action(github, hook)

    assert run.status == 1
    assert arrived(github, receiver, after=2) == [missed[1]]
    assert f"Refused: issues.opened {missed[0]}" in run.log
    assert "::error::GitHub refused to redeliver 1 of 2 failed events" in run.log
    assert "**Error:**" in run.summary
    (delivered_at,) = [row["delivered_at"] for row in hook.log if row["guid"] == missed[0]]
    failed_at = datetime.fromisoformat(delivered_at)
    assert run.outputs["checkpoint"] == format_checkpoint(failed_at, Ended((slot_end(NOW),)))


def test_the_next_run_redelivers_a_refused_event(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: list[str], clock: VirtualClock
) -> None:
    refuse_redelivery(github, hook, missed[0])
    run_action(github, hook)
    github.settle()
    clock.advance(timedelta(minutes=21))

    again = run_action(github, hook)

    assert again.status == 0, again.visible
    assert arrived(github, receiver, after=2) == sorted(missed)


def test_a_run_soon_after_pending_redeliveries_waits_for_them(
    github: Sandbox, hook: Hook, missed: list[str], clock: VirtualClock
) -> None:
    refuse_redelivery(github, hook, missed[0])
    first = run_action(github, hook)
    github.settle()
    clock.advance(timedelta(minutes=14))
    before = len(github.requests)

    again = run_action(github, hook)

    assert again.status == 0, again.visible
    assert [request.method for request in github.requests[before:]] == ["GET", "GET", "PATCH"]
    assert f"Deferred: issues.opened {missed[0]}" in again.log
    assert f"first run after {clock() + timedelta(minutes=7):%Y-%m-%d %H:%M}" in again.log
    assert again.outputs["checkpoint"] == first.outputs["checkpoint"]
    assert again.outputs["deferred"] == "1"


def test_the_log_says_why_events_are_given_up(github: Sandbox, hook: Hook) -> None:
    hook.record(guid="old", at=ago(hours=20), status="timed out", status_code=504)
    for hours in (5, 4, 3):
        hook.record(
            guid="tried",
            at=ago(hours=hours),
            status="timed out",
            status_code=504,
            redelivery=hours < 5,
        )

    run = run_action(github, hook, give_up_after="18h", max_attempts="3")

    assert run.status == 0, run.visible
    assert run.outputs["given-up"] == "2"
    assert "Given up: push old" in run.log
    assert "older than 'give-up-after' (18h)" in run.log
    assert "'max-attempts' (3) is reached" in run.log
    assert "POST" not in [r.method for r in github.requests if r.path.endswith("attempts")]


def test_a_checkpoint_older_than_the_log_is_a_warning(github: Sandbox, hook: Hook) -> None:
    github.repository("acme/ops").variables["LAST_REDELIVERY"] = format_checkpoint(ago(days=9))

    run = run_action(github, hook)

    start, end = f"{ago(days=9):%Y-%m-%d}", f"{ago(days=3):%Y-%m-%d}"
    assert run.status == 0, run.visible
    assert re.search(f"::warning::deliveries from {start} .* to {end} .* may have left", run.log)
    assert f"deliveries from {start}" in run.summary


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("postgres://user:hunter2@db/prod", id="a URL"),
        pytest.param("{}", id="JSON"),
        pytest.param(format_checkpoint(NOW + timedelta(hours=2)), id="a time in the future"),
    ],
)
def test_a_variable_with_another_value_ends_the_run(
    github: Sandbox, hook: Hook, missed: list[str], value: str
) -> None:
    variables = github.repository("acme/ops").variables
    variables["LAST_REDELIVERY"] = value

    run = run_action(github, hook)

    assert run.status == 1
    assert "::error::variable LAST_REDELIVERY of acme/ops does not hold a checkpoint" in run.log
    assert run.summary.startswith("### redeliver: failed\n")
    assert variables == {"LAST_REDELIVERY": value}
    assert value not in run.log + run.summary
    assert {request.method for request in github.requests} == {"GET"}
    assert len(missed) == 2


def test_a_variable_that_is_read_only_ends_the_run(
    github: Sandbox, hook: Hook, missed: list[str]
) -> None:
    github.repository("acme/ops").variables["LAST_REDELIVERY"] = format_checkpoint(ago(hours=6))
    github.token("ghp_reader", actions_variables="read")

    run = run_action(github, hook, variable_token="ghp_reader")

    assert run.status == 1
    assert "::error::cannot write variable LAST_REDELIVERY of acme/ops" in run.log
    assert "POST" not in [request.method for request in github.requests]
    assert len(missed) == 2


def test_each_token_is_sent_only_where_it_is_needed(
    github: Sandbox, hook: Hook, missed: list[str]
) -> None:
    github.token("ghp_hooks", organization_hooks="write")
    github.token("ghp_vars", actions_variables="write")

    run = run_action(github, hook, token="ghp_hooks", variable_token="ghp_vars")

    assert run.status == 0, run.visible
    tokens = {(request.path.split("/")[1], request.token) for request in github.requests}
    assert tokens == {("orgs", "ghp_hooks"), ("repos", "ghp_vars")}
    assert "ghp_hooks" not in run.visible
    assert "ghp_vars" not in run.visible
    assert len(missed) == 2


def test_a_wrong_token_fails_with_advice_and_is_not_shown(github: Sandbox, hook: Hook) -> None:
    run = run_action(github, hook, token="ghp_wr0ng")

    assert run.status == 1
    assert run.log.splitlines()[0] == "::add-mask::ghp_wr0ng"
    assert "::error::cannot read variable" in run.log
    assert "mistyped, expired or revoked" in run.log
    assert "ghp_wr0ng" not in run.visible


@pytest.mark.parametrize(
    "token",
    [pytest.param(TOKEN, id="a valid token"), pytest.param("ghp_wr0ng", id="a wrong token")],
)
def test_debug_logging_shows_no_token(
    github: Sandbox, hook: Hook, missed: list[str], token: str
) -> None:
    debug = {"RUNNER_DEBUG": "1", "ACTIONS_STEP_DEBUG": "true", "PYTHONDEVMODE": "1"}

    run = run_action(github, hook, token=token, environment=debug)

    assert run.status == (token != TOKEN)
    assert token not in run.visible
    assert (missed[0] in run.log) == (token == TOKEN)


def test_a_token_with_a_line_break_is_trimmed_and_masked(github: Sandbox, hook: Hook) -> None:
    run = run_action(github, hook, token=f"{TOKEN}\n")

    assert run.status == 0, run.visible
    assert run.log.splitlines()[0] == f"::add-mask::{TOKEN}"
    assert TOKEN not in run.visible


def test_one_error_names_every_invalid_input(github: Sandbox, hook: Hook) -> None:
    run = run_action(github, hook, token="a b", hook_id="any", dry_run="maybe")

    assert run.status == 1
    (error,) = [line for line in run.log.splitlines() if line.startswith("::error::")]
    assert [name in error for name in ("'token'", "'hook-id'", "'dry-run'")] == [True] * 3
    assert github.requests == []
    assert run.outputs == {}


@pytest.mark.parametrize(
    ("token", "is_explained"),
    [pytest.param("", True, id="an empty token"), pytest.param("a b", False, id="a wrong token")],
)
def test_an_empty_secret_is_explained(
    github: Sandbox, hook: Hook, token: str, *, is_explained: bool
) -> None:
    run = run_action(github, hook, token=token, dry_run="maybe")

    assert run.status == 1
    assert ("A secret that does not exist" in run.log) == is_explained


@pytest.mark.parametrize(
    ("hostname", "source"),
    [
        pytest.param("", "the environment variable GITHUB_API_URL", id="the variable"),
        pytest.param("a b", "input 'hostname'", id="the input"),
    ],
)
def test_an_invalid_hostname_error_names_its_source(
    github: Sandbox, hook: Hook, hostname: str, source: str
) -> None:
    environment = {"GITHUB_API_URL": "no address"}

    run = run_action(github, hook, hostname=hostname, environment=environment)

    assert f"::error::{source} must be the host name of your GitHub" in run.log


def test_input_names_may_have_underscores(github: Sandbox, hook: Hook) -> None:
    # A runner also sets the name with a hyphen, here to an empty string.
    run = run_action(github, hook, hook_id="", environment={"INPUT_HOOK_ID": str(hook.id)})

    assert run.status == 0, run.visible


def test_an_empty_input_has_its_default(github: Sandbox, hook: Hook) -> None:
    run = run_action(github, hook, lookback="", dry_run="")

    assert run.status == 0, run.visible
    assert [request.method for request in github.requests] == ["GET", "GET", "POST", "GET"]


def test_an_event_that_is_given_up_is_a_warning(github: Sandbox, hook: Hook) -> None:
    hook.record(status="timed out", status_code=504, at=ago(hours=1), redelivery=True)

    run = run_action(github, hook)

    assert run.status == 0, run.visible
    assert run.outputs["given-up"] == "1"
    assert "::warning::1 event was given up because the first attempt is no longer" in run.log
    assert "**Warning:** 1 event was given up" in run.summary


def test_a_first_dry_run_has_no_checkpoint(github: Sandbox, hook: Hook) -> None:
    assert run_action(github, hook, dry_run="true").outputs["checkpoint"] == ""


def test_the_callers_workspace_is_not_imported(github: Sandbox, hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "github.py").write_text("raise SystemExit('imported from the workspace')")

    assert run_action(github, hook, workspace=tmp_path).status == 0


def test_untrusted_text_cannot_act_as_a_workflow_command(github: Sandbox, hook: Hook) -> None:
    hostile = "x\n::error::pwned\r::add-mask::pwned ##[error]pwned |<b>"
    hook.record(
        event=hostile,
        action=hostile,
        guid=hostile,
        status=f"POST https://hooks.example/in?secret=hush giving up: {hostile}",
        status_code=500,
        at=ago(hours=1),
    )
    github.inject(
        Status(422, f"https://evil.example/ {hostile}"), method="POST", path=".*/attempts"
    )

    run = run_action(github, hook)

    commands = [line for line in run.log.splitlines() if line.lstrip().startswith("::")]
    assert [command.split("::")[1] for command in commands] == ["add-mask", "error"]
    assert "##[" not in run.log
    assert "hush" not in run.visible
    assert "evil" not in run.visible
    assert "<b>" not in run.summary
    assert "pwned" in run.log, "the text is shown"


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("number", [SIGINT, SIGTERM])
def test_a_run_stopped_before_it_redelivers_reports_the_signal(
    github: Sandbox, hook: Hook, number: Signals, nth: int
) -> None:
    step = Future[RunningStep]()
    github.inject(Meanwhile(lambda: step.result().send_signal(number)), nth=nth)
    github.inject(Delay(30), nth=nth)

    step.set_result(start_action(github, hook))
    run = step.result().wait(timeout=10)

    assert run.status == 128 + number, run.visible
    assert (
        f"::error::stopped by {number.name}. A later run redelivers what this one did not"
        in run.log
    )


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("no/such/file", id="a missing file"),
        pytest.param("", id="a directory"),
        pytest.param("/dev/full", id="a full disk"),
    ],
)
@pytest.mark.parametrize(
    ("variable", "what"),
    [("GITHUB_OUTPUT", "outputs"), ("GITHUB_STEP_SUMMARY", "step summary")],
)
def test_a_run_goes_on_if_it_cannot_write_a_file(
    github: Sandbox,
    hook: Hook,
    missed: list[str],
    tmp_path: Path,
    variable: str,
    what: str,
    path: str,
) -> None:
    """What it has done, and its own error, matter more."""
    github.inject(Status(422, "Cannot"), method="POST", path=".*/attempts")

    run = run_action(github, hook, environment={variable: str(tmp_path / path)})

    assert f"::warning::could not write the {what} to the file in {variable}: " in run.log
    assert "::error::GitHub refused to redeliver 1 of 2 failed events" in run.log
    assert "Traceback" not in run.log
    assert requested_guids(github, hook) == missed
    if variable == "GITHUB_OUTPUT":
        assert "1 refused" in run.summary
    else:
        assert run.outputs["refused"] == "1"


def test_a_run_goes_on_if_its_log_cannot_be_written(
    github: Sandbox, hook: Hook, missed: list[str]
) -> None:
    def start(environment: ProcessEnvironment) -> Process:
        return start_interpreter(replace(environment, stdout=full.fileno()))

    with Path("/dev/full").open("wb") as full:
        run = start_action(github, hook, start_process=start).wait()

    assert run.status == 0
    assert run.errors == ""
    assert run.outputs["requested"] == "2"
    assert "2 events failed" in run.summary
    assert requested_guids(github, hook) == missed


def test_a_token_that_is_no_text_is_an_input_error(github: Sandbox, hook: Hook) -> None:
    run = run_action(github, hook, token=b"ghp_\xff".decode(errors="surrogateescape"))

    assert "::error::input 'token' must have only printable ASCII characters" in run.log
    assert "Traceback" not in run.log


def test_a_run_without_a_file_for_outputs_prints_none(github: Sandbox, hook: Hook) -> None:
    run = run_action(github, hook, environment={"GITHUB_OUTPUT": ""})

    assert run.status == 0
    assert "set-output" not in run.log


def test_a_run_succeeds_without_a_summary_file(github: Sandbox, hook: Hook) -> None:
    assert run_action(github, hook, environment={"GITHUB_STEP_SUMMARY": ""}).status == 0

"""The step of `open-an-issue.yml` that keeps the issue, alone: what it writes after which run."""

import json
import shlex
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from github_sandbox import Proxy
from redeliver.core.outcome import EventResult, Outcome
from redeliver.reporting.outputs import outputs
from tests.e2e.api_github_com import CA_FILE, ApiGithubCom
from tests.e2e.issues import Issues
from tests.e2e.workflow_run import ROOT
from tests.support.builders import STRICT, a_report, a_result

JOB = yaml.safe_load((ROOT / "examples" / "open-an-issue.yml").read_text())["jobs"]["redeliver"]
STEP = JOB["steps"][1]
RUN = "https://github.com/acme/ops/actions/runs/7"

FIRST, SECOND = "f1f1f1f1-0000-11f0-8000-000000000001", "5ec05ec0-0000-11f0-8000-000000000002"

After = Callable[..., None]


def a_run(*results: EventResult, health: str) -> dict[str, str]:
    """Return what the step gets from a run with these results and one webhook."""
    report = replace(a_report(*results), options=STRICT)
    record: dict[str, Any] = json.loads(outputs(report)["report"])
    for hook in record["hooks"]:
        hook["health"] = {"verdict": health} if health else None
    outcome = "failure" if report.is_failed else "success"
    return {"OUTCOME": outcome, "HEALTH": health, "REPORT": json.dumps(record)}


NO_REPORT = {"OUTCOME": "failure", "HEALTH": "", "REPORT": "{}"}
FAILING = a_run(a_result(Outcome.STILL_FAILING, guid=FIRST), health="down")
WELL = a_run(a_result(Outcome.RECOVERED, guid=FIRST), health="healthy")
WAITING = a_run(a_result(Outcome.DEFERRED, guid=FIRST), health="healthy")
GIVEN_UP = a_run(a_result(Outcome.GIVEN_UP, guid=FIRST), health="healthy")


@pytest.fixture
def issues() -> Issues:
    return Issues(JOB["permissions"])


@pytest.fixture
def after(
    issues: Issues, machine: str, tls_of_github: ssl.SSLContext, certificate: Path, tmp_path: Path
) -> Iterator[After]:
    """Return a function that runs the step after each of some runs of redeliver."""
    script, variables = tmp_path / "step.sh", tmp_path / "variables.sh"
    script.write_text(STEP["run"])
    # The runner's command for `shell: bash`.
    assert STEP["shell"] == "bash"
    shell = "bash --noprofile --norc -eo pipefail /step.sh"
    # Not with `docker run -e`: Docker failed to read 120 kB back from its database once.
    command = ["bash", "-c", f". /variables.sh && exec {shell}"]
    with (
        ApiGithubCom(tls_of_github, certificate, issues.routes) as api,
        Proxy(leads=api.leads) as proxy,
    ):

        def run_step(*runs: dict[str, str]) -> None:
            for run in runs:
                environment = {"ISSUES": "repos/acme/ops/issues", "TITLE": STEP["env"]["TITLE"]}
                environment |= {"GH_TOKEN": "ghs_0fTheJ0b", "RUN": RUN, **run}
                assert environment.keys() == STEP["env"].keys()
                environment |= {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": CA_FILE}
                lines = [
                    f"export {name}={shlex.quote(value)}" for name, value in environment.items()
                ]
                variables.write_text("\n".join(lines))
                step = subprocess.run(
                    [
                        *("docker", "run", "--rm", "--network", "host"),
                        *("-v", f"{script}:/step.sh", "-v", f"{variables}:/variables.sh"),
                        *("-v", f"{certificate}:{CA_FILE}", machine, *command),
                    ],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    encoding="utf-8",
                    check=False,
                )
                assert (step.returncode, step.stdout) == (0, "")

        yield run_step
        assert api.tokens <= {"token ghs_0fTheJ0b"}


def test_a_run_without_trouble_opens_no_issue(after: After, issues: Issues) -> None:
    after(WELL, WAITING)

    assert issues.kept == []


def test_an_issue_names_verdict_events_and_run(after: After, issues: Issues) -> None:
    after(FAILING)

    [issue] = issues.kept
    hidden, _, body = issue.body.partition("\n\n")
    assert hidden.startswith("<!-- ")
    page = "https://github.com/organizations/acme/settings/hooks/1?tab=deliveries"
    webhook = f"[webhook 1 of organization acme]({page})"
    problem = (
        "the run fails because 'fail-on' is 'unrecovered': 1 of 1 failed events is still failing"
    )
    assert body == (
        "The run failed.\n\n"
        f"{webhook} is **down**.\n\n"
        f"`{problem}`\n\n"
        f"**Webhooks**\n* {webhook}: down; 0 of 1 failed events recovered\n\n"
        f"**Events that need attention**\n* `push` `{FIRST}`: still failing, {webhook}\n\n"
        f"[The newest run]({RUN})"
    )


def test_the_same_trouble_again_is_no_comment(after: After, issues: Issues) -> None:
    """It is none either if the outcome is another, but the event still has not arrived."""
    after(FAILING, FAILING)

    [issue] = issues.kept
    assert issue.comments == []
    assert issues.edits == 1

    pending = a_run(a_result(Outcome.PENDING, guid=FIRST), health="down") | {"OUTCOME": "failure"}
    after(pending)

    assert issue.comments == []
    assert f"`{FIRST}`: pending" in issue.body


def test_another_verdict_is_a_comment(after: After, issues: Issues) -> None:
    after(a_run(a_result(Outcome.STILL_FAILING, guid=FIRST), health="failing"), FAILING)

    [issue] = issues.kept
    [comment] = issue.comments
    assert "is **down**" in comment
    assert FIRST not in comment
    assert "is **down**" in issue.body


def test_other_events_are_a_comment_that_names_them(after: After, issues: Issues) -> None:
    after(FAILING, a_run(a_result(Outcome.STILL_FAILING, guid=SECOND), health="down"))

    [issue] = issues.kept
    [comment] = issue.comments
    assert "**New events that need attention**" in comment
    assert f"* `push` `{SECOND}`: still failing" in comment
    assert "No longer need attention: 1" in comment
    assert FIRST not in issue.body


def test_the_issue_is_closed_when_all_is_well(after: After, issues: Issues) -> None:
    after(FAILING, WELL)

    [issue] = issues.kept
    assert issue.state == "closed"
    assert issue.comments == [
        f"All is well again.\n\nNo longer need attention: 1\n\n[The run]({RUN})"
    ]


@pytest.mark.parametrize("health", ["", "silent", "slow", "failing"])
def test_only_a_webhook_that_is_down_is_trouble(health: str, after: After, issues: Issues) -> None:
    after(FAILING, a_run(health=health))

    [issue] = issues.kept
    assert issue.state == "closed"


def test_the_issue_stays_open_while_events_wait(after: After, issues: Issues) -> None:
    after(FAILING, WAITING, a_run(health="down"))

    [issue] = issues.kept
    assert issue.state == "open"
    waiting, down = issue.comments
    assert waiting.startswith("Events wait for the next run.")
    assert "is **down**" in down


def test_trouble_after_that_opens_another_issue(after: After, issues: Issues) -> None:
    after(FAILING, WELL, FAILING)

    assert [issue.state for issue in issues.kept] == ["closed", "open"]


def test_a_run_without_a_report_says_so(after: After, issues: Issues) -> None:
    """It knows nothing of the events, so they do not count as delivered, nor as new later."""
    after(NO_REPORT)
    [issue] = issues.kept
    assert "The run failed before it had a report: see its log." in issue.body

    after(WELL, FAILING, NO_REPORT, FAILING)
    early, again = issues.newest.comments
    assert early == f"The run failed before it had a report: see its log.\n\n[The run]({RUN})"
    assert FIRST not in again


def test_given_up_events_stay_until_a_person_closes_it(after: After, issues: Issues) -> None:
    after(GIVEN_UP, FAILING, NO_REPORT, WELL, WELL)

    [issue] = issues.kept
    assert issue.state == "open"
    assert len(issue.comments) == 3
    assert issue.comments[-1].startswith("All is well again.")
    given_up = "Given up. If you need them, redeliver them with guids, then close this issue"
    assert f"**{given_up}**\n* `push` `{FIRST}`: given up" in issue.body

    issue.state = "closed"
    after(WELL)
    assert issues.kept == [issue]


def test_many_events_are_cut_short_with_their_number(after: After, issues: Issues) -> None:
    """The report lacks some of these events."""
    outcomes = (Outcome.STILL_FAILING, Outcome.GIVEN_UP)
    results = [
        a_result(outcome, guid=f"{number:08}-{outcome.name}")
        for outcome in outcomes
        for number in range(1000)
    ]
    after(a_run(*results, health="down"))

    [issue] = issues.kept
    assert issue.body.count("still failing, [") == 20
    assert issue.body.count("* and 980 more: see the log") == 2


def test_the_longest_texts_fit_into_an_issue(after: After, issues: Issues) -> None:
    """The stand-in refuses more than GitHub's 65,536 characters."""
    long = "x" * 120
    runs = []
    for prefix in ("first", "second", "third"):
        run = a_run(a_result(Outcome.GIVEN_UP), health="down")
        record = json.loads(run["REPORT"])
        [event] = record["events"]
        event |= {"event": long, "action": long}
        record["events"] = [
            event | {"guid": f"{prefix}-{number:02}".ljust(120, "x"), "outcome": outcome}
            for number in range(20)
            for outcome in ("given_up", "still_failing")
        ]
        record["problem"] = "x" * 2000
        runs.append(run | {"REPORT": json.dumps(record)})

    after(*runs, WELL)

    [issue] = issues.kept
    assert len(issue.comments) == 3
    assert issue.body.count(": given up, ") == 50


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a ` [x](https://example.com) @acme/owners <b> -->", id="Markdown"),
        pytest.param("$(touch /x) `touch /x` ' \" \\ \\u0000 ${{ github.token }}", id="shell"),
        pytest.param("\n-->\nPOST repos/acme/ops/dispatches {}\n::error::x", id="lines"),
    ],
)
def test_a_hostile_event_name_is_only_text(name: str, after: After, issues: Issues) -> None:
    """Even one that redeliver has not sanitized."""
    run = a_run(a_result(Outcome.GIVEN_UP, guid=FIRST), health="down")
    record = json.loads(run["REPORT"])
    record["events"][0] |= {"event": name, "guid": name, "action": name}
    hostile = run | {"REPORT": json.dumps(record)}

    after(hostile, hostile)

    [issue] = issues.kept
    assert issue.comments == []
    hidden, _, body = issue.body.partition(" -->\n\n")
    assert "--" not in hidden.removeprefix("<!-- ")
    [line] = [line for line in body.splitlines() if line.startswith("* `")]
    event, guid, rest = line.removeprefix("* `").split("` `")[0], *line.split("`: given up, ")
    assert line.count("`") == 4
    assert event.split() == f"{name}.{name}".replace("`", " ").split()
    assert guid.endswith(name.replace("`", " ").split()[-1])
    assert rest.startswith("[webhook 1")

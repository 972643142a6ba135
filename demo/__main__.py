"""The demo: a receiver was down, and redeliver redelivers the events that it missed."""

from datetime import UTC, datetime, timedelta

from github_sandbox import Hook, Receiver, Sandbox
from redeliver.core.checkpoint import format_checkpoint
from tests.support.action_run import run_step

TOKEN = "demo-token"
SECRET = "hush"
VARIABLE = "LAST_REDELIVERY"
SINCE_LAST_RUN = timedelta(hours=6)
"""The age of the checkpoint. The example workflow runs every six hours."""


def main() -> None:
    """Run the demo."""
    with Receiver(secret=SECRET) as receiver, Sandbox() as github:
        github.token(TOKEN, organization_hooks="write", actions_variables="write")
        variables = github.repository("acme/ops").variables
        hook = github.org("acme").hook(receiver.url, secret=SECRET)
        # Whole seconds, like GitHub's clock. Otherwise redeliver could show 4 h as 3 h 59 min.
        now = datetime.now(UTC).replace(microsecond=0)
        variables[VARIABLE] = format_checkpoint(now - SINCE_LAST_RUN)

        _say("This demo runs a simulated GitHub and a receiver, all on this machine.")
        _say("The organization acme has a webhook, which sends its events to the receiver.")

        _title("1. The receiver is down for a while, and misses three events")
        _emit(hook, now, "push", minutes_ago=330)
        _emit(hook, now, "issues", "opened", minutes_ago=300)
        receiver.stop()
        _say("              The receiver goes down.")
        _emit(hook, now, "pull_request", "opened", minutes_ago=240)
        _emit(hook, now, "push", minutes_ago=200)
        receiver.start()
        receiver.behave(failing_events={"check_run": 503})
        _say("              The receiver is up again, but one part of it still fails.")
        _emit(hook, now, "check_run", "completed", minutes_ago=120)
        _emit(hook, now, "push", minutes_ago=90)
        receiver.behave()
        _say("              The receiver works again. GitHub does not retry the failed events.")
        received_before = len(receiver.received())

        old_checkpoint = variables[VARIABLE]
        _title("2. redeliver runs: it finds the failed events, and GitHub redelivers them")
        summary = _run(github, hook)
        github.settle()

        _title("3. The receiver has the events now, with their original GUIDs and valid signatures")
        for received in receiver.received()[received_before:]:
            if not received.signature_valid:
                raise SystemExit(f"{received.guid} arrived without a valid signature")
            _say(f"{received.guid}  {received.event}")

        _title("4. The workflow run gets a step summary: GitHub shows this Markdown as a web page")
        for line in summary.splitlines():
            _say(line)

        _title("5. redeliver has moved the checkpoint")
        new_checkpoint = variables[VARIABLE]
        _say("The checkpoint is the time up to which every failure has been dealt with.")
        _say(f"The variable {VARIABLE} of the repository acme/ops stores it:")
        _say()
        _say(f"before  {old_checkpoint}  {_time(old_checkpoint)}")
        _say(f"after   {new_checkpoint}  {_time(new_checkpoint)}")

        _title("6. redeliver runs again, and finds nothing to redeliver")
        _run(github, hook)


def _title(text: str) -> None:
    print(f"\n== {text} ==\n")


def _say(text: str = "") -> None:
    print(f"  {text}".rstrip())


def _emit(
    hook: Hook, now: datetime, event: str, action: str | None = None, *, minutes_ago: int
) -> None:
    at = now - timedelta(minutes=minutes_ago)
    guid = hook.emit(event, action, at=at)
    status = next(row["status"] for row in hook.log if row["guid"] == guid)
    name = f"{event}.{action}" if action else event
    result = "delivered" if status == "OK" else f"not delivered ({status})"
    _say(f"{at:%H:%M:%S} UTC  {name:<19}  {guid}  {result}")


def _run(github: Sandbox, hook: Hook) -> str:
    inputs = {"token": TOKEN, "org": hook.org, "hook-id": str(hook.id), "variable-name": VARIABLE}
    step = run_step(inputs, {"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": "acme/ops"})
    for line in step.log.splitlines():
        # This line tells the runner to mask the token. A runner does not show it.
        if not line.startswith("::add-mask::"):
            _say(line)
    if step.status != 0:
        raise SystemExit(f"redeliver failed:\n{step.errors}")
    return step.summary


def _time(milliseconds: str) -> str:
    return f"{datetime.fromtimestamp(int(milliseconds) / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


if __name__ == "__main__":
    main()

"""The demo: a receiver was down, and redeliver redelivers the events that it missed."""

from datetime import UTC, datetime, timedelta

from github_sandbox import Hook, Receiver, Sandbox
from redeliver.core.checkpoint import format_checkpoint
from tests.support.action_run import run_step

TOKEN = "demo-token"
SECRET = "hush"
VARIABLE = "LAST_REDELIVERY"
SINCE_LAST_RUN = timedelta(hours=6)
"""The age of the checkpoint: the example workflow runs once in this time."""


def main() -> None:
    """Run the demo."""
    with Receiver(secret=SECRET) as receiver, Sandbox() as github:
        github.token(TOKEN, organization_hooks="write", actions_variables="write")
        variables = github.repository("acme/ops").variables
        hook = github.org("acme").hook(receiver.url, secret=SECRET)
        now = datetime.now(UTC)
        variables[VARIABLE] = format_checkpoint(now - SINCE_LAST_RUN)

        _title("The organization acme has a webhook; its receiver was down for a while")
        _emit(hook, now, "push", minutes_ago=330)
        _emit(hook, now, "issues", "opened", minutes_ago=300)
        receiver.stop()
        print("                 (the receiver goes down)")
        _emit(hook, now, "pull_request", "opened", minutes_ago=240)
        _emit(hook, now, "push", minutes_ago=200)
        receiver.start()
        receiver.behave(failing_events={"check_run": 503})
        print("                 (the receiver is back, but not yet well)")
        _emit(hook, now, "check_run", "completed", minutes_ago=120)
        _emit(hook, now, "push", minutes_ago=90)
        receiver.behave()
        print("                 (the receiver is well again)")
        received_before = len(receiver.received())

        old_checkpoint = variables[VARIABLE]
        _title("redeliver runs")
        summary = _run(github, hook)
        github.settle()

        _title("What arrived at the receiver, each with its old GUID and a valid signature")
        for received in receiver.received()[received_before:]:
            if not received.signature_valid:
                raise SystemExit(f"{received.guid} arrived without a valid signature")
            print(f"  {received.guid}  {received.event}")

        _title("The step summary, as the runner gets it")
        print("\n".join(f"  {line}" for line in summary.splitlines()))

        _title(f"The checkpoint in the variable {VARIABLE} of acme/ops")
        new_checkpoint = variables[VARIABLE]
        print(f"  before  {old_checkpoint}  {_time(old_checkpoint)}")
        print(f"  after   {new_checkpoint}  {_time(new_checkpoint)}")

        _title("redeliver runs again: there is nothing left to do")
        _run(github, hook)


def _title(text: str) -> None:
    print(f"\n== {text} ==\n")


def _emit(
    hook: Hook, now: datetime, event: str, action: str | None = None, *, minutes_ago: int
) -> None:
    at = now - timedelta(minutes=minutes_ago)
    guid = hook.emit(event, action, at=at)
    status = next(row["status"] for row in hook.log if row["guid"] == guid)
    name = f"{event}.{action}" if action else event
    print(f"  {at:%H:%M:%S} UTC   {guid}  {name:<22} {status}")


def _run(github: Sandbox, hook: Hook) -> str:
    inputs = {"token": TOKEN, "org": hook.org, "hook-id": str(hook.id), "variable-name": VARIABLE}
    step = run_step(inputs, {"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": "acme/ops"})
    for line in step.log.splitlines():
        # This line tells the runner to mask the token. A runner does not show it.
        if not line.startswith("::add-mask::"):
            print(f"  {line}")
    if step.status != 0:
        raise SystemExit(f"redeliver failed:\n{step.errors}")
    return step.summary


def _time(milliseconds: str) -> str:
    return f"{datetime.fromtimestamp(int(milliseconds) / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


if __name__ == "__main__":
    main()

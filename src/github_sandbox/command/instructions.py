"""The text that says what the simulated GitHub has, and what to try on it."""

import shlex
from pathlib import Path

from github_sandbox.command.scene import (
    EVENTS,
    NO_VARIABLES_TOKEN,
    READ_ONLY_TOKEN,
    TOKEN,
    Scene,
)
from github_sandbox.command.typed_commands import list_commands

CHECKPOINT, OUTPUTS, SUMMARY = "checkpoint.json", "outputs", "summary.md"


def instructions(scene: Scene, *, receiver: str, directory: Path) -> str:
    """Return the text.

    `receiver` says what state the receiver is in. redeliver is to write its files to `directory`.
    """
    url, hook = scene.url, scene.hook
    deliveries = f"{url}/orgs/{hook.org}/hooks/{hook.id}/deliveries"
    total = len(hook.log)
    failed = [row["id"] for row in hook.log if row["status"] != "OK"]
    kinds = ", ".join(f"{event.name} ({event.status})" for event in EVENTS[: len(failed)])
    checkpoint, outputs, summary = (
        shlex.quote(str(directory / name)) for name in (CHECKPOINT, OUTPUTS, SUMMARY)
    )
    return f"""\
The simulated GitHub is running. Its API has the URL {url}
(or {url}/api/v3, as on Enterprise Server).

The organization {hook.org} has the webhook {hook.id}. Of its {total} deliveries in the last
12 hours, {len(failed)} failed: {kinds}.
{receiver}
For more failures, start this program with --failures 200.

Redeliver them from another terminal, in the directory of the clone. Add --dry-run to look first.

    GH_TOKEN={TOKEN} .venv/bin/redeliver --hostname {url} \\
        --org {hook.org} --hook-id {hook.id} --checkpoint-file {checkpoint}

Other flags to try: --lookback 4h, --give-up-after 5h, --events 'push, check_*', --probe 2,
--skip-status-codes 400, --max-redeliveries 3.

In this terminal, type one of these commands and press Enter:

{list_commands()}

For new failures, type down, send 20 and up, and run redeliver again. An event whose redelivery has
failed waits before the next one, at most 45 minutes: type later 50m, or run with --at-once.

Or run the action. Then look at the outputs and the summary, which it writes to files for GitHub.
The first line that it prints makes GitHub hide the token in the log.

    INPUT_TOKEN={TOKEN} INPUT_ORG={hook.org} INPUT_HOOK_ID={hook.id} \\
        INPUT_VARIABLE_NAME=LAST_REDELIVERY GITHUB_REPOSITORY={scene.repository} \\
        GITHUB_API_URL={url} GITHUB_OUTPUT={outputs} \\
        GITHUB_STEP_SUMMARY={summary} .venv/bin/python -m redeliver

To see what happens if a permission is missing, use another token while there are failures:
{READ_ONLY_TOKEN} cannot redeliver, and {NO_VARIABLES_TOKEN} cannot read or write the variable in
which the action keeps its checkpoint.

To list the deliveries, and to redeliver the newest failed one without redeliver:

    curl -H 'Authorization: Bearer {TOKEN}' {deliveries}
    curl -H 'Authorization: Bearer {TOKEN}' -X POST \\
        {deliveries}/{failed[0]}/attempts

Press Ctrl-C to stop. This also deletes {directory}."""

"""Compare the event names that redeliver knows with those in GitHub's descriptions of its webhooks.

python -m tests.contract.event_names <directory with githubkit-schemas-ghec>

That package is generated from GitHub's descriptions for Enterprise Cloud, which has every event of
GitHub.com as well. Its code is only read: to import it takes more packages.
"""

import ast
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from redeliver.core.event_names import EVENT_NAMES

NOT_DESCRIBED: Mapping[str, str] = {
    "bypass_request_secret_scanning": "the name of exemption_request_secret_scanning in GitHub's "
    "documentation",
    "cache_sync": "only Enterprise Server has it",
    "enterprise": "only Enterprise Server has it",
    "user": "only Enterprise Server has it",
}
"""Why redeliver knows an event that GitHub does not describe for Enterprise Cloud."""


def described_names(code: str) -> set[str]:
    """Return the event names in `code`, which maps each one to a type in `webhook_event_types`."""
    for statement in ast.parse(code).body:
        match statement:
            case ast.Assign(
                targets=[ast.Name("webhook_event_types")], value=ast.Dict(keys=[*keys])
            ) if keys:
                return {ast.literal_eval(key) for key in keys if key}
    raise LookupError("githubkit-schemas-ghec has no webhook_event_types: find its event names")


def problems(
    known: Collection[str],
    described: Collection[str],
    not_described: Mapping[str, str] = NOT_DESCRIBED,
) -> list[str]:
    """Return what does not agree, and what to do about it."""
    known, described, excepted = {*known}, {*described}, {*not_described}
    found = {
        "GitHub has events that redeliver does not know. Add their names to EVENT_NAMES in "
        "src/redeliver/core/event_names.py, and a line to CHANGELOG.md": described - known,
        "redeliver knows events that GitHub does not describe any more. If no Enterprise Server "
        "has them, remove their names from EVENT_NAMES. If one has, add them to NOT_DESCRIBED in "
        "tests/contract/event_names.py": known - described - excepted,
        "GitHub describes these events now. Remove their names from NOT_DESCRIBED in "
        "tests/contract/event_names.py": excepted & described,
        "redeliver does not know these events any more. Remove their names from NOT_DESCRIBED in "
        "tests/contract/event_names.py": excepted - known,
    }
    return [f"{what}: {', '.join(sorted(names))}" for what, names in found.items() if names]


def main(directory: Path) -> int:
    """Print what was compared and every problem, and return the exit status."""
    [file] = directory.glob("githubkit_schemas/ghec_*/webhooks/_types.py")
    described = described_names(file.read_text())
    found = problems(EVENT_NAMES, described)

    print(f"Compared {len(EVENT_NAMES)} event names with the {len(described)} of GitHub.")
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

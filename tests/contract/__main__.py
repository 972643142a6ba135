"""Compare recorded requests and responses with GitHub's descriptions of its API.

python -m tests.contract <descriptions of the npm package> <exchanges> [<descriptions of GitHub>]

Each is a directory. The last one is `descriptions` in a clone of github/rest-api-description.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from github_sandbox.recording import read_exchanges
from tests.contract.contract import Contract, is_by_redeliver
from tests.contract.products import find, unexpected

REQUESTED_BY_REDELIVER = (
    "actions/create-repo-variable",
    "actions/get-repo-variable",
    "actions/update-repo-variable",
    "apps/create-installation-access-token",
    "apps/get-authenticated",
    "apps/get-org-installation",
    "apps/get-repo-installation",
    "apps/get-user-installation",
    "apps/list-repos-accessible-to-installation",
    "apps/list-webhook-deliveries",
    "apps/redeliver-webhook-delivery",
    "orgs/list-webhook-deliveries",
    "orgs/list-webhooks",
    "orgs/redeliver-webhook-delivery",
    "rate-limit/get",
    "repos/get",
    "repos/list-for-org",
    "repos/list-webhook-deliveries",
    "repos/list-webhooks",
    "repos/redeliver-webhook-delivery",
)
REQUESTED_BY_OTHERS = (
    "actions/list-repo-variables",
    "apps/get-installation",
    "apps/get-webhook-config-for-app",
    "apps/get-webhook-delivery",
    "orgs/get-webhook",
    "orgs/get-webhook-delivery",
    "repos/get-webhook",
    "repos/get-webhook-delivery",
)
"""Operations that the sandbox offers to other clients."""


def main(from_npm: Path, directory: Path, from_github: Sequence[Path]) -> int:
    """Print what was compared and every deviation, and return the exit status."""
    found = find([*from_github, from_npm])
    missing_or_new = unexpected(found, from_github=bool(from_github))
    for problem in missing_or_new:
        print(problem, file=sys.stderr)
    if not found:
        return 1

    contract = Contract(
        {product: json.loads(path.read_text()) for product, path in found.items()},
        requested_by_redeliver=REQUESTED_BY_REDELIVER,
        requested_by_others=REQUESTED_BY_OTHERS,
    )
    exchanges = list(read_exchanges(directory))
    comparison = contract.compare(exchanges)

    print(f"{'exchanges, by operation':38}", *(f"{p:>14}" for p in found), "  by redeliver")
    for name in REQUESTED_BY_REDELIVER + REQUESTED_BY_OTHERS:
        counts = [comparison.compared[name, product] for product in found]
        counts.append(comparison.by_redeliver[name, contract.products[0]])
        print(f"{name:38}", *(f"{count:14,}" for count in counts))
    requests = sum(map(is_by_redeliver, exchanges))
    responses = sum(exchange.status is not None for exchange in exchanges)
    print(
        f"Compared {requests:,} requests of redeliver and {responses:,} responses of the sandbox."
    )
    print(f"{comparison.unknown:,} exchanges match no operation that is listed here.")
    for version, names in contract.changes().items():
        print(f"Version {version} of the API changes these operations: {', '.join(names)}.")
    for problem, times in comparison.problems.most_common():
        print(f"{times} x {problem}", file=sys.stderr)
    return 1 if comparison.problems or missing_or_new else 0


if __name__ == "__main__":
    npm, recorded, *github = map(Path, sys.argv[1:])
    sys.exit(main(npm, recorded, github))

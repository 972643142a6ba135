"""Compare recorded requests and responses with GitHub's descriptions of its API.

python -m tests.contract <directory of descriptions> <directory of exchanges>
"""

import json
import sys
from pathlib import Path

from github_sandbox.recording import read_exchanges
from tests.contract.contract import Contract, is_by_redeliver

PRODUCTS = ("api.github.com", "ghec", "ghes-3.17", "ghes-3.18", "ghes-3.19")

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


def main(descriptions: Path, directory: Path) -> int:
    """Print what was compared and every deviation, and return the exit status."""
    contract = Contract(
        {
            product: json.loads((descriptions / f"{product}.json").read_text())
            for product in PRODUCTS
        },
        requested_by_redeliver=REQUESTED_BY_REDELIVER,
        requested_by_others=REQUESTED_BY_OTHERS,
    )
    exchanges = list(read_exchanges(directory))
    comparison = contract.compare(exchanges)

    print(f"{'exchanges, by operation':38}", *(f"{p:>14}" for p in PRODUCTS), "  by redeliver")
    for name in REQUESTED_BY_REDELIVER + REQUESTED_BY_OTHERS:
        counts = [comparison.compared[name, product] for product in PRODUCTS]
        counts.append(comparison.by_redeliver[name, PRODUCTS[0]])
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
    return 1 if comparison.problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))

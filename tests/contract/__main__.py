"""Compare what was said in the tests with GitHub's descriptions of its API.

python -m tests.contract <directory of descriptions> <directory of exchanges>
"""

import json
import sys
from pathlib import Path

from github_sandbox.recording import read_exchanges
from tests.contract.contract import Contract, is_ours

PRODUCTS = ("api.github.com", "ghec", "ghes-3.17", "ghes-3.18", "ghes-3.19")

ASKED_BY_US = (
    "actions/create-repo-variable",
    "actions/get-repo-variable",
    "actions/update-repo-variable",
    "apps/create-installation-access-token",
    "apps/get-authenticated",
    "apps/get-org-installation",
    "apps/get-repo-installation",
    "apps/list-webhook-deliveries",
    "apps/redeliver-webhook-delivery",
    "orgs/list-webhook-deliveries",
    "orgs/list-webhooks",
    "orgs/redeliver-webhook-delivery",
    "rate-limit/get",
    "repos/list-webhook-deliveries",
    "repos/list-webhooks",
    "repos/redeliver-webhook-delivery",
)
ASKED_BY_OTHERS = (
    "actions/list-repo-variables",
    "apps/get-installation",
    "apps/get-user-installation",
    "apps/get-webhook-config-for-app",
    "apps/get-webhook-delivery",
    "orgs/get-webhook",
    "orgs/get-webhook-delivery",
    "repos/get-webhook",
    "repos/get-webhook-delivery",
)
"""What the sandbox answers beside, for other clients."""


def main(descriptions: Path, directory: Path) -> int:
    """Print what was checked and what is wrong, and return the exit status."""
    contract = Contract(
        {each: json.loads((descriptions / f"{each}.json").read_text()) for each in PRODUCTS},
        asked_by_us=ASKED_BY_US,
        asked_by_others=ASKED_BY_OTHERS,
    )
    exchanges = list(read_exchanges(directory))
    verdict = contract.judge(exchanges)

    print(f"{'exchanges as':38}", *(f"{product:>14}" for product in PRODUCTS), "  by redeliver")
    for name in ASKED_BY_US + ASKED_BY_OTHERS:
        counts = [verdict.checked[name, product] for product in PRODUCTS]
        counts.append(verdict.ours[name, PRODUCTS[0]])
        print(f"{name:38}", *(f"{count:14,}" for count in counts))
    requests = sum(map(is_ours, exchanges))
    answers = sum(exchange.status is not None for exchange in exchanges)
    print(f"Compared {requests:,} requests of redeliver and {answers:,} answers of the sandbox,")
    print(f"{verdict.unknown:,} of them refusals of what GitHub does not have.")
    for version, changed in contract.changes().items():
        print(f"Version {version} of the API changes of all this: {', '.join(changed)}.")
    for problem, times in verdict.wrong.most_common():
        print(f"{times} x {problem}", file=sys.stderr)
    return 1 if verdict.wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))

"""Hold what was said between the tests and the sandbox against GitHub's description of its API.

python -m tests.contract <directory of descriptions> <directory of exchanges>
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from github_sandbox.exchanges import Exchange, written_down
from tests.contract.conformance import REFUSED, problems_of_answer, problems_of_request
from tests.contract.description import FIRST_VERSION, Operation, operations, versions

PRODUCTS = ("api.github.com", "ghec", "ghes-3.17", "ghes-3.18", "ghes-3.19")

ASKED_BY_US = (
    "actions/create-repo-variable",
    "actions/get-repo-variable",
    "actions/update-repo-variable",
    "apps/create-installation-access-token",
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
    "apps/get-authenticated",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """An exchange, to be held against an operation as one product or several describe it."""

    exchange: Exchange
    name: str
    operation: Operation
    products: tuple[str, ...]


class Contract:
    """The operations of all products, in all versions of their API."""

    def __init__(self, descriptions: Path) -> None:
        """Read the descriptions, or raise `LookupError` if one lacks an operation."""
        self._known: dict[str, dict[str, dict[str, Operation]]] = {}
        """By product, version and the operation's id."""
        for product in PRODUCTS:
            description = json.loads((descriptions / f"{product}.json").read_text())
            self._known[product] = {
                version: operations(description, version, ASKED_BY_US + ASKED_BY_OTHERS)
                for version in versions(description)
            }

    def checks(self, exchange: Exchange) -> Iterator[Check]:
        """Yield what to compare an exchange with: nothing if there is no such operation."""
        version = exchange.headers.get("x-github-api-version", FIRST_VERSION)
        products: dict[tuple[str, Operation], list[str]] = {}
        for product, by_version in self._known.items():
            # A product that does not know the version can only refuse.
            known = by_version.get(
                version, by_version[FIRST_VERSION] if _is_refused(exchange) else {}
            )
            for name, operation in known.items():
                if operation.is_asked(exchange.method, exchange.path):
                    products.setdefault((name, operation), []).append(product)
        for (name, operation), having_it in products.items():
            yield Check(
                exchange=exchange, name=name, operation=operation, products=tuple(having_it)
            )

    def changes(self) -> dict[str, list[str]]:
        """Tell what each later version changes of the operations."""
        by_version = self._known[PRODUCTS[0]]
        first = by_version[FIRST_VERSION]
        return {
            version: [name for name in known if known[name] != first[name]]
            for version, known in by_version.items()
            if version != FIRST_VERSION
        }


def problems(check: Check) -> list[str]:
    """Say in what an exchange is not as described."""
    found = []
    if _is_ours(check.exchange):
        found += problems_of_request(check.exchange, check.operation.document)
    if check.exchange.status is not None:
        found += problems_of_answer(check.exchange, check.operation.document)
    return found


def main(descriptions: Path, exchanges: Path) -> int:
    """Print what was checked and what is wrong, and return the exit status."""
    contract = Contract(descriptions)
    checks: list[Check] = []
    wrong: Counter[str] = Counter()
    beside = 0
    for exchange in written_down(exchanges):
        these = list(contract.checks(exchange))
        checks += these
        beside += not these
        if not these and (_is_ours(exchange) or not _is_refused(exchange)):
            wrong[f"{_in_short(exchange)}: GitHub has no such operation"] += 1

    checked: Counter[tuple[str, str]] = Counter()
    ours: Counter[str] = Counter()
    with ProcessPoolExecutor() as pool:
        for check, found in zip(checks, pool.map(problems, checks, chunksize=50), strict=True):
            checked.update((check.name, product) for product in check.products)
            ours[check.name] += _is_ours(check.exchange) and PRODUCTS[0] in check.products
            of = f"{', '.join(check.products)}: {check.name}: {_in_short(check.exchange)}"
            wrong.update(f"{of}: {each}" for each in found)

    print(f"{'exchanges as':38}", *(f"{product:>14}" for product in PRODUCTS), "  by redeliver")
    for name in ASKED_BY_US + ASKED_BY_OTHERS:
        by_product = [checked[name, product] for product in PRODUCTS]
        print(f"{name:38}", *(f"{number:14,}" for number in [*by_product, ours[name]]))
        if not all(by_product):
            wrong[f"{name}: no exchange"] += 1
        if name in ASKED_BY_US and not ours[name]:
            wrong[f"{name}: no exchange of redeliver's"] += 1
    print(f"Beside these, {beside:,} refusals of what GitHub does not have.")
    for version, changed in contract.changes().items():
        print(f"Version {version} of the API changes of all this: {', '.join(changed)}.")
    for problem, times in wrong.most_common():
        print(f"{times} x {problem}", file=sys.stderr)
    return 1 if wrong else 0


def _is_ours(exchange: Exchange) -> bool:
    """Tell whether the action asked, and not a test or somebody else's client."""
    return exchange.headers.get("user-agent", "").startswith("redeliver/")


def _is_refused(exchange: Exchange) -> bool:
    return exchange.status is None or exchange.status >= REFUSED


def _in_short(exchange: Exchange) -> str:
    return f"{exchange.method} {re.sub('[0-9]{3,}', 'N', exchange.path)}, {exchange.status}"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))

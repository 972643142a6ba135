"""Compare recorded exchanges with GitHub's descriptions of all its products.

Every operation needs one exchange, for each product, whose response is not an error. For an
operation that redeliver requests, redeliver must have made that request.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from github_sandbox.recording import Exchange
from tests.contract.conformance import FIRST_ERROR_STATUS, request_problems, response_problems
from tests.contract.description import (
    FIRST_VERSION,
    Json,
    Operation,
    has_variables_permission,
    operations,
    versions,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """An exchange to compare with an operation, for the products that describe it alike."""

    exchange: Exchange
    name: str
    operation: Operation
    products: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Comparison:
    """How many exchanges were compared, by operation and product, and every deviation."""

    compared: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_redeliver: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many of these were requests of redeliver."""
    unknown: int = 0
    """How many exchanges match no listed operation."""
    problems: Counter[str] = field(default_factory=Counter)


class Contract:
    """The operations of all products, in all versions of their API."""

    def __init__(
        self,
        descriptions: Mapping[str, Json],
        *,
        requested_by_redeliver: Collection[str],
        requested_by_others: Collection[str],
    ) -> None:
        """Take the descriptions by product, or raise `LookupError` if one lacks an operation."""
        if all(map(has_variables_permission, descriptions.values())):
            raise LookupError(
                "all descriptions have the permission on variables now: delete VARIABLES_PERMISSION"
            )
        self.products = tuple(descriptions)
        self.requested_by_redeliver = requested_by_redeliver
        self.requested_by_others = requested_by_others
        names = [*requested_by_redeliver, *requested_by_others]
        self._operations = {
            product: _by_version(product, description, names)
            for product, description in descriptions.items()
        }

    def compare(self, exchanges: Iterable[Exchange]) -> Comparison:
        """Compare every exchange with its operation."""
        comparison = Comparison()
        checks: list[Check] = []
        for exchange in exchanges:
            checks_of_exchange = list(self._checks(exchange))
            checks += checks_of_exchange
            if not checks_of_exchange:
                comparison.unknown += 1
                if is_by_redeliver(exchange) or not _is_refused(exchange):
                    problem = f"{_short(exchange)}: tests/contract lists no such operation"
                    comparison.problems[problem] += 1
        succeeded: Counter[tuple[str, str, bool]] = Counter()
        with ProcessPoolExecutor() as pool:
            results = pool.map(_problems, checks, chunksize=50)
            for check, problems in zip(checks, results, strict=True):
                by_redeliver = is_by_redeliver(check.exchange)
                keys = [(check.name, product) for product in check.products]
                comparison.compared.update(keys)
                comparison.by_redeliver.update(keys if by_redeliver else ())
                if not _is_refused(check.exchange):
                    succeeded.update((*key, by_redeliver) for key in keys)
                where = f"{', '.join(check.products)}: {check.name}: {_short(check.exchange)}"
                comparison.problems.update(f"{where}: {problem}" for problem in problems)
        comparison.problems.update(self._gaps(succeeded))
        return comparison

    def changes(self) -> dict[str, list[str]]:
        """Return which operations each later version changes, in the first product."""
        by_version = self._operations[self.products[0]]
        first = by_version[FIRST_VERSION]
        return {
            version: [name for name in by_name if by_name[name] != first[name]]
            for version, by_name in by_version.items()
            if version != FIRST_VERSION
        }

    def _checks(self, exchange: Exchange) -> Iterator[Check]:
        """Yield the checks of an exchange: none if it matches no listed operation."""
        version = exchange.headers.get("x-github-api-version", FIRST_VERSION)
        products: dict[tuple[str, Operation], list[str]] = {}
        for product, by_version in self._operations.items():
            # A product that lacks the version can only respond with an error.
            fallback = by_version[FIRST_VERSION] if _is_refused(exchange) else {}
            for name, operation in by_version.get(version, fallback).items():
                if operation.matches(exchange.method, exchange.path):
                    products.setdefault((name, operation), []).append(product)
        for (name, operation), alike in products.items():
            yield Check(exchange=exchange, name=name, operation=operation, products=tuple(alike))

    def _gaps(self, succeeded: Counter[tuple[str, str, bool]]) -> Iterator[str]:
        """Yield the operations without a successful exchange, and those in the wrong list."""
        for product in self.products:
            for name in self.requested_by_redeliver:
                if not succeeded[name, product, True]:
                    yield f"{product}: {name}: no successful exchange of redeliver"
            for name in self.requested_by_others:
                if not succeeded[name, product, False]:
                    yield f"{product}: {name}: no successful exchange"
                if succeeded[name, product, True]:
                    yield f"{product}: {name}: redeliver requests it, so it is in the wrong list"


def is_by_redeliver(exchange: Exchange) -> bool:
    """Whether redeliver made the request, not a test or another client."""
    return exchange.headers.get("user-agent", "").startswith("redeliver/")


def _by_version(
    product: str, description: Json, names: Collection[str]
) -> dict[str, dict[str, Operation]]:
    try:
        return {
            version: operations(description, version, names) for version in versions(description)
        }
    except LookupError as error:
        raise LookupError(f"{product}: {error}") from error


def _problems(check: Check) -> list[str]:
    """Return the deviations of a response, and of a request if redeliver made it."""
    problems = []
    if is_by_redeliver(check.exchange):
        problems += request_problems(check.exchange, check.operation.document)
    if check.exchange.status is not None:
        problems += response_problems(check.exchange, check.operation.document)
    return problems


def _is_refused(exchange: Exchange) -> bool:
    return exchange.status is None or exchange.status >= FIRST_ERROR_STATUS


def _short(exchange: Exchange) -> str:
    return f"{exchange.method} {re.sub('[0-9]{3,}', 'N', exchange.path)}, {exchange.status}"

"""What was said in the tests, held to what all products describe.

An operation is proved by an answer that is no refusal: for each product, and to us if we ask it.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from github_sandbox.recording import Exchange
from tests.contract.conformance import REFUSED, problems_of_answer, problems_of_request
from tests.contract.description import FIRST_VERSION, Json, Operation, operations, versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """An exchange, to be compared with an operation as one product or several describe it."""

    exchange: Exchange
    name: str
    operation: Operation
    products: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What was checked, by operation and product, and what is wrong."""

    checked: Counter[tuple[str, str]] = field(default_factory=Counter)
    ours: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Those of them that the action asked."""
    unknown: int = 0
    """How many were about what GitHub does not have."""
    wrong: Counter[str] = field(default_factory=Counter)


class Contract:
    """The operations of all products, in all versions of their API."""

    def __init__(
        self,
        descriptions: Mapping[str, Json],
        *,
        asked_by_us: Collection[str],
        asked_by_others: Collection[str],
    ) -> None:
        """Take the descriptions by product, or raise `LookupError` if one lacks an operation."""
        self.products = tuple(descriptions)
        self.asked_by_us = asked_by_us
        self.asked_by_others = asked_by_others
        wanted = [*asked_by_us, *asked_by_others]
        self._known = {
            product: {
                version: operations(description, version, wanted)
                for version in versions(description)
            }
            for product, description in descriptions.items()
        }

    def judge(self, exchanges: Iterable[Exchange]) -> Verdict:
        """Compare all that was said with all that it has to be like."""
        verdict = Verdict()
        checks: list[Check] = []
        for exchange in exchanges:
            these = list(self._checks(exchange))
            checks += these
            verdict.unknown += not these
            if not these and (is_ours(exchange) or not _is_refused(exchange)):
                verdict.wrong[f"{_in_short(exchange)}: GitHub has no such operation"] += 1
        proved: Counter[tuple[str, str, bool]] = Counter()
        with ProcessPoolExecutor() as pool:
            for check, found in zip(checks, pool.map(_problems, checks, chunksize=50), strict=True):
                by_us, places = is_ours(check.exchange), [(check.name, p) for p in check.products]
                verdict.checked.update(places)
                verdict.ours.update(places if by_us else ())
                if not _is_refused(check.exchange):
                    proved.update((*place, by_us) for place in places)
                of = f"{', '.join(check.products)}: {check.name}: {_in_short(check.exchange)}"
                verdict.wrong.update(f"{of}: {each}" for each in found)
        verdict.wrong.update(self._gaps(proved))
        return verdict

    def changes(self) -> dict[str, list[str]]:
        """Tell what each later version changes of the operations, in the first product."""
        by_version = self._known[self.products[0]]
        first = by_version[FIRST_VERSION]
        return {
            version: [name for name in known if known[name] != first[name]]
            for version, known in by_version.items()
            if version != FIRST_VERSION
        }

    def _checks(self, exchange: Exchange) -> Iterator[Check]:
        """Yield what to compare an exchange with: nothing if there is no such operation."""
        version = exchange.headers.get("x-github-api-version", FIRST_VERSION)
        products: dict[tuple[str, Operation], list[str]] = {}
        for product, by_version in self._known.items():
            # A product that does not know the version can only refuse.
            instead = by_version[FIRST_VERSION] if _is_refused(exchange) else {}
            for name, operation in by_version.get(version, instead).items():
                if operation.is_asked(exchange.method, exchange.path):
                    products.setdefault((name, operation), []).append(product)
        for (name, operation), its in products.items():
            yield Check(exchange=exchange, name=name, operation=operation, products=tuple(its))

    def _gaps(self, proved: Counter[tuple[str, str, bool]]) -> Iterator[str]:
        """Say what was never answered but by a refusal, and what is asked by whom."""
        for product in self.products:
            for name in self.asked_by_us:
                if not proved[name, product, True]:
                    yield f"{product}: {name}: no exchange of redeliver's that went well"
            for name in self.asked_by_others:
                if not proved[name, product, False]:
                    yield f"{product}: {name}: no exchange that went well"
                if proved[name, product, True]:
                    yield f"{product}: {name}: is asked by redeliver, and listed as by others"


def is_ours(exchange: Exchange) -> bool:
    """Tell whether the action asked, and not a test or somebody else's client."""
    return exchange.headers.get("user-agent", "").startswith("redeliver/")


def _problems(check: Check) -> list[str]:
    """Say in what an exchange is not as described."""
    found = []
    if is_ours(check.exchange):
        found += problems_of_request(check.exchange, check.operation.document)
    if check.exchange.status is not None:
        found += problems_of_answer(check.exchange, check.operation.document)
    return found


def _is_refused(exchange: Exchange) -> bool:
    return exchange.status is None or exchange.status >= REFUSED


def _in_short(exchange: Exchange) -> str:
    return f"{exchange.method} {re.sub('[0-9]{3,}', 'N', exchange.path)}, {exchange.status}"

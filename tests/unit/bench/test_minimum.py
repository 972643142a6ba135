"""The least time at redeliver's limits: GitHub's responses and limits, and nothing else."""

import pytest

from bench.cases import QUICK, Case
from bench.minimum import Minimum, minimum


def shortest(
    latency: float,
    *,
    deliveries: int,
    failures: int = 0,
    webhooks: int = 1,
    redeliveries_per_minute: int = 75,
) -> Minimum:
    case = Case(
        name="",
        deliveries=deliveries,
        failures=failures,
        webhooks=webhooks,
        redeliveries_per_minute=redeliveries_per_minute,
    )
    result = minimum(case, latency)
    return Minimum(seconds=round(result.seconds, 6), limit=result.limit)


@pytest.mark.parametrize(
    ("case", "trips"),
    [
        pytest.param({"deliveries": 60}, 1 + 1, id="a page, the checkpoint"),
        pytest.param({"deliveries": 99}, 1 + 1, id="a page that ends with an older delivery"),
        pytest.param({"deliveries": 100}, 2 + 1, id="a full page, and one that shows it was all"),
        pytest.param({"deliveries": 1999}, 20 + 1, id="one page after the other"),
        pytest.param({"deliveries": 2000, "failures": 32}, 21 + 4 + 1, id="eight at once"),
        pytest.param({"deliveries": 1999, "webhooks": 8}, 20 + 1, id="eight logs at once"),
        pytest.param({"deliveries": 1999, "webhooks": 10}, 25 + 1, id="200 pages of ten logs"),
        pytest.param({"deliveries": 99, "webhooks": 10}, 2 + 1, id="ten pages of ten logs"),
    ],
)
def test_latency_counts_once_for_each_round_trip(case: dict[str, int], trips: int) -> None:
    assert shortest(0.05, **case) == Minimum(seconds=round(trips * 0.05, 6), limit="latency")


def test_a_scan_of_failures_reads_one_page_if_none_failed() -> None:
    case = Case(name="", deliveries=200_000, inputs=QUICK | {"scan": "failures"})

    assert minimum(case, 1).seconds == 2


def test_reads_wait_for_the_points_of_a_minute() -> None:
    """GitHub allows 900 a minute, and a read costs one. The last write costs five."""
    assert shortest(0, deliveries=89_499) == Minimum(seconds=0, limit="latency")
    assert shortest(0, deliveries=89_500).limit == "900 points a minute"
    assert shortest(0, deliveries=89_500).seconds == 60
    assert shortest(0.05, deliveries=199_999).seconds == 130.25


def test_redeliveries_wait_for_their_own_limit() -> None:
    case = {"deliveries": 199, "failures": 199}

    assert shortest(0, **case) == Minimum(seconds=120, limit="75 redeliveries a minute")


def test_redeliveries_without_a_limit_wait_for_points() -> None:
    """Five points each: with two pages and the last write, 178 fit into the first minute."""
    case = {"deliveries": 199, "redeliveries_per_minute": 0}

    assert shortest(0, failures=178, **case).limit == "latency"
    assert shortest(0, failures=179, **case) == Minimum(seconds=60, limit="900 points a minute")


def test_nothing_waits_where_github_has_no_limits() -> None:
    case = Case(
        name="", deliveries=900_000, failures=9000, redeliveries_per_minute=0, has_limits=False
    )

    assert minimum(case, 0) == Minimum(seconds=0, limit="latency")

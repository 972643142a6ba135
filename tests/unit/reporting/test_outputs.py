"""The report in JSON, and the outputs."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from redeliver.core.decision import Verdict
from redeliver.core.delivery import RepositoryId
from redeliver.core.health import FailureKind, HealthVerdict
from redeliver.core.outcome import EventResult, Outcome
from redeliver.core.policy import ScanMode
from redeliver.core.repository_filter import ALL_REPOSITORIES, RepositoryFilter
from redeliver.errors import UnavailableError
from redeliver.reporting.counts import NOT_FAILED_OUTCOMES
from redeliver.reporting.outputs import outputs, to_json
from redeliver.reporting.report import Report
from tests.support.builders import (
    NOW,
    ONE_RESULT_OF_EACH,
    OPTIONS,
    a_decision,
    a_delivery,
    a_policy,
    a_report,
    a_result,
    a_scan_result,
    a_webhook,
    ago,
    delivered,
    failed,
    health_of,
    repositories,
    succeeded,
)

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "report.schema.json").read_text())


def recorded(report: Report, *, max_characters: int | None = None) -> dict[str, Any]:
    """Return the report as its readers parse it, validated against the schema."""
    record: dict[str, Any] = json.loads(to_json(report, max_characters=max_characters))
    jsonschema.validate(record, SCHEMA, cls=jsonschema.Draft202012Validator)
    return record


REPORTS = {
    "nothing to do": a_report(),
    "one of each": a_report(*ONE_RESULT_OF_EACH),
    "no checkpoint": replace(a_report(), checkpoint=None),
    "no webhook": replace(a_report(), scans=()),
    "a log that broke off": a_report(error=UnavailableError("GitHub is down")),
    "an App's own webhook": replace(
        a_report(
            EventResult(
                decision=a_decision(webhook=replace(a_webhook(), id=None)), outcome=Outcome.DUE
            )
        ),
        scans=(a_scan_result(webhook=replace(a_webhook(), id=None)),),
    ),
}


@pytest.mark.parametrize("case", REPORTS)
def test_the_schema_describes_the_report_of(case: str) -> None:
    recorded(REPORTS[case])


def test_the_schema_knows_every_outcome() -> None:
    known = SCHEMA["properties"]["events"]["items"]["properties"]["outcome"]["enum"]

    shown = [outcome.for_users for outcome in Outcome if outcome not in NOT_FAILED_OUTCOMES]
    assert known == [outcome.name.lower() for outcome in dict.fromkeys(shown)]


def limited_to(chosen: RepositoryFilter) -> Report:
    options = replace(OPTIONS, policy=a_policy(repositories=chosen))
    return replace(a_report(), options=options)


def test_a_report_names_the_repositories() -> None:
    included, excluded, every = (
        recorded(limited_to(chosen))
        for chosen in (repositories(1), repositories(2, excludes=True), ALL_REPOSITORIES)
    )

    one, two = ([{"id": str(n), "name": f"acme/repo-{n}"}] for n in (1, 2))
    assert (included["repositories"], included["excluded_repositories"]) == (one, None)
    assert (excluded["repositories"], excluded["excluded_repositories"]) == (None, two)
    assert (every["repositories"], every["excluded_repositories"]) == (None, None)


def test_a_repository_may_be_known_by_its_id_only() -> None:
    chosen = RepositoryFilter(names={RepositoryId(7): ""}, excludes=False)

    assert recorded(limited_to(chosen))["repositories"] == [{"id": "7", "name": None}]


def test_the_output_names_at_most_20_repositories() -> None:
    report = limited_to(repositories(*range(1, 5001)))

    assert len(json.loads(outputs(report)["report"])["repositories"]) == 20
    assert len(recorded(report)["repositories"]) == 5000


@pytest.mark.parametrize("scan", ScanMode)
def test_a_report_has_its_scan_mode(scan: ScanMode) -> None:
    report = replace(a_report(), options=replace(OPTIONS, scan=scan))

    assert recorded(report)["scan"] == scan.value


def test_a_report_has_the_outcome_of_each_event() -> None:
    delivery = a_delivery(
        "event-7", number=2**62 + 1, event="issues", action="opened", repository_id=7
    )
    failed = EventResult(decision=a_decision(delivery), outcome=Outcome.PENDING).verified(
        replace(delivery, delivered_at=NOW + timedelta(seconds=2), status_code=503, status="no")
    )

    (event,) = recorded(a_report(failed))["events"]

    assert event == {
        "hook": "1",
        "guid": "event-7",
        "delivery": "4611686018427387905",
        "event": "issues",
        "action": "opened",
        "repository_id": "7",
        "failing_since": "2026-11-24T11:00:00.000Z",
        "attempts": 4,
        "status": "503 no",
        "status_code": 503,
        "outcome": "still_failing",
        "because": "",
        "was_delivered": False,
    }


def test_a_report_has_the_counts_of_each_webhook() -> None:
    other = a_webhook(2)
    elsewhere = EventResult(decision=a_decision(webhook=other), outcome=Outcome.DELIVERED)
    report = replace(
        a_report(a_result(Outcome.STILL_FAILING), elsewhere),
        scans=(a_scan_result(), a_scan_result(webhook=other)),
    )

    record = recorded(report)

    one, two = (hook["counts"] for hook in record["hooks"])
    assert (one["still_failing"], one["already_delivered"]) == (1, 0)
    assert (two["still_failing"], two["already_delivered"]) == (0, 1)
    assert record["counts"]["failed_deliveries"] == 2 * one["failed_deliveries"] == 92


def test_a_report_has_the_health_of_each_webhook() -> None:
    log = [failed(minutes=1), failed(hours=2), succeeded(hours=3), delivered(at=ago(hours=4))]
    report = replace(
        a_report(), scans=(a_scan_result(health=health_of(*log)), a_scan_result(health=None))
    )

    record = recorded(report)

    assert outputs(report)["health"] == record["health"] == "down"
    assert [hook["health"] for hook in record["hooks"]] == [
        {
            "verdict": "down",
            "deliveries": 4,
            "failed": 2,
            "failure_rate": 0.5,
            "failures": {"no_connection": 0, "timeout": 2, "rejected": 0, "error": 0},
            "last_success": "2026-11-24T09:00:00.000Z",
            "last_failure": "2026-11-24T11:59:00.000Z",
            "down_since": "2026-11-24T10:00:00.000Z",
            "responses": 4,
            "slow": 0,
            "slow_share": 0.0,
            "p95_seconds": 0.3,
            "throttled": 0,
        },
        None,
    ]


def test_a_silent_webhook_has_no_rates() -> None:
    report = replace(a_report(), scans=(a_scan_result(health=health_of(failed(hours=7))),))

    health = recorded(report)["hooks"][0]["health"]

    assert (health["verdict"], health["failure_rate"], health["slow_share"]) == (
        "silent",
        None,
        None,
    )
    assert (health["last_success"], health["down_since"]) == (None, None)


def test_unknown_health_is_empty() -> None:
    assert outputs(a_report())["health"] == ""
    assert recorded(a_report())["health"] is None


def test_the_schema_knows_every_verdict_and_kind_of_failure() -> None:
    definitions = SCHEMA["$defs"]

    assert definitions["verdict"]["enum"] == [verdict.value for verdict in HealthVerdict]
    kinds = definitions["health"]["properties"]["failures"]["properties"]
    assert list(kinds) == [kind.value for kind in FailureKind]


def test_events_that_need_attention_come_first() -> None:
    events = recorded(a_report(*ONE_RESULT_OF_EACH))["events"]

    assert [event["outcome"] for event in events][:5] == [
        "refused",
        "deferred",
        "deferred",
        "still_failing",
        "given_up",
    ]


def test_reasons_are_counted() -> None:
    left = [
        a_result(Outcome.DEFERRED, because=Verdict.SURPLUS.reason(a_policy(max_redeliveries=7)))
    ] * 2
    out = [a_result(Outcome.FILTERED, because=Verdict.UNWANTED_EVENT.value)] * 3

    record = recorded(a_report(*left, *out))

    assert record["deferred"] == {"over the limit of 7 ('max-redeliveries')": 2}
    assert record["filtered"] == {"excluded by 'events'": 3}
    assert record["counts"]["failed"] == len(record["events"]) == 2


def test_reasons_with_the_same_start_are_counted_together() -> None:
    left = [a_result(Outcome.DEFERRED, because=f"{'x' * 500} {n}") for n in range(3)]

    assert list(recorded(a_report(*left))["deferred"].values()) == [3]


@pytest.mark.unmeasured
def test_the_output_fits_into_an_environment_variable() -> None:
    many = a_report(*[a_result(guid=f"event-{n}") for n in range(5000)])

    output = json.loads(outputs(many)["report"])

    assert len(outputs(many)["report"]) <= 100_000
    assert len(output["events"]) > 200
    assert len(output["events"]) + output["omitted"]["events"] == 5000
    assert recorded(many)["omitted"] == {"hooks": 0, "events": 0}


def test_many_hooks_and_reasons_fit_into_the_output() -> None:
    error = UnavailableError("GitHub is down. " * 200)
    health = health_of(failed(minutes=1), failed(hours=2), succeeded(hours=3))
    broken = tuple(
        a_scan_result(webhook=a_webhook(n), health=health, error=error) for n in range(250)
    )
    lost = [a_result(Outcome.UNANSWERED, because=f"{n} {'x' * 500}") for n in range(900)]
    report = replace(a_report(*lost), scans=broken, trouble=("no right " * 500,) * 50)

    output = json.loads(outputs(report)["report"])

    assert len(outputs(report)["report"]) <= 100_000
    assert output["events"]
    assert output["omitted"]["hooks"] == 250 - len(output["hooks"]) > 0
    assert output["deferred"]["other reasons"] == 880


def test_a_report_without_room_for_events_is_valid() -> None:
    assert recorded(a_report(a_result()), max_characters=10)["omitted"] == {
        "hooks": 1,
        "events": 1,
    }


def test_a_secret_in_a_status_is_removed() -> None:
    result = a_result(status="POST https://hooks.example/in?secret=hush giving up: EOF")

    assert "hush" not in to_json(a_report(result))


def test_a_run_without_a_store_has_no_checkpoint() -> None:
    assert outputs(replace(a_report(), store="", checkpoint=None))["checkpoint"] == ""


def test_only_sentences_are_adapted() -> None:
    """The command names flags in place of inputs, but an event may have the name of an input."""
    given_up = a_result(Outcome.GIVEN_UP, event="org", because="'org'")
    filtered = a_result(Outcome.FILTERED, guid="org", because="'org'")
    report = a_report(given_up, filtered, error=UnavailableError("see 'org'"))

    ours, adapted = (
        json.loads(to_json(report, adapt=adapt))
        for adapt in (str, lambda text: text.replace("org", "ORG"))
    )

    assert adapted.pop("problem") == "see 'ORG'"
    assert "because 'ORG'" in adapted.pop("warnings")[0]
    assert adapted.pop("filtered") == {"'ORG'": 1}
    assert adapted["hooks"][0].pop("error") == "see 'ORG'"
    assert adapted["events"][0].pop("because") == "'ORG'"
    for name in ("problem", "warnings", "filtered"):
        del ours[name]
    del ours["hooks"][0]["error"], ours["events"][0]["because"]
    assert adapted == ours
    assert ours["events"][0]["event"] == "org"

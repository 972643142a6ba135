"""What a run logs as news, as remarks that the next run may repeat, and as details."""

from datetime import timedelta

from tests.support.builders import NOW, a_delivery, a_policy, ago
from tests.support.fakes import FakeHook, FakeRuntime, FakeStore, run_once


def news(runtime: FakeRuntime) -> list[str]:
    """Return the first words of the lines that are neither remarks nor details."""
    return [
        line.partition(" ")[0]
        for line in runtime.said
        if line not in runtime.remarks and line not in runtime.details
    ]


def first_words(lines: list[str]) -> list[str]:
    return [line.partition(" ")[0] for line in lines]


def test_a_request_and_its_outcome_are_news() -> None:
    runtime = FakeRuntime()

    run_once(FakeHook(a_delivery("x", at=ago(hours=1))), runtime=runtime)

    assert news(runtime) == ["Requested:", "Pending:"]
    assert runtime.remarks == []
    assert first_words(runtime.details) == ["Checkpoint:", "Read", "Health", "Checkpoint"]


def test_an_event_that_is_not_requested_is_a_remark() -> None:
    runtime, policy = FakeRuntime(), a_policy(give_up_after=timedelta(minutes=30))

    run_once(FakeHook(a_delivery("x", at=ago(hours=1))), policy=policy, runtime=runtime)

    assert news(runtime) == []
    assert first_words(runtime.remarks) == ["Given"]


def test_all_events_of_a_dry_run_are_remarks() -> None:
    hook, runtime = FakeHook(*(a_delivery(guid, at=ago(hours=1)) for guid in "xyz")), FakeRuntime()

    run_once(hook, runtime=runtime, dry_run=True, probe=1)

    assert news(runtime) == []
    assert first_words(runtime.remarks) == ["Probe:", "Would", "Would", "Would"]


def test_a_loss_is_a_remark() -> None:
    runtime = FakeRuntime()

    run_once(FakeHook(), FakeStore(NOW - timedelta(days=5)), runtime=runtime)

    assert first_words(runtime.remarks) == ["Warning:"]

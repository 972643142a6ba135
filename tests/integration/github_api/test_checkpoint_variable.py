"""The checkpoint in an Actions variable."""

from contextlib import nullcontext
from datetime import timedelta

import pytest

from github_sandbox import (
    Fault,
    InvalidBody,
    LostResponse,
    Repository,
    Sandbox,
    Status,
)
from github_sandbox.api.variables import LONG_AGO
from github_sandbox.model.entities import Access
from redeliver.core.checkpoint import (
    UNMARKED,
    Checkpoint,
    Claim,
    Ended,
    Mark,
    SavedCheckpoint,
    format_checkpoint,
    slot_end,
)
from redeliver.errors import (
    AccessError,
    CheckpointError,
    LateError,
    RateLimitError,
    UnavailableError,
)
from redeliver.github_api.checkpoint_variable import RepositoryVariable
from redeliver.github_api.throttle import Throttle
from tests.support.builders import NOW, TOKEN, ago
from tests.support.fakes import FakeTime
from tests.support.sandboxes import a_client, a_throttle

CHECKPOINT = ago(hours=6)


@pytest.fixture
def repository(github: Sandbox) -> Repository:
    return github.repository("acme/ops")


def variable(
    github: Sandbox,
    *,
    token: str = TOKEN,
    repository: str = "acme/ops",
    throttle: Throttle | None = None,
) -> RepositoryVariable:
    client = a_client(github.url, token, token_input="variable-token", throttle=throttle)
    return RepositoryVariable(client, repository, "LAST_REDELIVERY")


def test_a_missing_variable_is_created_by_the_first_write(
    github: Sandbox, repository: Repository
) -> None:
    store = variable(github)

    assert store.read() is None
    store.write(Checkpoint(CHECKPOINT))

    assert repository.variables == {"LAST_REDELIVERY": format_checkpoint(CHECKPOINT)}


def test_an_existing_variable_is_read_and_updated(github: Sandbox, repository: Repository) -> None:
    repository.variables["LAST_REDELIVERY"] = format_checkpoint(CHECKPOINT)
    store = variable(github)

    assert store.read() == SavedCheckpoint(checkpoint=Checkpoint(CHECKPOINT), written=LONG_AGO)
    assert store.write(Checkpoint(NOW))

    assert repository.variables == {"LAST_REDELIVERY": format_checkpoint(NOW)}
    assert [request.method for request in github.requests] == ["GET", "PATCH"]


def test_a_second_write_updates_the_created_variable(
    github: Sandbox, repository: Repository
) -> None:
    store = variable(github)
    store.read()

    store.write(Checkpoint(CHECKPOINT))
    store.write(Checkpoint(NOW))

    assert repository.variables == {"LAST_REDELIVERY": format_checkpoint(NOW)}
    assert [request.method for request in github.requests] == ["GET", "POST", "PATCH"]


@pytest.mark.parametrize("mark", [UNMARKED, Claim(567), Ended((slot_end(NOW),))])
def test_the_checkpoint_is_read_as_it_was_written(github: Sandbox, mark: Mark) -> None:
    """Its mark tells other runs whether redeliveries may be under way."""
    store = variable(github)
    store.read()

    for time in (CHECKPOINT, NOW):
        store.write(Checkpoint(time, mark))
        read = variable(github).read()
        assert read
        assert read.checkpoint == Checkpoint(time, mark)


@pytest.mark.parametrize(("exists", "method"), [(False, "POST"), (True, "PATCH")])
def test_a_claim_whose_response_is_lost_is_not_repeated(
    github: Sandbox, repository: Repository, method: str, *, exists: bool
) -> None:
    """Another run may have written the checkpoint meanwhile."""
    if exists:
        repository.variables["LAST_REDELIVERY"] = format_checkpoint(CHECKPOINT)
    store = variable(github)
    store.read()
    github.inject(LostResponse(), method=method)

    with pytest.raises(UnavailableError):
        store.write(Checkpoint(NOW, Claim(567)), once=True)

    assert [request.method for request in github.requests] == ["GET", method]


@pytest.mark.parametrize(
    "other_value",
    [
        pytest.param(format_checkpoint(CHECKPOINT), id="an earlier checkpoint"),
        pytest.param(format_checkpoint(NOW), id="the same checkpoint"),
        pytest.param("something else", id="another value"),
    ],
)
def test_a_variable_that_another_run_created_is_not_changed(
    github: Sandbox, repository: Repository, other_value: str
) -> None:
    store = variable(github)
    store.read()
    repository.variables["LAST_REDELIVERY"] = other_value

    assert not store.write(Checkpoint(NOW))

    assert repository.variables == {"LAST_REDELIVERY": other_value}


def test_another_value_that_was_seen_later_is_not_changed(
    github: Sandbox, repository: Repository
) -> None:
    """A run that found no variable at first may read it again before it writes."""
    store = variable(github)
    store.read()
    repository.variables["LAST_REDELIVERY"] = "something else"
    with pytest.raises(CheckpointError):
        store.read()

    assert not store.write(Checkpoint(NOW))

    assert repository.variables == {"LAST_REDELIVERY": "something else"}


def test_a_temporary_404_does_not_change_the_variable(
    github: Sandbox, repository: Repository
) -> None:
    repository.variables["LAST_REDELIVERY"] = format_checkpoint(CHECKPOINT)
    github.inject(Status(404, "Not Found"), method="GET")
    store = variable(github)

    assert store.read() is None
    assert not store.write(Checkpoint(NOW))

    assert repository.variables == {"LAST_REDELIVERY": format_checkpoint(CHECKPOINT)}


def test_a_creation_whose_response_is_lost_succeeds(
    github: Sandbox, repository: Repository
) -> None:
    store = variable(github)
    store.read()
    github.inject(LostResponse(), method="POST")

    store.write(Checkpoint(NOW))

    assert repository.variables == {"LAST_REDELIVERY": format_checkpoint(NOW)}


@pytest.mark.parametrize(
    "updated_at",
    [
        pytest.param(None, id="no time"),
        pytest.param("yesterday", id="an invalid time"),
        pytest.param("2026-11-24T12:00:00", id="a time without time zone"),
        pytest.param("2027-01-01T00:00:00Z", id="a time in the future"),
    ],
)
def test_the_checkpoint_replaces_an_invalid_time_of_writing(
    github: Sandbox, repository: Repository, updated_at: str | None
) -> None:
    body = {"value": format_checkpoint(CHECKPOINT), "updated_at": updated_at}
    github.inject(Status(200, body=body))

    assert variable(github).read() == SavedCheckpoint(
        checkpoint=Checkpoint(CHECKPOINT), written=CHECKPOINT
    )
    assert repository.variables == {}


def test_the_checkpoint_is_read_with_the_time_of_writing(
    github: Sandbox, repository: Repository
) -> None:
    store = variable(github)
    store.read()
    store.write(Checkpoint(CHECKPOINT))

    assert variable(github).read() == SavedCheckpoint(
        checkpoint=Checkpoint(CHECKPOINT), written=NOW
    )
    assert repository.variables


def test_a_404_of_another_server_is_an_error(github: Sandbox) -> None:
    github.inject(InvalidBody(status=404), method="GET")

    with pytest.raises(UnavailableError, match="did not come from GitHub's API"):
        variable(github).read()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("postgres://user:pass@db/prod", id="a URL"),
        pytest.param("{}", id="JSON"),
        pytest.param("5432", id="another number"),
        pytest.param(format_checkpoint(NOW + timedelta(hours=1)), id="a time in the future"),
    ],
)
def test_an_invalid_value_is_an_error_that_does_not_quote_it(
    github: Sandbox, repository: Repository, value: str
) -> None:
    repository.variables["LAST_REDELIVERY"] = value

    with pytest.raises(CheckpointError, match="does not hold a checkpoint") as caught:
        variable(github).read()

    assert value not in str(caught.value)
    assert repository.variables == {"LAST_REDELIVERY": value}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([], id="a list"),
        pytest.param({}, id="an empty object"),
        pytest.param({"value": 1795521600000}, id="a number as value"),
    ],
)
def test_a_response_without_a_value_is_an_error(
    github: Sandbox, repository: Repository, body: object
) -> None:
    repository.variables["LAST_REDELIVERY"] = format_checkpoint(CHECKPOINT)
    github.inject(Status(200, body=body), method="GET")

    with pytest.raises(UnavailableError, match="did not come from GitHub's API"):
        variable(github).read()


def test_the_checkpoint_does_not_wait_for_other_requests(
    github: Sandbox, repository: Repository
) -> None:
    """They have used up the 860 points of a minute; it has 20 others, and a write takes 5."""
    time = FakeTime()
    throttle = a_throttle(time=time)
    client = a_client(github.url, throttle=throttle)
    store = RepositoryVariable(client, "acme/ops", "LAST_REDELIVERY")
    for _ in range(860):
        throttle.wait(1)

    store.read()
    for _ in range(3):
        store.write(Checkpoint(NOW))

    assert time.slept == []
    with pytest.raises(LateError):  # 1 + 4 * 5 are more than 20
        store.write(Checkpoint(CHECKPOINT))
    assert repository.variables == {"LAST_REDELIVERY": format_checkpoint(NOW)}


@pytest.mark.parametrize("once", [True, False], ids=["a claim", "another write"])
def test_only_a_claim_may_not_wait_half_a_second(
    github: Sandbox, repository: Repository, *, once: bool
) -> None:
    """After 16 of 20 points, a write waits until the first of them are 61 seconds old."""
    time = FakeTime()
    throttle = a_throttle(time=time)
    store = RepositoryVariable(
        a_client(github.url, throttle=throttle), "acme/ops", "LAST_REDELIVERY"
    )
    for _ in range(860):
        throttle.wait(1)
    store.read()
    for _ in range(3):
        store.write(Checkpoint(CHECKPOINT))
    time.now += 60.5

    with pytest.raises(LateError) if once else nullcontext():
        store.write(Checkpoint(NOW), once=once)

    assert time.slept == [0.5]
    written = format_checkpoint(CHECKPOINT if once else NOW)
    assert repository.variables == {"LAST_REDELIVERY": written}


def test_a_read_of_the_checkpoint_may_wait(github: Sandbox, repository: Repository) -> None:
    """Its 20 points of a minute are used up, so it is sent after 61 seconds."""
    time = FakeTime()
    throttle = a_throttle(time=time)
    repository.variables["LAST_REDELIVERY"] = format_checkpoint(CHECKPOINT)
    store = RepositoryVariable(
        a_client(github.url, throttle=throttle), "acme/ops", "LAST_REDELIVERY"
    )
    for _ in range(880):
        throttle.wait(1, urgent=True)

    read = store.read()

    assert read
    assert (read.checkpoint.time, time.slept) == (CHECKPOINT, [61])


@pytest.mark.parametrize(
    "fault",
    [pytest.param(Status(502), id="a 502"), pytest.param(LostResponse(), id="a lost response")],
)
def test_an_update_is_repeated_after_a_fault(
    github: Sandbox, repository: Repository, fault: Fault
) -> None:
    repository.variables["LAST_REDELIVERY"] = format_checkpoint(CHECKPOINT)
    store = variable(github)
    store.read()
    github.inject(fault, method="PATCH")

    store.write(Checkpoint(NOW))

    assert repository.variables == {"LAST_REDELIVERY": format_checkpoint(NOW)}


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_write_that_fails_is_an_error(
    github: Sandbox, repository: Repository, status: int
) -> None:
    repository.variables["LAST_REDELIVERY"] = format_checkpoint(CHECKPOINT)
    store = variable(github)
    store.read()
    github.inject(Status(status, "Nope"), method="PATCH", times=None)

    with pytest.raises((AccessError, UnavailableError), match=f"cannot write .*{status}, Nope"):
        store.write(Checkpoint(NOW))


@pytest.mark.parametrize(
    ("method", "granted"),
    [
        pytest.param("read", None, id="no permission"),
        pytest.param("write", "read", id="permission to read"),
    ],
)
def test_an_error_names_the_missing_permission(
    github: Sandbox, method: str, granted: Access | None
) -> None:
    github.token("ghp_short", organization_hooks="write", actions_variables=granted)
    store = variable(github, token="ghp_short")

    with pytest.raises(AccessError) as caught:
        store.write(Checkpoint(NOW)) if method == "write" else store.read()

    assert f"cannot {method} variable LAST_REDELIVERY of acme/ops" in str(caught.value)
    assert "the repository permission 'Variables' (read and write)" in str(caught.value)
    assert "the scope repo" in str(caught.value)
    assert "the token in input 'variable-token'" in str(caught.value)


def test_a_missing_repository_is_an_error_at_the_first_write(github: Sandbox) -> None:
    store = variable(github, repository="acme/nowhere")

    assert store.read() is None, "GitHub responds with 404 to a missing variable, too"
    with pytest.raises(AccessError, match=r"of acme/nowhere.*Check 'variable-repository'"):
        store.write(Checkpoint(NOW))


@pytest.mark.parametrize(
    ("once", "seconds", "tries"),
    [
        pytest.param(True, 1, 1, id="a claim, after more than 0.1 seconds"),
        pytest.param(False, 1, 2, id="not a save, after 1 second"),
        pytest.param(False, 2, 1, id="a save, after more than 1 second"),
    ],
)
def test_an_update_that_had_to_wait_is_not_sent(
    github: Sandbox, repository: Repository, seconds: int, tries: int, *, once: bool
) -> None:
    """Another run may have written the variable meanwhile."""
    repository.variables["LAST_REDELIVERY"] = format_checkpoint(CHECKPOINT)
    store = variable(github)
    store.read()
    github.inject(Status(429, headers={"Retry-After": str(seconds)}), method="PATCH")

    if tries == 1:
        with pytest.raises(
            LateError, match=r"cannot write variable LAST_REDELIVERY of acme/ops: GitHub is rate"
        ) as caught:
            store.write(Checkpoint(NOW), once=once)
        assert isinstance(caught.value.__cause__, RateLimitError)
    else:
        assert store.write(Checkpoint(NOW), once=once)

    assert [request.method for request in github.requests] == ["GET", *["PATCH"] * tries]


def test_a_variable_is_created_even_after_a_wait(github: Sandbox, repository: Repository) -> None:
    """GitHub refuses this if another run has created the variable meanwhile."""
    store = variable(github)
    store.read()
    github.inject(Status(429, headers={"Retry-After": "60"}), method="POST")

    assert store.write(Checkpoint(CHECKPOINT), once=True)

    assert repository.variables == {"LAST_REDELIVERY": format_checkpoint(CHECKPOINT)}


def test_an_update_that_waits_for_points_is_not_sent_either(
    github: Sandbox, repository: Repository
) -> None:
    repository.variables["LAST_REDELIVERY"] = format_checkpoint(CHECKPOINT)
    throttle = a_throttle()
    store = variable(github, throttle=throttle)
    store.read()
    throttle.wait(876, urgent=True)  # of 880

    with pytest.raises(LateError, match="the rate limit made this run wait") as caught:
        store.write(Checkpoint(NOW), once=True)

    assert caught.value.__cause__ is None
    assert len(github.requests) == 1

"""The checkpoint in an Actions variable."""

from datetime import timedelta

import pytest

from github_sandbox import (
    Fault,
    Garbage,
    LostReply,
    Repository,
    Sandbox,
    Status,
)
from github_sandbox.api.variables import LONG_AGO
from github_sandbox.model.entities import Access
from redeliver.core.checkpoint import SavedCheckpoint, format_checkpoint
from redeliver.engine.ports import NullStore
from redeliver.errors import AccessError, CheckpointError, UnavailableError
from redeliver.github_api.clock import ServerClock
from redeliver.github_api.variable import RepositoryVariable
from tests.support.builders import NOW, TOKEN
from tests.support.virtual_run import a_client

CHECKPOINT = NOW - timedelta(hours=6)


@pytest.fixture
def repository(github: Sandbox) -> Repository:
    return github.repository("acme/ops")


def variable(
    github: Sandbox, *, token: str = TOKEN, repository: str = "acme/ops"
) -> RepositoryVariable:
    client = a_client(github.url, token, token_input="variable-token")
    return RepositoryVariable(client, repository, "LAST_REDELIVERY")


def test_a_first_run_finds_none_and_creates_it(github: Sandbox, repository: Repository) -> None:
    store = variable(github)

    assert store.read() is None
    store.write(CHECKPOINT)

    assert repository.variables == {"LAST_REDELIVERY": format_checkpoint(CHECKPOINT)}


def test_a_later_run_finds_it_and_updates_it(github: Sandbox, repository: Repository) -> None:
    repository.variables["LAST_REDELIVERY"] = format_checkpoint(CHECKPOINT)
    store = variable(github)

    assert store.read() == SavedCheckpoint(checkpoint=CHECKPOINT, written=LONG_AGO)
    store.write(NOW)

    assert repository.variables == {"LAST_REDELIVERY": format_checkpoint(NOW)}
    assert [request.method for request in github.requests] == ["GET", "PATCH"]


def test_it_is_created_once(github: Sandbox, repository: Repository) -> None:
    store = variable(github)
    store.read()

    store.write(CHECKPOINT)
    store.write(NOW)

    assert repository.variables == {"LAST_REDELIVERY": format_checkpoint(NOW)}
    assert [request.method for request in github.requests] == ["GET", "POST", "PATCH"]


@pytest.mark.parametrize(
    "other", [format_checkpoint(CHECKPOINT), format_checkpoint(NOW), "something else"]
)
def test_what_another_run_created_in_between_is_left_as_it_is(
    github: Sandbox, repository: Repository, other: str
) -> None:
    store = variable(github)
    store.read()
    repository.variables["LAST_REDELIVERY"] = other

    assert not store.write(NOW)

    assert repository.variables == {"LAST_REDELIVERY": other}


def test_a_passing_404_does_not_move_a_checkpoint_that_is_there(
    github: Sandbox, repository: Repository
) -> None:
    repository.variables["LAST_REDELIVERY"] = format_checkpoint(CHECKPOINT)
    github.inject(Status(404, "Not Found"), method="GET")
    store = variable(github)

    assert store.read() is None
    assert not store.write(NOW)

    assert repository.variables == {"LAST_REDELIVERY": format_checkpoint(CHECKPOINT)}


def test_a_creation_whose_reply_is_lost_is_one_all_the_same(
    github: Sandbox, repository: Repository
) -> None:
    store = variable(github)
    store.read()
    github.inject(LostReply(), method="POST")

    store.write(NOW)

    assert repository.variables == {"LAST_REDELIVERY": format_checkpoint(NOW)}


@pytest.mark.parametrize("updated_at", [None, "yesterday", "2026-11-24T12:00:00"])
def test_without_a_time_of_writing_the_checkpoint_stands_for_it(
    github: Sandbox, repository: Repository, updated_at: str | None
) -> None:
    body = {"value": format_checkpoint(CHECKPOINT), "updated_at": updated_at}
    github.inject(Status(200, body=body))

    assert variable(github).read() == SavedCheckpoint(checkpoint=CHECKPOINT, written=CHECKPOINT)
    assert repository.variables == {}


def test_a_time_of_writing_that_is_yet_to_come_is_not_believed(github: Sandbox) -> None:
    body = {"value": format_checkpoint(CHECKPOINT), "updated_at": "2027-01-01T00:00:00Z"}
    github.inject(Status(200, body=body))

    assert variable(github).read() == SavedCheckpoint(checkpoint=CHECKPOINT, written=CHECKPOINT)


def test_the_time_of_writing_is_told(github: Sandbox, repository: Repository) -> None:
    store = variable(github)
    store.read()
    store.write(CHECKPOINT)

    assert variable(github).read() == SavedCheckpoint(checkpoint=CHECKPOINT, written=NOW)
    assert repository.variables


def test_where_no_checkpoint_is_kept_there_is_nothing_to_find() -> None:
    nowhere = NullStore()

    assert nowhere.write(NOW)
    nowhere.read()
    assert nowhere.name == ""


def test_the_clock_goes_on_between_two_answers_but_never_ahead_of_github() -> None:
    times = iter([100.0, 100.9, 161.5, 161.5, 161.9])
    clock = ServerClock(elapsed=lambda: next(times))

    clock.sync(NOW)

    assert clock() == NOW
    clock.sync(NOW)
    assert clock() == NOW + timedelta(seconds=61)


def test_a_clock_that_nobody_has_set_is_a_bug() -> None:
    with pytest.raises(RuntimeError, match="nothing has been asked yet"):
        ServerClock()()


def test_a_websites_404_is_not_taken_for_a_variable_yet_to_be_created(github: Sandbox) -> None:
    github.inject(Garbage(status=404), method="GET")

    with pytest.raises(UnavailableError, match="is not GitHub's API"):
        variable(github).read()


@pytest.mark.parametrize(
    "value",
    [
        "postgres://user:pass@db/prod",
        "{}",
        "5432",
        format_checkpoint(NOW + timedelta(hours=1)),
    ],
)
def test_anything_else_is_refused_and_not_printed(
    github: Sandbox, repository: Repository, value: str
) -> None:
    repository.variables["LAST_REDELIVERY"] = value

    with pytest.raises(CheckpointError, match="does not hold a checkpoint") as caught:
        variable(github).read()

    assert value not in str(caught.value)
    assert repository.variables == {"LAST_REDELIVERY": value}


@pytest.mark.parametrize("body", [[], {}, {"value": 1795521600000}])
def test_an_answer_without_a_value_is_told(
    github: Sandbox, repository: Repository, body: object
) -> None:
    repository.variables["LAST_REDELIVERY"] = format_checkpoint(CHECKPOINT)
    github.inject(Status(200, body=body), method="GET")

    with pytest.raises(UnavailableError, match="is not GitHub's API"):
        variable(github).read()


@pytest.mark.parametrize(
    "fault", [pytest.param(Status(502), id="a 502"), pytest.param(LostReply(), id="a lost reply")]
)
def test_an_update_gets_over(github: Sandbox, repository: Repository, fault: Fault) -> None:
    repository.variables["LAST_REDELIVERY"] = format_checkpoint(CHECKPOINT)
    store = variable(github)
    store.read()
    github.inject(fault, method="PATCH")

    store.write(NOW)

    assert repository.variables == {"LAST_REDELIVERY": format_checkpoint(NOW)}


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_write_that_fails_is_never_taken_for_one_that_did_not(
    github: Sandbox, repository: Repository, status: int
) -> None:
    repository.variables["LAST_REDELIVERY"] = format_checkpoint(CHECKPOINT)
    store = variable(github)
    store.read()
    github.inject(Status(status, "Nope"), method="PATCH", times=None)

    with pytest.raises((AccessError, UnavailableError), match=f"cannot write .*{status}, Nope"):
        store.write(NOW)


@pytest.mark.parametrize(("method", "granted"), [("read", None), ("write", "read")])
def test_a_missing_right_says_which_and_for_what(
    github: Sandbox, method: str, granted: Access | None
) -> None:
    github.token("ghp_short", organization_hooks="write", actions_variables=granted)
    store = variable(github, token="ghp_short")

    with pytest.raises(AccessError) as caught:
        store.write(NOW) if method == "write" else store.read()

    assert f"cannot {method} variable LAST_REDELIVERY of acme/ops" in str(caught.value)
    assert "the repository permission 'Variables' (read and write)" in str(caught.value)
    assert "the scope repo" in str(caught.value)
    assert "the token in input 'variable-token'" in str(caught.value)


def test_a_repository_that_does_not_exist_shows_at_the_first_write(github: Sandbox) -> None:
    store = variable(github, repository="acme/nowhere")

    assert store.read() is None, "GitHub answers 404 for both"
    with pytest.raises(AccessError, match=r"of acme/nowhere.*Check 'variable-repository'"):
        store.write(NOW)

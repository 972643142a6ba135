"""What is read of a row that is not as GitHub documents it."""

from datetime import timedelta

import pytest

from redeliver.core.unreadable import UnreadableRow
from redeliver.github_api.log_rows import FIELDS, read_page
from tests.support.builders import DOCUMENTED_ROW, NOW, ago

BETWEEN = ago(hours=1)


def a_row(**changes: object) -> dict[str, object]:
    return DOCUMENTED_ROW | {"delivered_at": BETWEEN.isoformat()} | changes


def read(row: object) -> UnreadableRow:
    """Read a row that stands between one of NOW and one of two hours ago."""
    around = [
        a_row(id=number, delivered_at=at.isoformat())
        for number, at in enumerate((NOW, ago(hours=2)), 1)
    ]
    page = read_page([around[0], row, around[1]], is_last=True, newer=None)
    assert [delivery.id for delivery in page.rows] == [1, 2], "it hides no other"
    [unreadable] = page.unreadable
    return unreadable


@pytest.mark.parametrize("row", [None, 1, "text", [], True, 1.5, {}])
def test_a_row_of_another_kind_has_unknown_format(row: object) -> None:
    found = read(row)

    assert (found.id, found.guid, found.succeeded, found.may_be_original) == ("", None, False, True)
    assert (found.earliest, found.latest) == (ago(hours=2), NOW)


@pytest.mark.parametrize("field", sorted(FIELDS.keys() - {"action"}))
@pytest.mark.parametrize("value", [None, {}, [], 1.5])
def test_a_field_of_another_type_makes_a_row_unreadable(field: str, value: object) -> None:
    found = read(a_row(**{field: value}))

    assert found.problem == f"'{field}' is missing or has the wrong type"
    assert found.id == ("" if field == "id" else str(DOCUMENTED_ROW["id"]))
    assert found.guid == (None if field == "guid" else DOCUMENTED_ROW["guid"])
    if field != "delivered_at":
        assert found.earliest == found.latest == BETWEEN


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-11-24T12:00:00", "9999-12-31T23:59:59-23:59", "1066-10-14T09:00Z"]
)
def test_the_rows_around_bound_an_impossible_time(text: str) -> None:
    found = read(a_row(delivered_at=text))

    assert found.problem == "'delivered_at' is not a time with a time zone"
    assert (found.earliest, found.latest) == (ago(hours=2), NOW)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0.25, 0.25),
        (9, 9),
        (0, 0),
        (60.0, 60.0),
        (60.1, None),
        (-1, None),
        (10**400, None),
        (float("nan"), None),
        (float("inf"), None),
        ("0.25", None),
        ([1], None),
        (None, None),
    ],
)
def test_a_duration_of_any_form_leaves_a_row_readable(value: object, seconds: float | None) -> None:
    (row,) = read_page([a_row(duration=value)], is_last=True, newer=None).rows

    assert row.duration == seconds


def test_a_row_without_a_duration_is_readable() -> None:
    row = {name: value for name, value in DOCUMENTED_ROW.items() if name != "duration"}

    (found,) = read_page([row], is_last=True, newer=None).rows

    assert found.duration is None
    assert not found.throttled


@pytest.mark.parametrize(
    ("value", "throttled"), [(None, False), ("2026-11-24T11:00:00Z", True), (7, True)]
)
def test_a_row_that_says_when_it_was_throttled_is(value: object, *, throttled: bool) -> None:
    (row,) = read_page([a_row(throttled_at=value)], is_last=True, newer=None).rows

    assert row.throttled == throttled


@pytest.mark.parametrize(
    ("changes", "succeeded"),
    [
        pytest.param({"status": "OK", "status_code": None}, True, id="by its status"),
        pytest.param({"status": None, "status_code": 202}, True, id="by its code"),
        pytest.param({"status": None, "status_code": 302}, False, id="a redirect"),
        pytest.param({"status": None, "status_code": True}, False, id="no code at all"),
    ],
)
def test_a_success_can_be_read_of_a_part(changes: dict[str, object], *, succeeded: bool) -> None:
    assert read(a_row(**changes)).succeeded == succeeded


@pytest.mark.parametrize(("redelivery", "may_be"), [(True, False), (False, True), (None, True)])
def test_only_a_redelivery_is_no_first_attempt(redelivery: object, *, may_be: bool) -> None:
    assert read(a_row(status=None, redelivery=redelivery)).may_be_original is may_be


def test_the_id_of_an_unreadable_row_cannot_act_as_a_command() -> None:
    assert read(a_row(id="12\n::error::x")).id == "12 : :error: :x"


def test_rows_at_the_ends_of_a_page_have_bounds_if_there_are_any() -> None:
    page = read_page([None], is_last=True, newer=None)
    assert page.unreadable[0].latest is None

    page = read_page([None], is_last=True, newer=NOW - timedelta(1))
    assert page.unreadable[0].latest == NOW - timedelta(1)


def test_a_late_row_before_the_page_bounds_no_time() -> None:
    """The row before the page is from two hours ago, but the page has a row of an hour ago."""
    page = read_page([None, a_row()], is_last=True, newer=ago(hours=2))

    assert (page.unreadable[0].latest, page.unreadable[0].earliest) == (None, BETWEEN)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(7, 7), (None, None), ("7", None), (True, None), (1.5, None), ({}, None)],
)
def test_an_odd_repository_does_not_make_a_row_unreadable(
    value: object, expected: int | None
) -> None:
    page = read_page([a_row(repository_id=value), a_row()], is_last=True, newer=None)

    assert [delivery.repository_id for delivery in page.rows] == [expected, None]
    assert page.unreadable == []

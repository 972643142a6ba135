"""The status, headers and body of GitHub's responses are parsed."""

from datetime import UTC, datetime

import pytest

from redeliver.errors import UnavailableError
from redeliver.github_api.response import parse_time
from tests.support.builders import a_response

NOON = "Tue, 24 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    "date",
    [NOON, "Tue, 24 Nov 2026 12:00:00 -0000", "Tue, 24 Nov 2026 13:00:00 +0100"],
)
def test_a_response_has_githubs_time(date: str) -> None:
    assert a_response(date=date).date == datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("date", ["", "noon", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_response_without_a_time_is_an_error(date: str) -> None:
    with pytest.raises(UnavailableError, match="no valid 'Date' header"):
        _ = a_response(date=date).date


LIMITED = {
    "a 429": a_response(429),
    "a 403 with Retry-After": a_response(retry_after="7"),
    "a 403 with no requests remaining": a_response(x_ratelimit_remaining="0"),
    "a 403 with a message about a secondary rate limit": a_response(
        text='{"message": "You have exceeded a secondary rate limit"}'
    ),
    "a 403 with the message of older servers": a_response(
        text='{"message": "You have triggered an abuse detection mechanism."}'
    ),
}


NOT_LIMITED = {
    "a 403 with requests remaining": a_response(x_ratelimit_remaining="4711"),
    "a 403 without rate limit headers": a_response(),
    "a 404 with no requests remaining": a_response(404, x_ratelimit_remaining="0"),
    "a 502 with Retry-After": a_response(502, retry_after="7"),
}


@pytest.mark.parametrize("case", LIMITED)
def test_a_rate_limit_is(case: str) -> None:
    assert LIMITED[case].is_rate_limit


@pytest.mark.parametrize("case", NOT_LIMITED)
def test_no_rate_limit_is(case: str) -> None:
    assert not NOT_LIMITED[case].is_rate_limit


@pytest.mark.parametrize(
    ("status", "message", "is_unsupported"),
    [
        (400, "2022-11-28 is not a supported X-GitHub-Api-Version", True),
        (404, "2022-11-28 is not a supported X-GitHub-Api-Version", False),
        (400, "Problems parsing JSON", False),
    ],
)
def test_a_400_about_the_api_version_is_recognized(
    status: int, message: str, *, is_unsupported: bool
) -> None:
    response = a_response(status, f'{{"message": "{message}"}}')

    assert response.is_unsupported_version is is_unsupported


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"message": "Not Found."}', "Not Found"),
        ('{"message": "Invalid", "errors": "too old"}', "Invalid: too old"),
        ('{"message": "Invalid", "errors": [{"code": "missing"}]}', "Invalid"),
        ("no JSON", ""),
    ],
)
def test_githubs_message_is_quoted(text: str, message: str) -> None:
    assert a_response(422, text).message == message


def test_a_long_message_is_cut() -> None:
    assert len(a_response(422, f'{{"message": "{"x" * 999}"}}').message) == 300


RESET = str(int(datetime(2026, 11, 24, 12, 0, 40, tzinfo=UTC).timestamp()))


WAITS = {
    "Retry-After has seconds": (a_response(retry_after="7", x_ratelimit_remaining="0"), 7),
    "Retry-After is 0": (a_response(retry_after="0"), 1),
    "no requests remain until a time": (
        a_response(x_ratelimit_remaining="0", x_ratelimit_reset=RESET),
        41,
    ),
    "that time has passed": (
        a_response(
            x_ratelimit_remaining="0",
            x_ratelimit_reset=RESET,
            date="Tue, 24 Nov 2026 12:05:00 GMT",
        ),
        1,
    ),
    "no requests remain, and there is no time": (a_response(x_ratelimit_remaining="0"), 60),
    "requests remain, so the limit is secondary": (
        a_response(429, x_ratelimit_remaining="4711", x_ratelimit_reset=RESET),
        60,
    ),
    "the headers are malformed": (a_response(429, retry_after="-5", x_ratelimit_reset="1e9"), 60),
}


@pytest.mark.parametrize("case", WAITS)
def test_the_next_request_waits_if(case: str) -> None:
    response, seconds = WAITS[case]

    assert response.retry_in == seconds


@pytest.mark.parametrize("year", [2000, 2199])
def test_a_time_of_these_two_centuries_is_plausible(year: int) -> None:
    assert parse_time(f"{year}-06-01T00:00:00Z").year == year


@pytest.mark.parametrize("text", ["2026-11-24T12:00:00Z", "2026-11-24T13:00:00.000+01:00"])
def test_a_time_from_github_is_parsed(text: str) -> None:
    assert parse_time(text) == datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noon",
        "2026-11-24T12:00:00",
        "0001-01-01T00:00:00+23:59",
        "1999-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
    ],
)
def test_an_invalid_or_implausible_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_time(text)


@pytest.mark.parametrize("text", ['{"id": "7"}', '{"id": true}', "{}", "[7]", "7", "no JSON"])
def test_a_missing_or_mistyped_field_is_an_error(text: str) -> None:
    with pytest.raises(UnavailableError, match="did not come from GitHub's API"):
        a_response(200, text).field("id", int)


def test_a_field_is_read() -> None:
    assert a_response(200, '{"id": 7}').field("id", int) == 7

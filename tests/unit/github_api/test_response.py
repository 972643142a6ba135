"""What an answer of GitHub means, and the advice when it was no."""

from datetime import UTC, datetime

import pytest

from redeliver.errors import AccessError, UnavailableError
from redeliver.github_api.advice import error_for
from redeliver.github_api.permissions import APP_IDENTITY, Identity, Permission, token_identity
from redeliver.github_api.response import Response, parse_time

PURPOSE = Permission(inputs="'hook-id'").to("read the log")
NOON = "Tue, 24 Nov 2026 12:00:00 GMT"


def an_answer(
    status: int = 403, text: str = '{"message": "Forbidden"}', **headers: str
) -> Response:
    named = {name.replace("_", "-"): value for name, value in ({"date": NOON} | headers).items()}
    return Response(purpose=PURPOSE, status=status, headers=named, text=text)


@pytest.mark.parametrize(
    "date",
    [NOON, "Tue, 24 Nov 2026 12:00:00 -0000", "Tue, 24 Nov 2026 13:00:00 +0100"],
)
def test_an_answer_tells_githubs_time(date: str) -> None:
    assert an_answer(date=date).date == datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("date", ["", "noon", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_an_answer_without_a_time_is_told(date: str) -> None:
    with pytest.raises(UnavailableError, match="no 'Date' header that tells the time"):
        _ = an_answer(date=date).date


LIMITED = {
    "a 429": an_answer(429),
    "a 403 that says for how long": an_answer(retry_after="7"),
    "a 403 when nothing is left": an_answer(x_ratelimit_remaining="0"),
    "a 403 that says so in words": an_answer(
        text='{"message": "You have exceeded a secondary rate limit"}'
    ),
}
LIMITED["a 403 in the words of old"] = an_answer(
    text='{"message": "You have triggered an abuse detection mechanism."}'
)
OTHER = {
    "a 403 with something left": an_answer(x_ratelimit_remaining="4711"),
    "a 403 of which nobody knows what is left": an_answer(),
    "a 404 when nothing is left": an_answer(404, x_ratelimit_remaining="0"),
    "a 502 that says when to come back": an_answer(502, retry_after="7"),
}


@pytest.mark.parametrize("case", LIMITED)
def test_a_rate_limit_is(case: str) -> None:
    assert LIMITED[case].is_rate_limit


@pytest.mark.parametrize("case", OTHER)
def test_a_rate_limit_is_not(case: str) -> None:
    assert not OTHER[case].is_rate_limit


RESET = str(int(datetime(2026, 11, 24, 12, 0, 40, tzinfo=UTC).timestamp()))
WAITS = {
    "it says so": (an_answer(retry_after="7", x_ratelimit_remaining="0"), 7),
    "it says not at all": (an_answer(retry_after="0"), 1),
    "nothing is left until a moment": (
        an_answer(x_ratelimit_remaining="0", x_ratelimit_reset=RESET),
        41,
    ),
    "that moment is over": (
        an_answer(
            x_ratelimit_remaining="0",
            x_ratelimit_reset=RESET,
            date="Tue, 24 Nov 2026 12:05:00 GMT",
        ),
        1,
    ),
    "nothing is left, nobody knows until when": (an_answer(x_ratelimit_remaining="0"), 60),
    "something is left, so it is a secondary limit": (
        an_answer(429, x_ratelimit_remaining="4711", x_ratelimit_reset=RESET),
        60,
    ),
    "it says nonsense": (an_answer(429, retry_after="-5", x_ratelimit_reset="1e9"), 60),
}


@pytest.mark.parametrize("case", WAITS)
def test_how_many_seconds_to_wait_when(case: str) -> None:
    response, seconds = WAITS[case]

    assert response.retry_in == seconds


@pytest.mark.parametrize("text", ["2026-11-24T12:00:00Z", "2026-11-24T13:00:00.000+01:00"])
def test_a_time_of_githubs_is_read(text: str) -> None:
    assert parse_time(text) == datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "noon", "2026-11-24T12:00:00", "0001-01-01T00:00:00+23:59", "2200-01-01T00:00:00Z"]
)
def test_what_is_no_time_of_githubs_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_time(text)


@pytest.mark.parametrize("text", ['{"id": "7"}', '{"id": true}', "{}", "[7]", "7", "no JSON"])
def test_a_field_that_is_not_there_or_of_another_type_is_not_githubs(text: str) -> None:
    with pytest.raises(UnavailableError, match="is not GitHub's API"):
        an_answer(200, text).field("id", int)


def test_a_field_is_read() -> None:
    assert an_answer(200, '{"id": 7}').field("id", int) == 7


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("identity", [token_identity("token"), APP_IDENTITY], ids=["token", "App"])
def test_what_takes_no_permission_is_not_said_to_lack_one(status: int, identity: Identity) -> None:
    error = error_for(an_answer(status), identity)

    assert isinstance(error, AccessError)
    assert str(error) == (
        f"cannot read the log: GitHub answered {status}, Forbidden. "
        "That takes no permission: check 'hook-id' for a mistake"
    )

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeliver.delivery import HookId
from redeliver.errors import InputError
from redeliver.inert import inert
from redeliver.settings import INPUTS, Settings, parse

GOOD = {
    "token": "ghp_s3cret",
    "org": "acme",
    "hook-id": "123456789",
    "hostname": "github.com",
    "variable-name": "LAST_REDELIVERY",
    "variable-repository": "acme/ops",
    "variable-token": "",
    "lookback": "24h",
    "give-up-after": "",
    "max-attempts": "",
    "dry-run": "false",
}


def test_every_input_becomes_a_setting() -> None:
    assert parse(GOOD) == Settings(
        token="ghp_s3cret",
        org="acme",
        hook_id=HookId(123456789),
        api_url="https://api.github.com",
        variable_name="LAST_REDELIVERY",
        variable_repository="acme/ops",
        variable_token="",
        lookback=timedelta(hours=24),
        give_up_after=None,
        max_attempts=None,
        dry_run=False,
    )


def test_every_fault_is_told_at_once_each_with_its_input() -> None:
    bad = {**GOOD, "token": "", "hook-id": "all", "lookback": "a day", "dry-run": "yes"}

    with pytest.raises(InputError) as caught:
        parse(bad)

    faults = str(caught.value).split("; ")
    assert [fault.split("'")[1] for fault in faults] == ["token", "hook-id", "lookback", "dry-run"]


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        ("token", "", "must be set"),
        ("token", "ghp_two\nlines", "save the secret again"),
        ("token", "ghp_ümlaut", "save the secret again"),
        ("token", '"ghp_quoted"', "save the secret again"),
        ("org", "", "must be set to the organization's name"),
        ("org", "acme/ops", "must be set to the organization's name"),
        ("org", "ghp_0123456789abcdefghij", "must be set to the organization's name"),
        ("org", "../users", "must be set to the organization's name"),
        ("hook-id", "", "must be set to the webhook's id"),
        ("hook-id", "0", "must be set to the webhook's id"),
        ("hook-id", "12.0", "must be set to the webhook's id"),
        ("hook-id", "1/deliveries", "must be set to the webhook's id"),
        ("hook-id", "١٢٣", "must be set to the webhook's id"),
        ("hostname", "ftp://github.example.com", "must be the host name"),
        ("hostname", "https://", "must be the host name"),
        ("hostname", "github.example.com/api/v3", "must be the host name"),
        ("hostname", "https://user:pass@github.example.com", "must be the host name"),
        ("hostname", "https://github.example.com?x=1", "must be the host name"),
        ("hostname", "https://github.example.com?", "must be the host name"),
        ("hostname", "https://github.example.com:port", "must be the host name"),
        ("hostname", "https://git\nhub.example.com", "must be the host name"),
        ("hostname", "https://github.com/acme", "must be the host name"),
        ("hostname", "acme.ghe.com:8443", "must be the host name"),
        ("hostname", "..", "must be the host name"),
        ("hostname", "two words", "must be the host name"),
        ("hostname", "http://github.example.com", "must be https"),
        ("hostname", "http://localhost.example.com", "must be https"),
        ("hostname", "http://128.0.0.1", "must be https"),
        ("variable-name", "1ST", "must be a variable's name"),
        ("variable-name", "GITHUB_X", "must be a variable's name"),
        ("variable-name", "github_x", "must be a variable's name"),
        ("variable-name", "A-B", "must be a variable's name"),
        ("variable-name", "ghp_0123456789abcdefghij", "looks like a token"),
        ("variable-repository", "", "must be set, as owner/name"),
        ("variable-repository", "ops", "must be a repository as owner/name"),
        ("variable-repository", "acme/..", "must be a repository as owner/name"),
        ("variable-repository", "acme/ops/actions", "must be a repository as owner/name"),
        ("variable-token", "two words", "save the secret again"),
        ("lookback", "0h", "such as 90m, 24h or 3d"),
        ("lookback", "24", "such as 90m, 24h or 3d"),
        ("lookback", "1.5h", "such as 90m, 24h or 3d"),
        ("lookback", "999999m", "such as 90m, 24h or 3d"),
        ("lookback", "31d", "must be at most 30d"),
        ("give-up-after", "never", "such as 90m, 24h or 3d"),
        ("max-attempts", "0", "must be a whole number, 2 or more"),
        ("max-attempts", "1", "the first delivery is an attempt, too"),
        ("max-attempts", "2.5", "must be a whole number, 2 or more"),
        ("max-attempts", "-3", "must be a whole number, 2 or more"),
        ("max-attempts", "٣", "must be a whole number, 2 or more"),
        ("dry-run", "True", "must be true or false"),
        ("dry-run", "1", "must be true or false"),
    ],
)
def test_a_bad_input_is_refused_with_the_fix(name: str, text: str, advice: str) -> None:
    with pytest.raises(InputError, match=f"^input '{name}' .*{advice}") as caught:
        parse({**GOOD, name: text})

    assert inert(str(caught.value)) == str(caught.value), "it is shown as it is"


@pytest.mark.parametrize("name", GOOD)
def test_no_fault_repeats_what_was_put_in(name: str) -> None:
    with pytest.raises(InputError) as caught:
        parse({**GOOD, name: "gh p_misplaced://secret"})

    assert "misplaced" not in str(caught.value)


def test_a_secret_is_in_no_repr() -> None:
    shown = repr(parse({**GOOD, "variable-token": "ghp_0ther"}))

    assert "s3cret" not in shown
    assert "0ther" not in shown


@pytest.mark.parametrize(
    ("hostname", "api_url"),
    [
        ("github.com", "https://api.github.com"),
        ("GitHub.com", "https://api.github.com"),
        ("api.github.com", "https://api.github.com"),
        ("github.example.com", "https://github.example.com/api/v3"),
        ("github.example.com/", "https://github.example.com/api/v3"),
        ("github.example.com:8443", "https://github.example.com:8443/api/v3"),
        ("acme.ghe.com", "https://api.acme.ghe.com"),
        ("api.acme.ghe.com", "https://api.acme.ghe.com"),
        ("https://api.github.com", "https://api.github.com"),
        ("https://github.com", "https://api.github.com"),
        ("https://acme.ghe.com", "https://api.acme.ghe.com"),
        ("https://github.example.com/api/v3/", "https://github.example.com/api/v3"),
        ("https://10.0.0.7:8443/api/v3", "https://10.0.0.7:8443/api/v3"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9:8080/api/v3", "http://127.9.9.9:8080/api/v3"),
        ("http://localhost:8080", "http://localhost:8080"),
    ],
)
def test_a_hostname_leads_to_its_api(hostname: str, api_url: str) -> None:
    assert parse({**GOOD, "hostname": hostname}).api_url == api_url


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("1440m", timedelta(days=1)),
        ("90m", timedelta(minutes=90)),
        ("24h", timedelta(hours=24)),
        ("3d", timedelta(days=3)),
    ],
)
def test_a_lookback_has_a_unit(text: str, span: timedelta) -> None:
    assert parse({**GOOD, "lookback": text}).lookback == span


def test_white_space_around_an_input_does_not_matter() -> None:
    assert parse({name: f" {text}\n" for name, text in GOOD.items()}) == parse(GOOD)


def test_an_empty_variable_name_needs_no_repository() -> None:
    settings = parse({**GOOD, "variable-name": "", "variable-repository": ""})

    assert settings.variable_name == ""


def test_a_variable_name_is_upper_case_as_github_keeps_it() -> None:
    assert parse({**GOOD, "variable-name": "last_redelivery"}).variable_name == "LAST_REDELIVERY"


def test_the_variable_can_have_a_token_of_its_own() -> None:
    assert parse({**GOOD, "variable-token": "ghp_other"}).variable_token == "ghp_other"


@given(st.fixed_dictionaries({name: st.text() for name in INPUTS}))
def test_any_text_is_either_taken_or_told(inputs: dict[str, str]) -> None:
    # Anything but the error that is advice fails the test.
    with suppress(InputError):
        parse(inputs)


def test_giving_up_may_be_bounded_by_age_and_by_attempts() -> None:
    settings = parse({**GOOD, "give-up-after": "36h", "max-attempts": "5"})

    assert (settings.give_up_after, settings.max_attempts) == (timedelta(hours=36), 5)


@pytest.mark.parametrize(
    ("hostname", "days"),
    [
        ("github.com", 3),
        ("acme.ghe.com", 3),
        ("github.example.com", 7),
        ("https://api.github.com.example.com", 7),
    ],
)
def test_the_log_is_kept_for(hostname: str, days: int) -> None:
    assert parse({**GOOD, "hostname": hostname}).retention == timedelta(days=days)

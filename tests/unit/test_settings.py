"""Inputs become settings, or an error that names every wrong one."""

import json
from base64 import b64encode, encodebytes
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeliver.core.delivery import HookId
from redeliver.core.event_filter import EventFilter
from redeliver.core.policy import AS_LONG_AS_LOGGED, Policy, RunOptions, ScanMode
from redeliver.core.url_pattern import UrlPattern
from redeliver.errors import InputError
from redeliver.sanitize import sanitize
from redeliver.settings import INPUTS, Settings, parse
from tests.support.builders import APP_INPUTS, GOOD_INPUTS, OWN_WEBHOOK_INPUTS, PRIVATE_KEY

A_GUID = "72d3162e-cc78-11e3-81ab-4c9367dc0958"


def test_every_input_becomes_a_setting() -> None:
    assert parse(GOOD_INPUTS) == Settings(
        token="ghp_s3cret",
        app_id="",
        private_key="",
        org="acme",
        repo="",
        hook_ids=(HookId(123456789),),
        hook_url=None,
        repository_patterns=(),
        api_url="https://api.github.com",
        variable_name="LAST_REDELIVERY",
        variable_repository="acme/ops",
        variable_token="",
        max_per_minute=75,
        options=RunOptions(
            lookback=timedelta(hours=24),
            policy=Policy(
                give_up_after=AS_LONG_AS_LOGGED,
                max_attempts=None,
                events=EventFilter(),
                skip_status_codes=frozenset(),
                max_redeliveries=None,
            ),
            scan=ScanMode.FULL,
            probe=None,
            verify=timedelta(seconds=30),
            fail_unrecovered=False,
            dry_run=False,
            by_hand=False,
        ),
    )


def test_how_a_run_was_started_is_an_option_that_is_no_input() -> None:
    assert parse(GOOD_INPUTS, by_hand=True).options.by_hand
    assert parse(GOOD_INPUTS, at_once=True).options.policy.at_once


def test_all_errors_are_reported_at_once() -> None:
    bad = {**GOOD_INPUTS, "token": "a b", "hook-id": "any", "lookback": "a day", "dry-run": "yes"}

    with pytest.raises(InputError) as caught:
        parse(bad)

    faults = str(caught.value).split(". Also, ")
    assert [fault.split("'")[1] for fault in faults] == ["token", "hook-id", "lookback", "dry-run"]


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        ("token", "", "must be set, or 'client-id'"),
        ("client-id", "the-app", "the App's settings page shows both"),
        ("app-id", "the-app", "the App's settings page shows both"),
        (
            "private-key",
            "-----BEGIN RSA PRIVATE KEY-----",
            "the whole content of the .pem file",
        ),
        ("private-key", "ghp_0123456789abcdefghij", "the whole content of the .pem file"),
        ("private-key", "aGVsbG8gd29ybGQ=", "the whole content of the .pem file"),
        ("repo", "shop", "must be a repository as owner/name"),
        ("token", "ghp_two\nlines", "set it again"),
        ("token", "ghp_ümlaut", "set it again"),
        ("token", '"ghp_quoted"', "set it again"),
        ("org", "", "must be set to the organization that owns the webhook"),
        ("org", "acme/ops", "must be the organization's name"),
        ("org", "ghp_0123456789abcdefghij", "must be the organization's name"),
        ("org", "../users", "must be the organization's name"),
        ("hook-id", "", "must be set to the webhook's id"),
        ("hook-id", "0", "has a mistake in entry 1. Each entry must be a webhook's id"),
        ("hook-id", "12.0", "has a mistake in entry 1. Each entry must be a webhook's id"),
        ("hook-id", "1/deliveries", "has a mistake in entry 1. Each entry must be a webhook's id"),
        ("hook-id", "١٢٣", "has a mistake in entry 1. Each entry must be a webhook's id"),
        ("hook-id", "1; 2", "has a mistake in entry 1. Each entry must be a webhook's id"),
        ("hook-id", "1, all", "has a mistake in entry 2. Each entry must be a webhook's id"),
        ("hook-id", ",", "must be set to the webhook's id"),
        ("hook-url", "https://ci.example.com/hook", "Leave out https, user name, query and #"),
        ("hook-url", "ci.example.com/hook?key=1", "Leave out https, user name, query and #"),
        ("hook-url", "ci.example.com/#hook", "Leave out https, user name, query and #"),
        ("hook-url", "user@ci.example.com", "Leave out https, user name, query and #"),
        ("hook-url", "user:word@ci.example.com", "Leave out https, user name, query and #"),
        ("hook-url", "/hook", "must be the host name of the webhook's payload URL"),
        ("hook-url", "ci.example.com, cd.example.com", "must be the host name of the webhook's"),
        ("hook-url", "ci.example.com:https", "must be the host name of the webhook's payload URL"),
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
        ("hostname", "http://github.example.com", "must use https"),
        ("hostname", "http://localhost.example.com", "must use https"),
        ("hostname", "http://128.0.0.1", "must use https"),
        ("variable-name", "1ST", "must be a variable's name"),
        ("variable-name", "GITHUB_X", "must be a variable's name"),
        ("variable-name", "github_x", "must be a variable's name"),
        ("variable-name", "A-B", "must be a variable's name"),
        ("variable-name", "ghp_0123456789abcdefghij", "looks like a token"),
        ("variable-repository", "", "must be set, as owner/name"),
        ("variable-repository", "ops", "must be a repository as owner/name"),
        ("variable-repository", f"acme/ghp_{'s3cret' * 4}", "it looks like a token"),
        ("variable-repository", "acme/..", "must be a repository as owner/name"),
        ("variable-repository", "acme/ops/actions", "must be a repository as owner/name"),
        ("variable-token", "two words", "set it again"),
        ("lookback", "0h", "such as 90m, 24h or 3d"),
        ("lookback", "24", "such as 90m, 24h or 3d"),
        ("lookback", "1.5h", "such as 90m, 24h or 3d"),
        ("lookback", "999999m", "such as 90m, 24h or 3d"),
        ("lookback", "31d", "must be at most 30d"),
        ("scan", "failure", "must be full or failures"),
        ("give-up-after", "never", "such as 90m, 24h or 3d"),
        ("max-attempts", "0", "must be a whole number from 2 to 999999"),
        ("max-attempts", "1", "the first delivery counts as an attempt"),
        ("max-attempts", "2.5", "must be a whole number from 2 to 999999"),
        ("max-attempts", "-3", "must be a whole number from 2 to 999999"),
        ("max-attempts", "٣", "must be a whole number from 2 to 999999"),
        ("events", "pull_requst", r"entry 1 \('pull_requst': did you mean 'pull_request'\?\)"),
        ("events", "pull-request", r"entry 1 \('pull-request': did you mean 'pull_request'\?\)"),
        ("events", "chek_run.created", r"entry 1 \('chek_run': did you mean 'check_run'\?\)"),
        ("events", "check", r"entry 1 \(did you mean 'check_run' or 'check_suite'\?\)"),
        ("events", "psuh", r"mistake in entry 1 \(did you mean 'push'"),
        ("events", "all", r"mistake in entry 1 \(did you mean '\*'\?\)"),
        ("events", "72", r"mistake in entry 1\. Each entry must be an event that GitHub has"),
        ("events", "push, !isues.opened", r"entry 2 \('isues': did you mean 'issues'\?\)"),
        ("events", "push; issues", r"mistake in entry 1 \(did you mean 'push'"),
        ("events", "! push", "Put ! directly before an entry to exclude it"),
        ("events", "push, issues.opened!", r"mistake in entry 2\. Each entry"),
        ("events", "check-*", r"mistake in entry 1 \(did you mean 'check_\*'"),
        ("events", "brand-new-*", "such as push, pull_request.opened or check_"),
        ("events", "ghp_0123456789abcdefghij", "such as push, pull_request.opened or check_"),
        ("repositories", "shop; web", "mistake in entry 1. Each entry must be a repository's name"),
        ("repositories", "shop, acme/..", "mistake in entry 2. Each entry must be a repository's"),
        ("repositories", "..", "mistake in entry 1. Each entry must be a repository's name"),
        ("repositories", "! shop", "Put ! directly before an entry to exclude it"),
        ("repositories", "acm*/shop", r"mistake in entry 1\. .*An owner cannot have a"),
        (
            "repositories",
            "acme/shop/pulls",
            "mistake in entry 1. Each entry must be a repository's",
        ),
        ("repositories", "0", "mistake in entry 1. Each entry must be a repository's name"),
        ("repositories", f"acme/ghp_{'s3cret' * 4}", "mistake in entry 1. Each entry must be"),
        ("repositories", "shop, elsewhere/shop", "has a repository of another owner than 'org'"),
        ("skip-status-codes", "4xx", "mistake in entry 1. Each entry must be a status code"),
        ("skip-status-codes", "400, 600", "mistake in entry 2. Each entry must be a status code"),
        ("since", "yesterday", "such as 2026-11-26T22:00:00Z or"),
        ("since", "2026-11-26", "must be a time with its offset from UTC"),
        ("since", "2026-11-26T22:00:00", "must be a time with its offset from UTC"),
        ("since", "2026-02-30T22:00:00Z", "must be a time with its offset from UTC"),
        ("since", "31d", "must be at most 30d"),
        ("since", "0h", "or how long ago that is, such as 90m"),
        ("since", "0001-01-01T00:00:00+14:00", "must be a time with its offset from UTC"),
        ("until", "6", "or how long ago that is, such as 90m, 6h or 2d"),
        ("guids", "12345", "has a mistake in entry 1. Each entry must be the GUID of an event"),
        ("guids", f"{A_GUID} {A_GUID}0", "has a mistake in entry 2. Each entry must be the GUID"),
        ("guids", " ".join([A_GUID] * 1001), "must have at most 1,000 GUIDs"),
        ("include-delivered", "yes", "must be true or false"),
        ("max-redeliveries", "1000000", "must be a whole number from 1 to 999999"),
        ("max-redeliveries", "0", "must be a whole number from 1 to 999999"),
        ("max-per-minute", "-1", "must be a whole number from 0 to 999999"),
        ("verify", "30", "such as 30s or 2m, or 0"),
        ("verify", "2h", "such as 30s or 2m, or 0"),
        ("verify", "61m", "up to 60m"),
        ("probe", "0", "must be a whole number from 1 to 999999"),
        ("fail-on", "never", "must be error or unrecovered"),
        ("dry-run", "True", "must be true or false"),
        ("dry-run", "1", "must be true or false"),
    ],
)
def test_a_bad_input_is_refused_with_the_fix(name: str, text: str, advice: str) -> None:
    with pytest.raises(InputError, match=f"^input '{name}' .*{advice}") as caught:
        parse({**GOOD_INPUTS, name: text})

    assert sanitize(str(caught.value)) == str(caught.value), "users see the message unchanged"


@pytest.mark.parametrize(
    ("name", "text", "listed"),
    [
        ("hook-id", "x 7 0", "entry 1 and entry 3"),
        ("hook-id", "7\nx\n0\nall", "entry 2, entry 3 and entry 4"),
        ("skip-status-codes", "99, 400, 4xx", "entry 1 and entry 3"),
        (
            "events",
            "isues, push, zzz, 7, 4push4",
            "entry 1 ('isues': did you mean 'issues'?), entry 4 and entry 5 (did you mean 'push'?)",
        ),
    ],
)
def test_an_error_names_every_wrong_entry_of_a_list(name: str, text: str, listed: str) -> None:
    with pytest.raises(InputError) as caught:
        parse({**GOOD_INPUTS, name: text})

    assert str(caught.value).startswith(f"input '{name}' has a mistake in {listed}. Each entry ")


@pytest.mark.parametrize("name", ["events", "guids", "hook-id", "skip-status-codes"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("ghp_abcdefghijklmnopqrstuvwxyzabcdefghij", id="a token"),
        pytest.param("correct-horse", id="a word"),
        pytest.param("4push4", id="a word that resembles an event"),
        pytest.param("pull_reqwast.hunter", id="a misspelled name, and an action"),
        pytest.param("pull_request_review_thr3ad", id="a misspelled name with a digit"),
    ],
)
def test_an_entry_that_may_be_a_secret_is_not_repeated(name: str, text: str) -> None:
    with pytest.raises(InputError, match="mistake in entry 1") as caught:
        parse({**GOOD_INPUTS, name: text})

    assert text not in str(caught.value)
    assert text.partition(".")[2] == "" or "hunter" not in str(caught.value)


@pytest.mark.parametrize("name", GOOD_INPUTS)
def test_no_error_repeats_a_value(name: str) -> None:
    with pytest.raises(InputError) as caught:
        parse({**GOOD_INPUTS, name: "gh p_misplaced://secret"})

    assert "misplaced" not in str(caught.value)


def test_a_secret_is_in_no_repr() -> None:
    shown = repr(parse({**GOOD_INPUTS, "variable-token": "ghp_0ther"})) + repr(parse(APP_INPUTS))

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
    assert parse({**GOOD_INPUTS, "hostname": hostname}).api_url == api_url


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
    assert parse({**GOOD_INPUTS, "lookback": text}).options.lookback == span


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("6h", timedelta(hours=6)),
        ("2026-11-26T22:00:00Z", datetime(2026, 11, 26, 22, tzinfo=UTC)),
        ("2026-11-26t22:00z", datetime(2026, 11, 26, 22, tzinfo=UTC)),
        ("2026-11-26 22:00:00 UTC", datetime(2026, 11, 26, 22, tzinfo=UTC)),
        ("2026-11-26 23:00:00.000+01:00", datetime(2026, 11, 26, 22, tzinfo=UTC)),
    ],
)
def test_a_range_has_times_or_time_spans(text: str, moment: datetime | timedelta) -> None:
    settings = parse({**GOOD_INPUTS, "since": text})

    assert settings.options.since == moment
    assert isinstance(moment, timedelta) or "+00:00" in str(settings.options.since)
    assert settings.options.is_replay
    assert settings.options.policy.at_once, "whoever names a range knows that the receiver works"


def test_named_events_need_neither_a_range_nor_a_limit() -> None:
    settings = parse(
        {**GOOD_INPUTS, "guids": f"{A_GUID.upper()}, {A_GUID}", "include-delivered": "true"}
    )

    assert settings.options.policy.guids == {A_GUID}
    assert settings.options.is_replay


def test_a_dry_run_may_look_for_all_delivered_events() -> None:
    inputs = {"since": "6h", "include-delivered": "true", "dry-run": "true"}

    assert parse({**GOOD_INPUTS, **inputs}).options.policy.include_delivered


def test_a_wrong_range_is_not_taken_for_a_run_with_a_checkpoint() -> None:
    with pytest.raises(InputError) as caught:
        parse({**GOOD_INPUTS, "variable-repository": "", "since": "yesterday"})

    assert "variable" not in str(caught.value)


@pytest.mark.parametrize("replay", [{"since": "6h"}, {"guids": A_GUID}])
def test_a_replay_needs_no_repository_of_a_variable(replay: dict[str, str]) -> None:
    settings = parse({**GOOD_INPUTS, "variable-repository": "", **replay})

    assert settings.variable_name == "LAST_REDELIVERY"


def test_white_space_around_an_input_does_not_matter() -> None:
    assert parse({name: f" {text}\n" for name, text in GOOD_INPUTS.items()}) == parse(GOOD_INPUTS)


def test_an_empty_variable_name_needs_no_repository() -> None:
    settings = parse({**GOOD_INPUTS, "variable-name": "", "variable-repository": ""})

    assert settings.variable_name == ""


def test_a_variable_name_is_upper_case_as_github_keeps_it() -> None:
    assert (
        parse({**GOOD_INPUTS, "variable-name": "last_redelivery"}).variable_name
        == "LAST_REDELIVERY"
    )


def test_the_variable_can_have_a_token_of_its_own() -> None:
    assert parse({**GOOD_INPUTS, "variable-token": "ghp_other"}).variable_token == "ghp_other"


@given(st.dictionaries(st.sampled_from(sorted(INPUTS)), st.text(), max_size=3))
def test_any_text_is_accepted_or_refused_with_advice(inputs: dict[str, str]) -> None:
    # Any other exception fails the test.
    with suppress(InputError):
        parse({**GOOD_INPUTS, **inputs})


def test_giving_up_may_be_bounded_by_age_and_by_attempts() -> None:
    settings = parse({**GOOD_INPUTS, "give-up-after": "36h", "max-attempts": "5"})

    policy = settings.options.policy
    assert (policy.give_up_after, policy.max_attempts) == (timedelta(hours=36), 5)


CONTRADICTIONS = {
    "a token and an App": (
        GOOD_INPUTS | {"client-id": "Iv23liAcme", "private-key": PRIVATE_KEY},
        "token",
    ),
    "an App without its key": (APP_INPUTS | {"private-key": ""}, "client-id"),
    "an App without its key, by the other name": (
        APP_INPUTS | {"client-id": "", "app-id": "12345", "private-key": ""},
        "app-id",
    ),
    "a key without its App": (APP_INPUTS | {"client-id": ""}, "client-id"),
    "two Apps": (APP_INPUTS | {"app-id": "12345"}, "client-id"),
    "an organization and a repository": (GOOD_INPUTS | {"repo": "acme/shop"}, "org"),
    "a token and no owner": (GOOD_INPUTS | {"org": ""}, "org"),
    "an owner and no webhook": (APP_INPUTS | {"hook-id": ""}, "hook-id"),
    "an App's own webhook with an id": (OWN_WEBHOOK_INPUTS | {"hook-id": "7"}, "hook-id"),
    "an App's own webhook and all others": (OWN_WEBHOOK_INPUTS | {"hook-id": "all"}, "hook-id"),
    "an end of a range without its start": (GOOD_INPUTS | {"until": "6h"}, "since"),
    "a range that ends before it begins": (
        GOOD_INPUTS | {"since": "2026-11-26T22:00:00Z", "until": "2026-11-26T22:00:00+01:00"},
        "until",
    ),
    "a range of the last hours that ends before it begins": (
        GOOD_INPUTS | {"since": "6h", "until": "6h"},
        "until",
    ),
    "named events and the end of a range": (
        GOOD_INPUTS | {"guids": A_GUID, "since": "6h", "until": "1h"},
        "until",
    ),
    "delivered events of no range": (
        GOOD_INPUTS | {"include-delivered": "true", "max-redeliveries": "9"},
        "include-delivered",
    ),
    "delivered events without a limit": (
        GOOD_INPUTS | {"include-delivered": "true", "since": "6h"},
        "max-redeliveries",
    ),
    "delivered events in a list of failures": (
        GOOD_INPUTS
        | {"include-delivered": "true", "since": "6h", "max-redeliveries": "9", "scan": "failures"},
        "scan",
    ),
    "named events in a list of failures": (
        GOOD_INPUTS | {"guids": A_GUID, "scan": "failures"},
        "scan",
    ),
    "an id and an address": (GOOD_INPUTS | {"hook-url": "ci.example.com"}, "hook-id"),
    "all webhooks and an address": (
        GOOD_INPUTS | {"hook-id": "all", "hook-url": "ci.example.com"},
        "hook-id",
    ),
    "an App's own webhook with an address": (
        OWN_WEBHOOK_INPUTS | {"hook-url": "ci.example.com"},
        "hook-url",
    ),
    "a repository's webhook and other repositories": (
        GOOD_INPUTS | {"org": "", "repo": "acme/shop", "repositories": "shop"},
        "repositories",
    ),
    "an App's own webhook and a repository without owner": (
        OWN_WEBHOOK_INPUTS | {"repositories": "acme/shop, !web, 7"},
        "repositories",
    ),
    "a probe without verification": (GOOD_INPUTS | {"probe": "5", "verify": "0"}, "verify"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_contradicting_inputs_are_an_error(case: str) -> None:
    inputs, name = CONTRADICTIONS[case]

    with pytest.raises(InputError) as caught:
        parse(inputs)

    assert str(caught.value).split("'")[1] == name
    assert ";" not in str(caught.value), "a single error"


@pytest.mark.parametrize(
    ("both", "expected"),
    [
        ({"repo": "acme/shop"}, "inputs 'org' and 'repo' cannot both be set: a webhook"),
        (
            {"client-id": "Iv23liAcme", "private-key": PRIVATE_KEY},
            "inputs 'token' and 'client-id' cannot both be",
        ),
        ({"client-id": "12345"}, "inputs 'token' and 'client-id' cannot both be set: set either a"),
        ({"app-id": "12345"}, "inputs 'token' and 'app-id' cannot both be set: set either a token"),
        (
            {"private-key": PRIVATE_KEY},
            "inputs 'token' and 'private-key' cannot both be set: set",
        ),
    ],
)
def test_an_error_names_the_inputs_that_exclude_each_other(
    both: dict[str, str], expected: str
) -> None:
    with pytest.raises(InputError, match=f"^{expected}"):
        parse(GOOD_INPUTS | both)


@pytest.mark.parametrize("text", ["Iv23liAbCdEfGhIjKlMn", "Iv1.0123456789abcdef", "123456"])
@pytest.mark.parametrize("names", [["client-id"], ["app-id"], ["client-id", "app-id"]])
def test_an_app_has_an_id_of_either_kind(names: list[str], text: str) -> None:
    settings = parse(APP_INPUTS | {"client-id": ""} | dict.fromkeys(names, text))

    assert settings.app_id == text


def test_two_ids_of_an_app_are_an_error_even_with_a_token() -> None:
    with pytest.raises(InputError, match="have different values, but they are two names") as caught:
        parse(GOOD_INPUTS | {"client-id": "Iv23liAcme", "app-id": "12345"})

    assert "inputs 'token' and 'client-id' cannot both be set" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PRIVATE_KEY, id="with line ends"),
        pytest.param(PRIVATE_KEY.replace("\n", "\\n"), id="with \\n for line ends"),
        pytest.param(PRIVATE_KEY.replace("\n", "\\r\\n"), id="with \\r\\n for line ends"),
        pytest.param(PRIVATE_KEY.replace("\n", "\r\n"), id="with the line ends of Windows"),
        pytest.param(PRIVATE_KEY.replace("\n", " "), id="in one line"),
        pytest.param(json.dumps(PRIVATE_KEY), id="as a JSON string"),
        pytest.param(json.dumps(PRIVATE_KEY).replace("/", "\\/"), id="as JSON with \\/"),
        pytest.param(f'"{PRIVATE_KEY}"', id="in quotes"),
        pytest.param(f"'{PRIVATE_KEY}'", id="in single quotes"),
        pytest.param(b64encode(PRIVATE_KEY.encode()).decode(), id="as base64"),
        pytest.param(encodebytes(PRIVATE_KEY.encode()).decode(), id="as base64 in lines"),
        pytest.param(
            b64encode(PRIVATE_KEY.encode()).decode() + "\n", id="as base64 and a line end"
        ),
    ],
)
def test_a_private_key_is_read(text: str) -> None:
    assert parse({**APP_INPUTS, "private-key": text}).private_key == PRIVATE_KEY


def test_a_webhook_may_be_named_by_its_address() -> None:
    settings = parse(GOOD_INPUTS | {"hook-id": "", "hook-url": "ci.example.com/h00k-s3cret"})

    assert settings.hook_ids == ()
    assert settings.hook_url == UrlPattern("ci.example.com/h00k-s3cret")
    assert "h00k" not in repr(settings)


def test_an_app_may_have_its_own_webhook() -> None:
    settings = parse(OWN_WEBHOOK_INPUTS)

    assert (settings.org, settings.repo, settings.hook_ids) == ("", "", ())


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("7", (7,)),
        ("7, 8", (7, 8)),
        ("7,8,", (7, 8)),
        (", 7 ,, 8 ,", (7, 8)),
        ("7\n8\n\n9", (7, 8, 9)),
        ("8 7 8", (8, 7)),
        ("all", None),
    ],
)
def test_webhooks_may_be_several_or_all(text: str, ids: tuple[int, ...] | None) -> None:
    assert parse({**GOOD_INPUTS, "hook-id": text}).hook_ids == ids


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("push", ("push",)),
        ("brand_new, !other.new", ("brand_new", "!other.new")),
        ("brand_new*, check_*, ?ush", ("brand_new*", "check_*", "?ush")),
        ("pull_requests*", ("pull_requests*",)),
        ("Push, !check_*\npull_request.opened", ("push", "!check_*", "pull_request.opened")),
    ],
)
def test_events_are_patterns(text: str, patterns: tuple[str, ...]) -> None:
    assert parse({**GOOD_INPUTS, "events": text}).options.policy.events == EventFilter(patterns)


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("shop", ("acme/shop",)),
        ("Shop, !ACME/team-*\n1296269", ("acme/shop", "!acme/team-*", "1296269")),
        ("!web, !7, acme/7", ("!acme/web", "!7", "acme/7")),
        (" , ", ()),
    ],
)
def test_repositories_have_an_owner_or_an_id(text: str, patterns: tuple[str, ...]) -> None:
    settings = parse({**GOOD_INPUTS, "org": "Acme", "repositories": text})

    assert settings.repository_patterns == patterns


def test_an_apps_own_webhook_has_repositories_of_several_owners() -> None:
    settings = parse(OWN_WEBHOOK_INPUTS | {"repositories": "acme/shop, !other/*, 7"})

    assert settings.repository_patterns == ("acme/shop", "!other/*", "7")


def test_status_codes_may_be_skipped() -> None:
    settings = parse({**GOOD_INPUTS, "skip-status-codes": "400, 410\n0"})

    assert settings.options.policy.skip_status_codes == {0, 400, 410}


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("0", timedelta()),
        ("0s", timedelta()),
        ("90s", timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
    ],
)
def test_a_wait_has_a_unit(text: str, span: timedelta) -> None:
    assert parse({**GOOD_INPUTS, "verify": text}).options.verify == span


@pytest.mark.parametrize(
    ("hostname", "web_url"),
    [
        ("github.com", "https://github.com"),
        ("acme.ghe.com", "https://acme.ghe.com"),
        ("github.example.com:8443", "https://github.example.com:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_a_hostname_leads_to_its_website(hostname: str, web_url: str) -> None:
    assert parse({**GOOD_INPUTS, "hostname": hostname}).web_url == web_url


def test_giving_up_defaults_to_the_retention_of_the_log() -> None:
    default, explicit = (
        parse({**GOOD_INPUTS, "give-up-after": text}).options.with_retention(timedelta(days=7))
        for text in ("", "36h")
    )

    assert (default.retention, default.policy.give_up_after) == (timedelta(days=7),) * 2
    assert explicit.policy.give_up_after == timedelta(hours=36)


def test_the_options_of_a_run_are_those_of_the_inputs() -> None:
    wanted = {
        "lookback": "2h",
        "scan": "failures",
        "max-attempts": "3",
        "max-redeliveries": "4",
        "verify": "5m",
        "probe": "6",
        "fail-on": "unrecovered",
        "dry-run": "true",
    }

    assert parse(GOOD_INPUTS | wanted).options == RunOptions(
        lookback=timedelta(hours=2),
        policy=Policy(max_attempts=3, max_redeliveries=4),
        scan=ScanMode.FAILURES,
        probe=6,
        verify=timedelta(minutes=5),
        fail_unrecovered=True,
        dry_run=True,
    )


def test_a_run_may_look_for_outcomes_for_an_hour() -> None:
    assert parse({**GOOD_INPUTS, "verify": "60m"}).options.verify == timedelta(hours=1)

"""Inputs become settings, or every fault is told with its fix."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeliver.core.delivery import HookId
from redeliver.core.events import EventFilter
from redeliver.core.policy import Policy, RunOptions, ScanMode
from redeliver.errors import InputError
from redeliver.sanitize import sanitize, secret_parts
from redeliver.settings import INPUTS, Settings, parse

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEs3cret\nKEY+/aa==\n-----END RSA PRIVATE KEY-----\n"

GOOD = {
    "token": "ghp_s3cret",
    "app-id": "",
    "private-key": "",
    "org": "acme",
    "repo": "",
    "hook-id": "123456789",
    "hostname": "github.com",
    "variable-name": "LAST_REDELIVERY",
    "variable-repository": "acme/ops",
    "variable-token": "",
    "lookback": "24h",
    "scan": "full",
    "give-up-after": "",
    "max-attempts": "",
    "events": "",
    "skip-status-codes": "",
    "max-redeliveries": "",
    "max-per-minute": "75",
    "verify": "30s",
    "probe": "",
    "fail-on": "error",
    "dry-run": "false",
}
APP = {**GOOD, "token": "", "app-id": "12345", "private-key": KEY}
ITS_OWN = {**APP, "org": "", "hook-id": ""}


def test_every_input_becomes_a_setting() -> None:
    assert parse(GOOD) == Settings(
        token="ghp_s3cret",
        app_id="",
        private_key="",
        org="acme",
        repo="",
        hook_ids=(HookId(123456789),),
        api_url="https://api.github.com",
        variable_name="LAST_REDELIVERY",
        variable_repository="acme/ops",
        variable_token="",
        max_per_minute=75,
        options=RunOptions(
            lookback=timedelta(hours=24),
            policy=Policy(
                give_up_after=timedelta(days=3),
                max_attempts=None,
                events=EventFilter(),
                skip_status_codes=frozenset(),
                max_redeliveries=None,
            ),
            retention=timedelta(days=3),
            scan=ScanMode.FULL,
            probe=None,
            verify=timedelta(seconds=30),
            fail_unrecovered=False,
            dry_run=False,
        ),
    )


def test_of_a_key_all_is_hidden_but_what_every_key_has() -> None:
    assert secret_parts(KEY) == ["MIIEs3cret", "KEY+/aa=="]
    assert secret_parts(KEY.replace("\n", "\\n")) == ["MIIEs3cret", "KEY+/aa=="]
    assert secret_parts(" ghp_f1ne\n") == ["ghp_f1ne"]


def test_every_fault_is_told_at_once_each_with_its_input() -> None:
    bad = {**GOOD, "token": "a b", "hook-id": "any", "lookback": "a day", "dry-run": "yes"}

    with pytest.raises(InputError) as caught:
        parse(bad)

    faults = str(caught.value).split("; ")
    assert [fault.split("'")[1] for fault in faults] == ["token", "hook-id", "lookback", "dry-run"]


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        ("token", "", "must be set, or 'app-id'"),
        ("app-id", "the-app", "that the App's settings page shows"),
        ("private-key", "-----BEGIN RSA PRIVATE KEY-----", "the whole content of the .pem file"),
        ("private-key", "ghp_0123456789abcdefghij", "the whole content of the .pem file"),
        ("repo", "shop", "must be a repository as owner/name"),
        ("token", "ghp_two\nlines", "set it again"),
        ("token", "ghp_ümlaut", "set it again"),
        ("token", '"ghp_quoted"', "set it again"),
        ("org", "", "must be set to the organization that has the webhook"),
        ("org", "acme/ops", "must be the organization's name"),
        ("org", "ghp_0123456789abcdefghij", "must be the organization's name"),
        ("org", "../users", "must be the organization's name"),
        ("hook-id", "", "must be set to the webhook's id"),
        ("hook-id", "0", "must be set to the webhook's id"),
        ("hook-id", "12.0", "must be set to the webhook's id"),
        ("hook-id", "1/deliveries", "must be set to the webhook's id"),
        ("hook-id", "١٢٣", "must be set to the webhook's id"),
        ("hook-id", "1; 2", "must be set to the webhook's id"),
        ("hook-id", "1, all", "must be set to the webhook's id"),
        ("hook-id", ",", "must be set to the webhook's id"),
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
        ("variable-token", "two words", "set it again"),
        ("lookback", "0h", "such as 90m, 24h or 3d"),
        ("lookback", "24", "such as 90m, 24h or 3d"),
        ("lookback", "1.5h", "such as 90m, 24h or 3d"),
        ("lookback", "999999m", "such as 90m, 24h or 3d"),
        ("lookback", "31d", "must be at most 30d"),
        ("scan", "failure", "must be full or failures"),
        ("give-up-after", "never", "such as 90m, 24h or 3d"),
        ("max-attempts", "0", "must be a whole number from 2 to 999999"),
        ("max-attempts", "1", "the first delivery is an attempt, too"),
        ("max-attempts", "2.5", "must be a whole number from 2 to 999999"),
        ("max-attempts", "-3", "must be a whole number from 2 to 999999"),
        ("max-attempts", "٣", "must be a whole number from 2 to 999999"),
        ("events", "pull-request", "such as push, pull_request.opened or check_"),
        ("events", "psuh", "must name events that GitHub has"),
        ("events", "push, !isues.opened", "must name events that GitHub has"),
        ("events", "push; issues", "such as push, pull_request.opened or check_"),
        ("events", "! push", "such as push, pull_request.opened or check_"),
        ("skip-status-codes", "4xx", "must be status codes"),
        ("skip-status-codes", "600", "must be status codes"),
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
        parse({**GOOD, name: text})

    assert sanitize(str(caught.value)) == str(caught.value), "it is shown as it is"


@pytest.mark.parametrize("name", GOOD)
def test_no_fault_repeats_what_was_put_in(name: str) -> None:
    with pytest.raises(InputError) as caught:
        parse({**GOOD, name: "gh p_misplaced://secret"})

    assert "misplaced" not in str(caught.value)


def test_a_secret_is_in_no_repr() -> None:
    shown = repr(parse({**GOOD, "variable-token": "ghp_0ther"})) + repr(parse(APP))

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
    assert parse({**GOOD, "lookback": text}).options.lookback == span


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

    policy = settings.options.policy
    assert (policy.give_up_after, policy.max_attempts) == (timedelta(hours=36), 5)


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
    assert parse({**GOOD, "hostname": hostname}).options.retention == timedelta(days=days)


CONTRADICTIONS = {
    "a token and an App": (GOOD | {"app-id": "12345", "private-key": KEY}, "token"),
    "an App without its key": (APP | {"private-key": ""}, "app-id"),
    "a key without its App": (APP | {"app-id": ""}, "app-id"),
    "an organization and a repository": (GOOD | {"repo": "acme/shop"}, "org"),
    "a token and no owner": (GOOD | {"org": ""}, "org"),
    "an owner and no webhook": (APP | {"hook-id": ""}, "hook-id"),
    "an App's own webhook with an id": (ITS_OWN | {"hook-id": "7"}, "hook-id"),
    "an App's own webhook as one of all": (ITS_OWN | {"hook-id": "all"}, "hook-id"),
    "a probe that nobody waits for": (GOOD | {"probe": "5", "verify": "0"}, "verify"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_what_contradicts_itself_is_told(case: str) -> None:
    inputs, name = CONTRADICTIONS[case]

    with pytest.raises(InputError) as caught:
        parse(inputs)

    assert str(caught.value).split("'")[1] == name
    assert ";" not in str(caught.value), "one thing is wrong"


@pytest.mark.parametrize(
    ("both", "told"),
    [
        ({"repo": "acme/shop"}, "inputs 'org' and 'repo' cannot both be set: a webhook"),
        ({"app-id": "12345", "private-key": KEY}, "inputs 'token' and 'app-id' cannot both be"),
        ({"app-id": "12345"}, "inputs 'token' and 'app-id' cannot both be set: give a token, or"),
        ({"private-key": KEY}, "inputs 'token' and 'private-key' cannot both be set: give a"),
    ],
)
def test_what_cannot_both_be_set_is_named(both: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=f"^{told}"):
        parse(GOOD | both)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(KEY, id="with line ends"),
        pytest.param(KEY.replace("\n", "\\n"), id="with \\n in their place"),
        pytest.param(KEY.replace("\n", "\\r\\n"), id="with \\r\\n in their place"),
        pytest.param(KEY.replace("\n", "\r\n"), id="with the line ends of Windows"),
        pytest.param(KEY.replace("\n", " "), id="in one line"),
    ],
)
def test_a_private_key_is_read(text: str) -> None:
    assert parse({**APP, "private-key": text}).private_key == KEY


def test_an_app_sees_to_its_own_webhook() -> None:
    settings = parse(ITS_OWN)

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
    assert parse({**GOOD, "hook-id": text}).hook_ids == ids


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("push", ("push",)),
        ("brand_new*, check_*, ?ush", ("brand_new*", "check_*", "?ush")),
        ("Push, !check_*\npull_request.opened", ("push", "!check_*", "pull_request.opened")),
    ],
)
def test_events_are_patterns(text: str, patterns: tuple[str, ...]) -> None:
    assert parse({**GOOD, "events": text}).options.policy.events == EventFilter(patterns)


def test_status_codes_may_be_skipped() -> None:
    settings = parse({**GOOD, "skip-status-codes": "400, 410\n0"})

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
    assert parse({**GOOD, "verify": text}).options.verify == span


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
    assert parse({**GOOD, "hostname": hostname}).web_url == web_url


def test_without_give_up_after_events_are_tried_as_long_as_the_log_is_kept() -> None:
    assert parse(GOOD).options.policy.give_up_after == timedelta(days=3)
    assert parse({**GOOD, "give-up-after": "36h"}).options.policy.give_up_after == timedelta(
        hours=36
    )


def test_the_terms_of_a_run_are_what_was_asked_for() -> None:
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

    assert parse(GOOD | wanted).options == RunOptions(
        lookback=timedelta(hours=2),
        policy=Policy(give_up_after=timedelta(days=3), max_attempts=3, max_redeliveries=4),
        retention=timedelta(days=3),
        scan=ScanMode.FAILURES,
        probe=6,
        verify=timedelta(minutes=5),
        fail_unrecovered=True,
        dry_run=True,
    )

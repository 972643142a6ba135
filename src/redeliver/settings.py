"""Turn the inputs into one `Settings`, or list everything that is wrong with them.

No message repeats a value: a secret that was put into the wrong input must not show in a log. The
one exception is an event name that is misspelled only slightly, which cannot be a secret. (An event
in `guids` that the log does not have is named later: a GUID has the form of no secret of GitHub.)
The module is long because one table lists all inputs beside their converters. The converters have
little in common, so several modules would only separate what a reader compares.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from redeliver.core import repository_filter, url_pattern
from redeliver.core.delivery import Guid, HookId
from redeliver.core.event_filter import EVENT_PATTERN, EventFilter, event_name, is_unknown
from redeliver.core.event_names import close_event_names
from redeliver.core.policy import (
    AS_LONG_AS_LOGGED,
    LONGEST_RETENTION,
    RECEIVER_TIMEOUT,
    RETENTION,
    Moment,
    Policy,
    RunOptions,
    ScanMode,
)
from redeliver.core.repository_filter import ALL_REPOSITORIES, is_id, with_owner
from redeliver.core.url_pattern import UrlPattern
from redeliver.errors import InputError
from redeliver.sanitize import split_secret

MAX_WAIT = timedelta(minutes=60)
"""How long a run may wait for outcomes: a runner costs money, and the next run finds them too."""

SECRETS = ("token", "private-key", "variable-token")
"""The inputs that must never be shown."""

MISSPELLED = 0.8
"""A name at least this similar to a known name is a misspelling and no secret, so an error may
repeat it."""

TOKEN = re.compile(r"(gh[a-z]|github_pat)_\w{20}", re.IGNORECASE)
"""How a token of GitHub begins. Tokens from before 2021 are 40 hexadecimal digits."""

VARIABLE_NAME = "LAST_REDELIVERY"
"""The command's default name of the variable; a test checks that action.yml has the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a run, validated and complete."""

    token: str = field(repr=False)
    """Empty if the GitHub App `app_id` authenticates with its `private_key`."""
    app_id: str
    """The App's client ID or its App ID: GitHub accepts both."""
    private_key: str = field(repr=False)
    org: str
    repo: str
    """If `org` and `repo` are both empty, the webhook is the App's own."""
    hook_ids: tuple[HookId, ...] | None
    """None for all; empty for the App's own webhook, and if `hook_url` tells which one it is."""
    hook_url: UrlPattern | None
    """Matches the payload URL of the only webhook; None if the webhooks are named otherwise."""
    repository_patterns: tuple[str, ...]
    """Full names in lower case, which may have `*` or `?` after the owner, or ids; a leading `!`
    excludes. Empty for all repositories."""
    api_url: str
    variable_name: str
    """Empty if no checkpoint is kept."""
    variable_repository: str
    variable_token: str = field(repr=False)
    """Empty if the variable is read and written with the webhooks' credentials."""
    max_per_minute: int
    """0 for as many as GitHub's rate limits allow."""
    options: RunOptions

    @property
    def web_url(self) -> str:
        """The root of the website that belongs to the API."""
        if _is_cloud(self.api_url):
            return self.api_url.replace("://api.", "://", 1)
        return self.api_url.removesuffix("/api/v3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """How one input becomes a setting."""

    setting: str
    """A field of `Settings`, `RunOptions` or `Policy`; or `client_id`, which becomes `app_id`."""
    convert: Callable[[str], Any]
    """Raises `ValueError` with the rest of the sentence "input '…' …"."""
    default: str = ""
    """The value if the input is empty, as `${{ inputs.lookback }}` is in a scheduled run.

    A test compares it with the default in action.yml. 'variable-name' has none here, because there
    an empty input means that no checkpoint is kept.
    """


def parse(
    inputs: Mapping[str, str],
    *,
    names: Mapping[str, str] | None = None,
    if_missing: Mapping[str, str] | None = None,
    by_hand: bool = False,
    at_once: bool = False,
) -> Settings:
    """Check every input; raise one `InputError` that names each one at fault.

    `inputs` has a text for every name in `INPUTS`. `names` says what messages call values that did
    not come from an input. `if_missing` has advice about missing inputs. `by_hand` says whether
    somebody started the run by hand, `at_once` whether no event waits after a failed redelivery.
    """
    called = {name: f"input '{name}'" for name in INPUTS} | dict(names or {})
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, spec in INPUTS.items():
        try:
            values[spec.setting] = spec.convert(inputs[name].strip() or spec.default)
        except ValueError as error:
            problems.append(f"{called[name]} {error}")
    problems += _problems_between_inputs(values, if_missing or {})
    if problems:
        raise InputError(". Also, ".join(problems))
    values["app_id"] = values["client_id"] or values["app_id"]
    # Somebody who asks for certain events knows that the receiver works again.
    values["at_once"] = bool(at_once or values["since"] or values["guids"])
    values["by_hand"] = by_hand
    values["repositories"] = ALL_REPOSITORIES  # until they are looked up
    values["repository_patterns"] = tuple(
        with_owner(pattern, values["org"]) for pattern in values["repository_patterns"]
    )
    # Until GitHub's responses tell.
    values["retention"], values["receiver_timeout"] = RETENTION, RECEIVER_TIMEOUT
    values["give_up_after"] = values["give_up_after"] or AS_LONG_AS_LOGGED
    values["policy"] = Policy(**_fields_of(Policy, values))
    values["options"] = RunOptions(**_fields_of(RunOptions, values))
    return Settings(**_fields_of(Settings, values))


def _fields_of(
    kind: type[Policy | RunOptions | Settings], values: dict[str, Any]
) -> dict[str, Any]:
    return {field.name: values[field.name] for field in fields(kind)}


def _problems_between_inputs(
    values: Mapping[str, Any], if_missing: Mapping[str, str]
) -> Iterator[str]:
    """Yield what is wrong with the inputs together; `values` has those that are valid alone."""
    advice = {name: f". {sentence}" for name, sentence in if_missing.items()}
    credentials = ("token", "client_id", "app_id", "private_key")
    if values.keys() >= {*credentials}:
        yield from _check_credentials(
            **{name: values[name] for name in credentials}, advice=advice.get("token", "")
        )
    target = ("org", "repo", "hook_ids", "hook_url")
    if values.keys() >= {"client_id", "app_id", *target}:
        yield from _check_target(
            **{name: values[name] for name in target},
            is_app=bool(values["client_id"] or values["app_id"]),
        )
    if {"org", "repo", "repository_patterns"} <= values.keys():
        yield from _check_repositories(
            **{name: values[name] for name in ("org", "repo", "repository_patterns")}
        )
    yield from _check_replay(values)
    # A value that is wrong is missing here.
    is_replay = values.get("since", True) or values.get("guids", True)
    if (
        values.get("variable_name")
        and values.get("variable_repository") == ""
        and not is_replay  # then no checkpoint is used
    ):
        yield if_missing.get(
            "variable-repository",
            "input 'variable-repository' must be set, as owner/name, unless 'variable-name' is "
            "empty",
        )
    if values.get("probe") and values.get("verify") == timedelta():
        yield (
            "input 'verify' must be more than 0 if 'probe' is set: "
            "it says how long to wait for the outcomes of the probe"
        )


def _check_replay(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the inputs of a replay together."""
    inputs = ("since", "until", "guids", "include_delivered", "max_redeliveries", "scan", "dry_run")
    if not values.keys() >= {*inputs}:
        return
    since, until = values["since"], values["until"]
    if until and values["guids"]:
        yield "inputs 'until' and 'guids' cannot both be set: 'guids' names the events"
    elif until and not since:
        yield "input 'since' must be set if 'until' is set"
    elif since and until and type(since) is type(until):
        # Of spans before the start of the run, the longer one is the earlier time.
        is_ordered = until < since if isinstance(since, timedelta) else since < until
        if not is_ordered:
            yield "input 'until' must be later than 'since'"
    if values["include_delivered"] and not (since or values["guids"]):
        yield (
            "input 'include-delivered' needs 'since', the start of the time range whose delivered "
            "events are redelivered"
        )
    elif values["include_delivered"] and not (
        values["max_redeliveries"] or values["guids"] or values["dry_run"]
    ):
        yield (
            "input 'max-redeliveries' must be set if 'include-delivered' is true, because most "
            "events of a range are delivered ones. A dry run needs no limit, and shows how many "
            "there are"
        )
    if values["scan"] is ScanMode.FAILURES and (values["guids"] or values["include_delivered"]):
        name = "guids" if values["guids"] else "include-delivered"
        yield f"input 'scan' must be full if '{name}' is set: these events may not have failed"


def _check_credentials(
    token: str, client_id: str, app_id: str, private_key: str, *, advice: str
) -> Iterator[str]:
    name = "app-id" if app_id and not client_id else "client-id"
    has_id = bool(client_id or app_id)
    if token and (has_id or private_key):
        yield (
            f"inputs 'token' and '{name if has_id else 'private-key'}' cannot both be set: "
            "set either a token, or a GitHub App's client ID and its private key"
        )
    elif not (token or has_id or private_key):
        yield f"input 'token' must be set, or 'client-id' and 'private-key'{advice}"
    elif has_id != bool(private_key):
        yield f"inputs '{name}' and 'private-key' must be set together{advice}"
    if client_id and app_id and client_id != app_id:
        yield (
            "inputs 'client-id' and 'app-id' have different values, but they are two names for the "
            "same input: set only 'client-id'"
        )


def _check_target(
    org: str,
    repo: str,
    hook_ids: tuple[HookId, ...] | None,
    hook_url: UrlPattern | None,
    *,
    is_app: bool,
) -> Iterator[str]:
    if org and repo:
        yield "inputs 'org' and 'repo' cannot both be set: a webhook belongs to only one of them"
    elif hook_url and hook_ids != ():
        yield (
            "inputs 'hook-id' and 'hook-url' cannot both be set: name the webhook by its id or by "
            "its payload URL"
        )
    elif (org or repo) and hook_ids == () and not hook_url:
        yield f"input 'hook-id' {HOOK_ID_RULE}"
    elif not (org or repo or is_app):
        yield (
            "input 'org' must be set to the organization that owns the webhook, "
            "or 'repo' to the repository that owns it"
        )
    elif not (org or repo) and (hook_url or hook_ids != ()):
        yield (
            f"input '{'hook-url' if hook_url else 'hook-id'}' must be empty unless 'org' or 'repo' "
            "is set: a GitHub App has a single webhook, without an id"
        )


def _check_repositories(org: str, repo: str, repository_patterns: tuple[str, ...]) -> Iterator[str]:
    if repo and repository_patterns:
        yield (
            "input 'repositories' must be empty if 'repo' is set: all events of that webhook "
            "belong to this repository"
        )
        return
    names = [with_owner(pattern, org).removeprefix("!") for pattern in repository_patterns]
    owners = [None if is_id(name) else name.rpartition("/")[0] for name in names]
    if org and any(owner not in {None, org.lower()} for owner in owners):
        yield (
            "input 'repositories' has a repository of another owner than 'org', whose events do "
            "not reach this webhook. Remove it, or correct its owner"
        )
    elif "" in owners and not repo:
        yield (
            "input 'repositories' must have each name as owner/name for a GitHub App's own "
            "webhook, because that gets events of several owners"
        )


def _token(text: str) -> str:
    # `requests` would refuse a line break in a header with an error that prints the token.
    if not re.fullmatch(r"[!#-&(-~]*", text):
        raise ValueError(
            "must have only printable ASCII characters, without spaces, quotes or line breaks: "
            "set it again"
        )
    return text


def _app_id(text: str) -> str:
    if not re.fullmatch(r"([1-9][0-9]{0,18}|Iv[A-Za-z0-9.]{6,40})?", text):
        raise ValueError(
            "must be the App's client ID, which begins with Iv, or its App ID, which is a number: "
            "the App's settings page shows both"
        )
    return text


def _private_key(text: str) -> str:
    words = " ".join(split_secret(text))
    key = re.fullmatch(
        r"-----BEGIN ((?:RSA )?PRIVATE KEY)----- ([A-Za-z0-9+/= ]+) -----END \1-----", words
    )
    if words and not key:
        raise ValueError(
            "must be the App's private key: the whole content of the .pem file that GitHub "
            "generated, from the line with BEGIN to the line with END"
        )
    if not key:
        return ""
    body = "\n".join(key[2].split())
    return f"-----BEGIN {key[1]}-----\n{body}\n-----END {key[1]}-----\n"


def _organization(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}", text):
        raise ValueError("must be the organization's name as it is in its URL, such as my-org")
    return text


HOOK_ID_RULE = (
    "must be set to the webhook's id, to several ids (one per line or separated by commas), or to "
    "all. The id is the number at the end of the webhook's settings URL, …/settings/hooks/<id>"
)


def _list(text: str) -> list[str]:
    """Split what is separated by commas, spaces or line ends."""
    return [entry for entry in re.split(r"[\s,]+", text) if entry]


def _check_entries(mistakes: Sequence[str | None], rule: str) -> None:
    """Raise `ValueError` with `rule` if any entry of a list has a mistake.

    `mistakes` has what to say about each entry after its position, or None if it is right. The
    position tells the user which entry is meant, without repeating what may be a secret.
    """
    wrong = [f"entry {n}{note}" for n, note in enumerate(mistakes, 1) if note is not None]
    if wrong:
        *others, last = wrong
        listed = f"{', '.join(others)} and {last}" if others else last
        raise ValueError(f"has a mistake in {listed}. {rule}")


def _hook_ids(text: str) -> tuple[HookId, ...] | None:
    if text == "all":
        return None
    ids = _list(text)
    if text and not ids:
        raise ValueError(HOOK_ID_RULE)
    _check_entries(
        [None if re.fullmatch(r"[1-9][0-9]{0,18}", hook) else "" for hook in ids],
        "Each entry must be a webhook's id, which is the number at the end of its settings URL, "
        "…/settings/hooks/<id>. For all webhooks, write only the word all",
    )
    return tuple(dict.fromkeys(HookId(int(hook)) for hook in ids))


def _hook_url(text: str) -> UrlPattern | None:
    if text and not url_pattern.PATTERN.fullmatch(text):
        raise ValueError(
            "must be the host name of the webhook's payload URL, such as ci.example.com or "
            "*.example.com, or host name and path. Each * stands for any characters. Leave out "
            "https, user name, query and #"
        )
    return UrlPattern(text) if text else None


def _repository(text: str) -> str:
    if TOKEN.search(text):
        raise ValueError(
            "must be a repository as owner/name, but it looks like a token: set that in 'token' or "
            "'variable-token'"
        )
    if text and not re.fullmatch(r"[A-Za-z0-9_-]+/(?!\.{1,2}$)[A-Za-z0-9._-]+", text):
        raise ValueError("must be a repository as owner/name")
    return text


def _variable_name(text: str) -> str:
    # https://docs.github.com/en/actions/reference/workflows-and-actions/variables#naming-conventions
    if TOKEN.match(text):
        # GitHub keeps the name in upper case, and the runner would not mask that.
        raise ValueError(
            "must be a variable's name, but it looks like a token: set that in 'token' or "
            "'variable-token'"
        )
    if text and not re.fullmatch(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*", text.upper()):
        raise ValueError(
            "must be a variable's name: letters, digits and _. "
            "It must not begin with a digit or with GITHUB_"
        )
    return text.upper()


UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if not match:
        raise ValueError("must be a number of minutes, hours or days, such as 90m, 24h or 3d")
    span = timedelta(**{UNITS[match[2]]: int(match[1])})
    if span > LONGEST_RETENTION:
        raise ValueError(
            f"must be at most {LONGEST_RETENTION.days}d: GitHub keeps its log for 3 to 7 days"
        )
    return span


def _optional_duration(text: str) -> timedelta | None:
    return _duration(text) if text else None


MOMENT_RULE = (
    "must be a time with its offset from UTC, such as 2026-11-26T22:00:00Z or "
    "2026-11-26T23:00:00+01:00, or how long ago that is, such as 90m, 6h or 2d"
)


def _moment(text: str) -> Moment | None:
    """Read a time as in RFC 3339, or a time span before the start of the run."""
    if not text:
        return None
    if re.fullmatch(r"[1-9][0-9]{0,4}[mhd]", text):
        return _duration(text)
    time = re.sub(" ?UTC$", "Z", text.upper())  # messages and the summary write times so
    if not re.fullmatch(r"[0-9-]{10}[T ][0-9:]{5,8}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})", time):
        raise ValueError(MOMENT_RULE)
    try:
        return datetime.fromisoformat(time).astimezone(UTC)
    except (ValueError, OverflowError):  # for example on 30 February
        raise ValueError(MOMENT_RULE) from None


MAX_GUIDS = 1000


def _guids(text: str) -> frozenset[Guid]:
    guids = _list(text.lower())
    _check_entries(
        [
            None if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", g) else ""
            for g in guids
        ],
        "Each entry must be the GUID of an event, such as 72d3162e-cc78-11e3-81ab-4c9367dc0958, "
        "which the receiver gets in the header X-GitHub-Delivery. Write one per line, or separate "
        "them by commas",
    )
    if len(guids) > MAX_GUIDS:
        raise ValueError(f"must have at most {MAX_GUIDS:,} GUIDs. Redeliver more in several runs")
    return frozenset(map(Guid, guids))


def _wait(text: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,4})([sm])", "0s" if text == "0" else text)
    span = timedelta(**{UNITS[match[2]]: int(match[1])}) if match else timedelta.max
    if span > MAX_WAIT:
        raise ValueError(
            "must be a number of seconds or minutes up to 60m, such as 30s or 2m, or 0"
        )
    return span


def _whole_number(least: int, why: str = "") -> Callable[[str], int | None]:
    def convert(text: str) -> int | None:
        if not text:
            return None
        if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) < least:
            raise ValueError(f"must be a whole number from {least} to 999999{why}")
        return int(text)

    return convert


def _events(text: str) -> EventFilter:
    patterns = _list(text.lower())
    # With a misspelled name, events would be filtered out that the user wants, and the checkpoint
    # would pass them. After !, events would be redelivered that the user does not want.
    _check_entries(
        [_mistake_in_event(pattern) for pattern in patterns],
        "Each entry must be an event that GitHub has, such as push, pull_request.opened or "
        "check_*. Write one per line, or separate them by commas. Put ! directly before an entry "
        "to exclude it. If an event is newer than this version of redeliver, and its name is "
        "similar to that of another event, put a * at its end",
    )
    return EventFilter(tuple(patterns))


def _mistake_in_event(pattern: str) -> str | None:
    """Return what to say about a wrong pattern after its position; None if it is right.

    A name that is not close to any known one may be that of a new event, so it is right.
    """
    name = event_name(pattern)
    close = close_event_names(name) if is_unknown(pattern) else []
    if not close:
        is_right = EVENT_PATTERN.fullmatch(pattern) and not TOKEN.search(pattern)
        return None if is_right else ""
    is_misspelled = get_close_matches(name, close, cutoff=MISSPELLED)
    repeated = f"'{name}': " if is_misspelled and re.fullmatch("[a-z_-]+", name) else ""
    suggested = " or ".join(f"'{known}'" for known in close)
    return f" ({repeated}did you mean {suggested}?)"


def _repositories(text: str) -> tuple[str, ...]:
    patterns = _list(text.lower())
    _check_entries(
        [None if _is_repository(pattern) else "" for pattern in patterns],
        "Each entry must be a repository's name, such as shop, my-org/shop or team-*, or its id. "
        "Write one per line, or separate them by commas. Put ! directly before an entry to exclude "
        "it. An owner cannot have a *",
    )
    return tuple(patterns)


def _is_repository(pattern: str) -> bool:
    name = pattern.removeprefix("!")
    if is_id(name):
        return bool(re.fullmatch("[1-9][0-9]{0,18}", name))
    return bool(repository_filter.PATTERN.fullmatch(pattern) and not TOKEN.search(pattern))


def _status_codes(text: str) -> frozenset[int]:
    codes = _list(text)
    _check_entries(
        [None if re.fullmatch(r"0|[1-5][0-9]{2}", code) else "" for code in codes],
        "Each entry must be a status code from 100 to 599, such as 400, or 0 for deliveries "
        "without one. Write one per line, or separate them by commas",
    )
    return frozenset(map(int, codes))


def _fails_unrecovered(text: str) -> bool:
    if text not in {"error", "unrecovered"}:
        raise ValueError("must be error or unrecovered")
    return text == "unrecovered"


def _scan(text: str) -> ScanMode:
    try:
        return ScanMode(text)
    except ValueError:
        raise ValueError("must be full or failures") from None


def _switch(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text == "true"


def _api_url(text: str) -> str:
    """Find the root of the REST API: https://docs.github.com/en/rest/using-the-rest-api."""
    fault = ValueError(
        "must be the host name of your GitHub, such as github.example.com, "
        "or the full URL of its API with https, and nothing else"
    )
    is_url = "://" in text
    try:
        parts = urlsplit(text if is_url else f"https://{text}")
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        raise fault from None
    path = parts.path.rstrip("/")
    if (
        parts.scheme not in {"http", "https"}
        or not re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?", host)
        or re.search(r"[@?#\s]", text)
        or (path and not is_url)
    ):
        raise fault
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError(
            "must use https: with plain http, others on the network could read the token"
        )
    if host in {"github.com", "api.github.com"} or host.endswith(".ghe.com"):
        # The user may have given the host of the website or that of the API.
        if port or path:
            raise fault
        return f"https://api.{host.removeprefix('api.')}"
    if is_url:
        return f"{parts.scheme}://{host}{port}{path}"
    return f"https://{host}{port}/api/v3"


def _is_cloud(api_url: str) -> bool:
    return bool(re.fullmatch(r"https://api\.(github\.com|.*\.ghe\.com)", api_url))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


INPUTS: Mapping[str, Input] = {
    "token": Input(setting="token", convert=_token),
    "client-id": Input(setting="client_id", convert=_app_id),
    "app-id": Input(setting="app_id", convert=_app_id),
    "private-key": Input(setting="private_key", convert=_private_key),
    "org": Input(setting="org", convert=_organization),
    "repo": Input(setting="repo", convert=_repository),
    "hook-id": Input(setting="hook_ids", convert=_hook_ids),
    "hook-url": Input(setting="hook_url", convert=_hook_url),
    "hostname": Input(setting="api_url", convert=_api_url),
    "variable-name": Input(setting="variable_name", convert=_variable_name),
    "variable-repository": Input(setting="variable_repository", convert=_repository),
    "variable-token": Input(setting="variable_token", convert=_token),
    "lookback": Input(setting="lookback", convert=_duration, default="24h"),
    "scan": Input(setting="scan", convert=_scan, default="full"),
    "give-up-after": Input(setting="give_up_after", convert=_optional_duration),
    "max-attempts": Input(
        setting="max_attempts",
        convert=_whole_number(2, ": the first delivery counts as an attempt"),
    ),
    "events": Input(setting="events", convert=_events),
    "repositories": Input(setting="repository_patterns", convert=_repositories),
    "skip-status-codes": Input(setting="skip_status_codes", convert=_status_codes),
    "since": Input(setting="since", convert=_moment),
    "until": Input(setting="until", convert=_moment),
    "guids": Input(setting="guids", convert=_guids),
    "include-delivered": Input(setting="include_delivered", convert=_switch, default="false"),
    "max-redeliveries": Input(setting="max_redeliveries", convert=_whole_number(1)),
    "max-per-minute": Input(setting="max_per_minute", convert=_whole_number(0), default="75"),
    "verify": Input(setting="verify", convert=_wait, default="30s"),
    "probe": Input(setting="probe", convert=_whole_number(1)),
    "fail-on": Input(setting="fail_unrecovered", convert=_fails_unrecovered, default="error"),
    "dry-run": Input(setting="dry_run", convert=_switch, default="false"),
}

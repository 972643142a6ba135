"""Turn the action's inputs into one `Settings`, or say everything that is wrong with them.

Pure. No message repeats a value: a secret that was put into the wrong input must not
show in a log.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from redeliver.delivery import HookId
from redeliver.errors import InputError

LONGEST = timedelta(days=30)
"""The longest time for which any GitHub has ever kept a delivery log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the user asked for, checked and complete."""

    token: str = field(repr=False)
    org: str
    hook_id: HookId
    api_url: str
    variable_name: str
    """Empty: no checkpoint is kept."""
    variable_repository: str
    variable_token: str = field(repr=False)
    """Empty: `token` is used."""
    lookback: timedelta
    give_up_after: timedelta | None
    """None: as long as GitHub keeps the log."""
    max_attempts: int | None
    """None: no limit."""
    dry_run: bool

    @property
    def retention(self) -> timedelta:
        """How long GitHub keeps the log.

        https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/viewing-webhook-deliveries
        """
        is_cloud = re.fullmatch(r"https://api\.(github\.com|.*\.ghe\.com)", self.api_url)
        return timedelta(days=3 if is_cloud else 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """How one input becomes a setting.

    `convert` raises `ValueError` with the rest of the sentence "input '…' …".
    """

    setting: str
    convert: Callable[[str], Any]
    default: str = ""
    """What an empty input means, as `${{ inputs.lookback }}` is in a run not dispatched.

    Tested to be the default of action.yml, except that no 'variable-name' is a choice.
    """


def parse(inputs: Mapping[str, str]) -> Settings:
    """Check every input; raise one `InputError` that names each one at fault.

    `inputs` has a text for every name in `INPUTS`.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, spec in INPUTS.items():
        try:
            values[spec.setting] = spec.convert(inputs[name].strip() or spec.default)
        except ValueError as error:
            problems.append(f"input '{name}' {error}")
    if values.get("variable_name") and values.get("variable_repository") == "":
        problems.append("input 'variable-repository' must be set, as owner/name")
    if problems:
        raise InputError("; ".join(problems))
    return Settings(**values)


def _token(text: str) -> str:
    if not text:
        raise ValueError(
            "must be set: a personal access token, usually from a secret. "
            "A secret that does not exist, or that the workflow may not read, comes out empty"
        )
    return _optional_token(text)


def _optional_token(text: str) -> str:
    # `requests` would refuse a line break in a header with an error that prints the token.
    if not re.fullmatch(r"[!#-&(-~]*", text):
        raise ValueError(
            "must be one word of printable ASCII: "
            "save the secret again, without spaces, quotes or line breaks"
        )
    return text


def _organization(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}", text):
        raise ValueError(
            "must be set to the organization's name, as it stands at the end of its address"
        )
    return text


def _hook_id(text: str) -> HookId:
    if not re.fullmatch(r"[1-9][0-9]{0,18}", text):
        raise ValueError(
            "must be set to the webhook's id: the number at the end of the address of its "
            "settings page, …/settings/hooks/<id>"
        )
    return HookId(int(text))


def _repository(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9_-]+/(?!\.{1,2}$)[A-Za-z0-9._-]+", text):
        raise ValueError("must be a repository as owner/name")
    return text


def _variable_name(text: str) -> str:
    # https://docs.github.com/en/actions/reference/workflows-and-actions/variables#naming-conventions
    if re.match(r"(gh[a-z]|github_pat)_\w{20}", text, re.IGNORECASE):
        # Upper case, as GitHub keeps the name, is no longer what the runner masks.
        raise ValueError("must be a variable's name, and this looks like a token")
    if text and not re.fullmatch(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*", text.upper()):
        raise ValueError(
            "must be a variable's name: letters, digits and _, "
            "not beginning with a digit or with GITHUB_"
        )
    return text.upper()


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if not match:
        raise ValueError("must be a number of minutes, hours or days, such as 90m, 24h or 3d")
    unit = {"m": "minutes", "h": "hours", "d": "days"}[match[2]]
    span = timedelta(**{unit: int(match[1])})
    if span > LONGEST:
        raise ValueError(f"must be at most {LONGEST.days}d: GitHub keeps the log for 3 to 7 days")
    return span


def _optional_duration(text: str) -> timedelta | None:
    return _duration(text) if text else None


def _optional_attempts(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) < 2:  # noqa: PLR2004 - as it says
        raise ValueError("must be a whole number, 2 or more: the first delivery is an attempt, too")
    return int(text)


def _switch(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text == "true"


def _api_url(text: str) -> str:
    """Find the root of the REST API: https://docs.github.com/en/rest/using-the-rest-api."""
    fault = ValueError(
        "(or GITHUB_API_URL, when that is empty) must be the host name of your GitHub, or the "
        "full address of its API with https, and nothing else"
    )
    is_address = "://" in text
    try:
        parts = urlsplit(text if is_address else f"https://{text}")
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        raise fault from None
    path = parts.path.rstrip("/")
    if (
        parts.scheme not in {"http", "https"}
        or not re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?", host)
        or re.search(r"[@?#\s]", text)
        or (path and not is_address)
    ):
        raise fault
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError(
            "(or GITHUB_API_URL, when that is empty) must be https: "
            "over plain http anyone on the way could read the token"
        )
    if host in {"github.com", "api.github.com"} or host.endswith(".ghe.com"):
        # Here the API has one address, also for who names the website.
        if port or path:
            raise fault
        return f"https://api.{host.removeprefix('api.')}"
    if is_address:
        return f"{parts.scheme}://{host}{port}{path}"
    return f"https://{host}{port}/api/v3"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


INPUTS: Mapping[str, Input] = {
    "token": Input(setting="token", convert=_token),
    "org": Input(setting="org", convert=_organization),
    "hook-id": Input(setting="hook_id", convert=_hook_id),
    "hostname": Input(setting="api_url", convert=_api_url),
    "variable-name": Input(setting="variable_name", convert=_variable_name),
    "variable-repository": Input(setting="variable_repository", convert=_repository),
    "variable-token": Input(setting="variable_token", convert=_optional_token),
    "lookback": Input(setting="lookback", convert=_duration, default="24h"),
    "give-up-after": Input(setting="give_up_after", convert=_optional_duration),
    "max-attempts": Input(setting="max_attempts", convert=_optional_attempts),
    "dry-run": Input(setting="dry_run", convert=_switch, default="false"),
}

"""Any responses of GitHub and any inputs lead to a safe output.

A safe output has no traceback, no secret, and no workflow command or markup from outside.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC
from html.parser import HTMLParser

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from markdown_it import MarkdownIt

from github_sandbox import Hook, Sandbox, VirtualClock
from github_sandbox.faults import Work
from redeliver.core.checkpoint import Checkpoint, SavedCheckpoint, format_checkpoint
from redeliver.core.delivery import Delivery, Guid
from redeliver.core.outcome import STOP_REASONS, EventResult
from redeliver.errors import InputError, RedeliverError, UnavailableError
from redeliver.github_api.checkpoint_variable import RepositoryVariable
from redeliver.github_api.log_rows import FIELDS
from redeliver.reporting import messages, outputs
from redeliver.reporting.report import Report
from redeliver.reporting.summary import summary
from redeliver.sanitize import sanitize
from redeliver.settings import INPUTS, parse
from tests.support.action_run import fork_interpreter, start_step
from tests.support.builders import (
    NOW,
    TOKEN,
    ago,
)
from tests.support.sandboxes import a_client, a_delivery_log, rows_of, running
from tests.support.virtual_run import (
    run_in_process,
)

LOG, ATTEMPT, VARIABLE = ".*/deliveries", ".*/attempts", ".*/variables(/.*)?"
SECRET = "hush"

COMMANDS = ("::error::", "::add-mask::x", "##[error]", "##", "[", ":", "%0A", "%", "\\")
CHARACTERS = ("\n", "\r", "\u2028", " ", "\x00", "\x1b[31m", "\u200b", "\u202e", "\ud800", "é")
MARKUP = ("<script>", "</code>", "**", "`", "|", "<!--", "&#124;", "[x](y)", "\n\n# x\n", "> ")
URLS = (f"https://u:{SECRET}@h.example/{SECRET}", f"https%3A%2F%2F{SECRET}", f"in?token={SECRET}")
PIECES = (*COMMANDS, *CHARACTERS, *MARKUP, *URLS, "rate limit", "OK", "12")
TEXT = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=6).map("".join)
TEXT |= st.sampled_from(PIECES).map(lambda piece: piece * 500) | st.just("".join(PIECES))

RECENT = ("2026-11-24T11:00:00Z", "2026-11-24T10:59:59.999Z")
INVALID_TIMES = ("", "yesterday", "2026-11-24", "2026-11-24T11:00:00")
FAR_AWAY = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
OUT_OF_RANGE = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59")
INSTANTS = st.sampled_from((*RECENT, *FAR_AWAY, *OUT_OF_RANGE, *INVALID_TIMES))
NUMBERS = st.integers() | st.floats() | st.sampled_from((2**64, 10**4000))
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT | INSTANTS,
    lambda deeper: st.lists(deeper) | st.dictionaries(TEXT, deeper),
    max_leaves=5,
)
ROW = st.fixed_dictionaries(
    {
        "id": st.integers(1, 2**63) | st.integers(),
        "guid": TEXT,
        "delivered_at": st.sampled_from((*RECENT, *FAR_AWAY)),
        "redelivery": st.booleans(),
        "status": TEXT,
        "status_code": st.sampled_from((0, 200, 302, 500)) | st.integers(),
        "event": TEXT,
        "action": st.none() | TEXT,
    }
)
FIELD = st.sampled_from(sorted(FIELDS))
INCOMPLETE_ROW = st.builds(
    lambda row, missing: {name: row[name] for name in row if name != missing}, ROW, FIELD
)
INVALID_ROW = INCOMPLETE_ROW | st.builds(
    lambda row, name, value: row | {name: value}, ROW, FIELD, JSON
)
PAGE = st.lists(ROW, max_size=3) | st.lists(ROW | INVALID_ROW | JSON, max_size=3) | JSON
PAGE |= INVALID_ROW.map(lambda row: [row])
CHECKPOINT = st.just(format_checkpoint(ago(hours=2)))
VALID_VARIABLE = st.fixed_dictionaries({"value": CHECKPOINT, "updated_at": INSTANTS})
ANY_VARIABLE = st.fixed_dictionaries({"value": CHECKPOINT | JSON, "updated_at": INSTANTS | JSON})
MESSAGE = st.fixed_dictionaries({"message": TEXT | JSON})
INVALID_JSON = st.sampled_from(
    (b"[" * 100_000, b'[{"id":' + b"9" * 5_000 + b"}]", b'"\xff\xed\xa0"')
)

HEADER_TEXT = TEXT.map(lambda text: re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "", text))
"""Text without the characters that a header cannot have."""

NUMBER_TEXT = HEADER_TEXT | st.sampled_from(
    ("0", "1", "60", "-1", "1.5", "1e999", "nan", "9" * 10, "9" * 500)
)
DATE = st.sampled_from(
    (
        "yesterday",
        "Tue, 24 Nov 2026 12:00:00",
        "Tue, 24 Nov 2026 12:00:00 +9999",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Fri, 31 Dec 9999 23:59:59 GMT",
    )
)
URLS_OF_PAGES = (
    "http://evil.example/?cursor=x",
    "//[",
    "?cursor=%ED%A0%80",
    "?cursor",
    "x" * 70_000,
)
URL = HEADER_TEXT | st.sampled_from(URLS_OF_PAGES)
LINK = st.builds('<{}>; rel="next"'.format, URL) | st.builds(
    "<{}>; rel={}".format, URL, HEADER_TEXT
)
LINK |= st.just('<//[>; rel="next"')
CHARSET = HEADER_TEXT | st.sampled_from(
    ("utf-16", "utf-7", "idna", "punycode", "undefined", "rot13")
)
HEADERS = {
    "Date": DATE | HEADER_TEXT,
    "Link": LINK | HEADER_TEXT,
    "Location": URL,
    "Content-Type": HEADER_TEXT | st.builds("text/x; charset={}".format, CHARSET),
    "Content-Encoding": st.sampled_from(("gzip", "deflate", "gzip, gzip", "x")),
    **dict.fromkeys(("Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset"), NUMBER_TEXT),
    **dict.fromkeys(("X-GitHub-SSO", "X-OAuth-Scopes", "X-Accepted-OAuth-Scopes"), HEADER_TEXT),
}
HEADER = st.sampled_from(["Link", "Date", *HEADERS]).flatmap(
    lambda name: st.tuples(st.just(name), HEADERS[name])
)
STATUS = st.sampled_from((200, 201, 202, 204, 301, 302, 304, 401, 403, 404, 409, 422, 429, 500))


@dataclass(frozen=True)
class FixedResponse:
    """A fault that sends this response."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    async def respond(self, _request: web.Request, _work: Work) -> web.StreamResponse:
        return web.Response(body=self.body, status=self.status, headers=self.headers)


def encoded(content: SearchStrategy[object]) -> SearchStrategy[bytes]:
    return content.map(lambda value: json.dumps(value).encode())


def responses(content: SearchStrategy[object]) -> SearchStrategy[list[FixedResponse]]:
    """Draw successive responses, many with this content."""
    body = encoded(content) | encoded(MESSAGE) | INVALID_JSON | st.binary()
    headers = st.lists(HEADER, max_size=2).map(dict)
    unexpected = st.builds(FixedResponse, body, STATUS | st.integers(200, 599), headers)
    expected = st.builds(FixedResponse, encoded(content), headers=headers)
    return st.lists(expected | unexpected, min_size=1, max_size=3)


VALID_READ = st.builds(
    FixedResponse, encoded(VALID_VARIABLE), headers=st.just({}) | st.builds(dict, Date=DATE)
)
REFUSAL = st.builds(FixedResponse, encoded(MESSAGE), st.sampled_from((404, 422, 202, 429, 500)))


@pytest.fixture(scope="module")
def shared_github() -> Iterator[Sandbox]:
    """Start one sandbox for all examples; each calls `reset` first."""
    with running(Sandbox(clock=VirtualClock(NOW))) as github:
        yield github


@pytest.fixture(scope="module")
def shared_hook(shared_github: Sandbox) -> Hook:
    """Return a hook with a failed event to report, and nothing to redeliver."""
    hook = shared_github.org("acme").hook("http://127.0.0.1:9/hook")
    text = "".join(PIECES)
    hook.record(event=text, status=text, status_code=500, redelivery=True, at=ago(hours=1))
    return hook


def examples(factor: float) -> settings:
    """Try `factor` times as many examples as the profile says."""
    checks = list(HealthCheck)  # so that no example fails because the machine is slow
    number = int(factor * settings().max_examples)
    return settings(max_examples=number, suppress_health_check=checks)


def reset(github: Sandbox) -> None:
    github.mend()
    github.rate_limit(remaining=5000, reset_in=3600)
    github.repository("acme/ops").variables.clear()


def respond(github: Sandbox, responses: list[FixedResponse], path: str, method: str = "*") -> None:
    """Have GitHub send these responses to successive requests, and repeat the last one."""
    for nth, response in enumerate(responses, start=1):
        times = None if nth == len(responses) else 1
        github.inject(response, method=method, path=path, nth=nth, times=times)


def assert_safe(text: str) -> None:
    assert sanitize(text) == text
    assert TOKEN not in text
    assert SECRET not in text


@examples(2.5)
@given(responses(PAGE))
def test_any_delivery_log_gives_deliveries_or_a_safe_error(
    shared_github: Sandbox, shared_hook: Hook, pages: list[FixedResponse]
) -> None:
    reset(shared_github)
    respond(shared_github, pages, LOG)

    try:
        log = list(rows_of(a_delivery_log(shared_github, shared_hook)))
    except RedeliverError as error:
        assert_safe(str(error))
    else:
        assert all(type(row) is Delivery and row.delivered_at.tzinfo is UTC for row in log)


@examples(1)
@given(responses(ANY_VARIABLE), st.sampled_from(("read", "write", "read and write")))
def test_any_variable_gives_a_checkpoint_or_a_safe_error(
    shared_github: Sandbox, values: list[FixedResponse], use: str
) -> None:
    reset(shared_github)
    respond(shared_github, values, VARIABLE)
    store = RepositoryVariable(a_client(shared_github.url), "acme/ops", "LAST_REDELIVERY")

    try:
        saved = store.read() if "read" in use else None
        assert "write" not in use or store.write(Checkpoint(NOW)) in {True, False}
    except RedeliverError as error:
        assert_safe(str(error))
    else:
        assert saved is None or (type(saved) is SavedCheckpoint and saved.written.tzinfo is UTC)


class Elements(HTMLParser):
    """Counts the elements of a page, their attributes, and comments."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.counts = Counter[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts.update([tag, *(f"{tag} {name}" for name, _ in attrs)])

    def handle_comment(self, data: str) -> None:
        self.counts[f"<!--{data}"] += 1


def count_elements(report: Report) -> Counter[str]:
    """Count the elements of the HTML page that shows a report's summary."""
    return Elements(MarkdownIt("gfm-like", {"linkify": False}).render(summary(report))).counts


def harmless(report: Report) -> Report:
    """Return a copy of a report in which harmless texts replace all texts from outside."""

    def harmless_delivery(delivery: Delivery) -> Delivery:
        return replace(delivery, guid=Guid("guid"), event="push", action=None, status="timed out")

    def harmless_result(result: EventResult) -> EventResult:
        decision = replace(result.decision, delivery=harmless_delivery(result.decision.delivery))
        redelivery = result.redelivery and harmless_delivery(result.redelivery)
        because = reasons[result.because]
        return replace(result, decision=decision, because=because, redelivery=redelivery)

    texts = sorted({result.because for result in report.results} - {""})
    reasons = {"": ""} | {text: f"reason {number}" for number, text in enumerate(texts)}
    # These reasons are redeliver's own, and decide whether there is a warning.
    reasons |= {text: text for text in STOP_REASONS}
    return replace(
        report,
        scans=tuple(
            replace(scan, error=scan.error and UnavailableError("broken")) for scan in report.scans
        ),
        results=tuple(harmless_result(result) for result in report.results),
        trouble=tuple("trouble" for _ in report.trouble),
        limit=report.limit and "limit",
        unverified=dict.fromkeys(report.unverified, "not seen"),
    )


@examples(1)
@given(
    encoded(st.lists(ROW, min_size=1, max_size=4)),
    st.lists(REFUSAL, min_size=1, max_size=4) | responses(MESSAGE),
    st.lists(VALID_READ, max_size=2),
    st.just([]) | responses(ANY_VARIABLE),
)
def test_any_responses_make_a_safe_report(
    shared_github: Sandbox,
    shared_hook: Hook,
    rows: bytes,
    attempts: list[FixedResponse],
    reads: list[FixedResponse],
    writes: list[FixedResponse],
) -> None:
    """Texts from outside add no elements to its summary."""
    reset(shared_github)
    respond(shared_github, [FixedResponse(rows)], LOG)
    respond(shared_github, attempts, ATTEMPT)
    respond(shared_github, reads, VARIABLE, "GET")
    respond(shared_github, writes, VARIABLE, "PATCH")
    lines: list[str] = []

    try:
        report = run_in_process(shared_github, shared_hook, VirtualClock(NOW), lines=lines)
    except RedeliverError as error:
        assert_safe(str(error))
    else:
        as_json = outputs.to_json(report)
        assert_safe(messages.problem(report) or "")
        for text in (*messages.warnings(report), *map(str, json.loads(as_json)["events"])):
            assert_safe(text)
        for text in (summary(report), as_json):
            assert not re.search(rf"^\s*::|##\[|{TOKEN}|{SECRET}", text, re.MULTILINE)
            assert all(line.isprintable() for line in text.split("\n"))
        assert count_elements(report) == count_elements(harmless(report))
    for line in lines:
        assert_safe(sanitize(line))


VALID_INPUTS = {
    "token": TOKEN,
    "org": "acme",
    "variable-name": "LAST_REDELIVERY",
    "verify": "0",  # it takes real time
}
FORMS = {
    **dict.fromkeys(("token", "variable-token"), rf"[!#-&(-~]{{0,9}}{SECRET}[!#-&(-~]{{0,9}}"),
    **dict.fromkeys(("client-id", "app-id"), r"Iv[A-Za-z0-9]{6,9}|[1-9][0-9]{0,9}"),
    "private-key": rf"-----BEGIN PRIVATE KEY----- {SECRET}[a-z]{{0,9}} -----END PRIVATE KEY-----",
    "org": r"[A-Za-z0-9][A-Za-z0-9-]{0,38}",
    "repo": r"[A-Za-z0-9_-]{1,9}/[A-Za-z0-9_-]{1,9}",
    "hook-id": r"[1-9][0-9]{0,18}(, ?[1-9]){0,2}|all",
    "hook-url": r"[a-z.*]{1,9}(:[0-9]{1,6})?(/[A-Za-z0-9@?*]{0,9})?",
    "hostname": r"(https?://)?[a-z0-9.]{1,9}(:[0-9]{1,6})?(/[a-z]{1,3})?",
    "variable-name": r"[A-Za-z_][A-Z0-9_]{0,9}",
    "variable-repository": r"[A-Za-z0-9_-]{1,9}/[A-Za-z0-9_-]{1,9}",
    **dict.fromkeys(("lookback", "give-up-after"), r"[1-9][0-9]?[mhd]"),
    **dict.fromkeys(("max-attempts", "max-redeliveries", "max-per-minute"), r"[0-9]{1,7}"),
    "events": r"(!?[a-z_*]{1,9}(\.[a-z]{1,3})?, ){0,2}push",
    "repositories": r"(!?[a-z0-9*]{1,9}(/[a-z.]{1,3})?, ){0,2}ops",
    "skip-status-codes": r"[0-5][0-9]{2}(, 410){0,2}",
    **dict.fromkeys(
        ("since", "until"),
        r"[1-9][0-9]?[mhd]|20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:00)",
    ),
    "guids": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "include-delivered": "true|false",
    "verify": "0s?",
    "scan": "full|failures",
    "probe": r"[0-9]{1,3}",
    "fail-on": "error|unrecovered",
    "dry-run": "true|false",
}
ANY_TEXT = TEXT.map(lambda text: re.sub(r"[\x00\ud800-\udfff]", "", text))
ANY_TEXT |= st.just(f"two words, {SECRET}")
INPUT = st.sampled_from(sorted(INPUTS)).flatmap(
    lambda name: st.tuples(st.just(name), ANY_TEXT | st.from_regex(FORMS[name], fullmatch=True))
)


def is_accepted(inputs: dict[str, str]) -> bool:
    try:
        parse(dict.fromkeys(INPUTS, "") | inputs | {"variable-repository": "acme/ops"})
    except InputError:
        return False
    return True


@examples(1.5)
@given(st.lists(INPUT, max_size=2).map(dict), st.sampled_from("-_"), st.sampled_from(("", "1")))
def test_any_inputs_show_no_secret_command_or_traceback(
    shared_github: Sandbox,
    shared_hook: Hook,
    changes: dict[str, str],
    hyphen: str,
    debug: str,
) -> None:
    reset(shared_github)
    inputs = VALID_INPUTS | {"hook-id": str(shared_hook.id)} | changes
    if changes.get("hostname", "").strip() and is_accepted(inputs):
        return  # no test server has that name
    environment = {
        "GITHUB_API_URL": shared_github.url,
        "GITHUB_REPOSITORY": "acme/ops",
        "RUNNER_DEBUG": debug,
        **{f"INPUT_{name.upper().replace('-', hyphen)}": text for name, text in inputs.items()},
    }

    run = start_step({}, environment, start_process=fork_interpreter).wait()

    lines = [line for line in run.log.splitlines() if not line.startswith("::add-mask::")]
    assert run.status in {0, 1}
    assert run.errors == ""
    assert all(line.isprintable() for line in lines)
    assert not re.search(r"^\s*::(?!(error|warning)::)|##\[", "\n".join(lines), re.MULTILINE)
    assert not re.search(f"Traceback|a bug in redeliver|{TOKEN}|{SECRET}", run.visible)

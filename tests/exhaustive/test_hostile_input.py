"""Whatever GitHub answers and whatever is put in: no traceback, no secret, nothing but words."""

import io
import json
import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from unittest.mock import patch

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from markdown_it import MarkdownIt

from github_sandbox import Hook, Sandbox, VirtualClock
from github_sandbox.faults import Work
from redeliver import action
from redeliver.core.checkpoint import SavedCheckpoint, format_checkpoint
from redeliver.core.decision import Verdict
from redeliver.core.delivery import Delivery, Guid, HookId
from redeliver.core.outcome import NOT_REACHED, EventResult
from redeliver.errors import InputError, RedeliverError, UnavailableError
from redeliver.github_api.delivery_log import FIELDS
from redeliver.github_api.variable import RepositoryVariable
from redeliver.github_api.webhooks import organization_hook
from redeliver.reporting import messages, outputs
from redeliver.reporting.report import Report
from redeliver.reporting.summary import summary
from redeliver.sanitize import sanitize
from redeliver.settings import INPUTS, parse
from tests.exhaustive.soak import SOAK
from tests.support.builders import TOKEN
from tests.support.virtual_run import a_client, run_in_process

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LOG, ATTEMPT, VARIABLE = ".*/deliveries", ".*/attempts", ".*/variables(/.*)?"
SECRET = "hush"
TRIED = Counter[str]()

COMMANDS = ("::error::", "::add-mask::x", "##[error]", "##", "[", ":", "%0A", "%", "\\")
CHARACTERS = ("\n", "\r", "\u2028", " ", "\x00", "\x1b[31m", "\u200b", "\u202e", "\ud800", "é")
MARKUP = ("<script>", "</code>", "**", "`", "|", "<!--", "&#124;", "[x](y)", "\n\n# x\n", "> ")
URLS = (f"https://u:{SECRET}@h.example/{SECRET}", f"https%3A%2F%2F{SECRET}", f"in?token={SECRET}")
PIECES = (*COMMANDS, *CHARACTERS, *MARKUP, *URLS, "rate limit", "OK", "12")
TEXT = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=6).map("".join)
TEXT |= st.sampled_from(PIECES).map(lambda piece: piece * 500) | st.just("".join(PIECES))

HOURS_AGO = ("2026-11-24T11:00:00Z", "2026-11-24T10:59:59.999Z")
NO_TIMES = ("", "yesterday", "2026-11-24", "2026-11-24T11:00:00")
FAR_AWAY = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
TOO_FAR = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59")
INSTANTS = st.sampled_from((*HOURS_AGO, *FAR_AWAY, *TOO_FAR, *NO_TIMES))
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
        "delivered_at": st.sampled_from((*HOURS_AGO, *FAR_AWAY)),
        "redelivery": st.booleans(),
        "status": TEXT,
        "status_code": st.sampled_from((0, 200, 302, 500)) | st.integers(),
        "event": TEXT,
        "action": st.none() | TEXT,
    }
)
FIELD = st.sampled_from(sorted(FIELDS))
LACKING = st.builds(lambda row, gone: {k: row[k] for k in row if k != gone}, ROW, FIELD)
ALIEN = LACKING | st.builds(lambda row, name, value: row | {name: value}, ROW, FIELD, JSON)
PAGE = st.lists(ROW, max_size=3) | st.lists(ROW | ALIEN | JSON, max_size=3) | JSON
PAGE |= ALIEN.map(lambda row: [row])
SAVED = st.just(format_checkpoint(NOW - timedelta(hours=2)))
STATE = st.fixed_dictionaries({"value": SAVED | JSON, "updated_at": INSTANTS | JSON})
START = st.fixed_dictionaries({"value": SAVED, "updated_at": INSTANTS})
MESSAGE = st.fixed_dictionaries({"message": TEXT | JSON})
NO_JSON = st.sampled_from((b"[" * 100_000, b'[{"id":' + b"9" * 5_000 + b"}]", b'"\xff\xed\xa0"'))

WORD = TEXT.map(lambda text: re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "", text))
"""What a header can hold."""

COUNT = WORD | st.sampled_from(("0", "1", "60", "-1", "1.5", "1e999", "nan", "9" * 10, "9" * 500))
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
PLACES = ("http://evil.example/?cursor=x", "//[", "?cursor=%ED%A0%80", "?cursor", "x" * 70_000)
PLACE = WORD | st.sampled_from(PLACES)
LINK = st.builds('<{}>; rel="next"'.format, PLACE) | st.builds("<{}>; rel={}".format, PLACE, WORD)
LINK |= st.just('<//[>; rel="next"')
CHARSET = WORD | st.sampled_from(("utf-16", "utf-7", "idna", "punycode", "undefined", "rot13"))
HEADERS = {
    "Date": DATE | WORD,
    "Link": LINK | WORD,
    "Location": PLACE,
    "Content-Type": WORD | st.builds("text/x; charset={}".format, CHARSET),
    "Content-Encoding": st.sampled_from(("gzip", "deflate", "gzip, gzip", "x")),
    **dict.fromkeys(("Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset"), COUNT),
    **dict.fromkeys(("X-GitHub-SSO", "X-OAuth-Scopes", "X-Accepted-OAuth-Scopes"), WORD),
}
HEADER = st.sampled_from(["Link", "Date", *HEADERS]).flatmap(
    lambda name: st.tuples(st.just(name), HEADERS[name])
)
STATUS = st.sampled_from((200, 201, 202, 204, 301, 302, 304, 401, 403, 404, 409, 422, 429, 500))


@dataclass(frozen=True)
class Answer:
    """Answers just so."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    async def answer(self, _request: web.Request, _work: Work) -> web.StreamResponse:
        return web.Response(body=self.body, status=self.status, headers=self.headers)


def encoded(content: SearchStrategy[object]) -> SearchStrategy[bytes]:
    return content.map(lambda value: json.dumps(value).encode())


def answers(content: SearchStrategy[object]) -> SearchStrategy[list[Answer]]:
    """Draw one answer after another; the last is given for ever."""
    body = encoded(content) | encoded(MESSAGE) | NO_JSON | st.binary()
    headers = st.lists(HEADER, max_size=2).map(dict)
    strange = st.builds(Answer, body, STATUS | st.integers(200, 599), headers)
    fit = st.builds(Answer, encoded(content), headers=headers)
    return st.lists(fit | strange, min_size=1, max_size=3)


STARTED = st.builds(Answer, encoded(START), headers=st.just({}) | st.builds(dict, Date=DATE))
REFUSED = st.builds(Answer, encoded(MESSAGE), st.sampled_from((404, 422, 202, 429, 500)))


@pytest.fixture(scope="module")
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture(scope="module")
def github(clock: VirtualClock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as github:
        github.token(TOKEN, organization_hooks="write", actions_variables="write")
        yield github


@pytest.fixture(scope="module")
def hook(github: Sandbox) -> Hook:
    """Give a hook with a failure to tell of, and nothing to redeliver."""
    hook = github.org("acme").hook("http://127.0.0.1:9/hook")
    words, ago = "".join(PIECES), NOW - timedelta(hours=1)
    hook.record(event=words, status=words, status_code=500, redelivery=True, at=ago)
    return hook


@pytest.fixture(scope="module", autouse=True)
def _figures(add_to_summary: Callable[[str], None]) -> Iterator[None]:
    yield
    add_to_summary(f"{TRIED.total()} random answers, runs and inputs")


def many(examples: int) -> settings:
    checks = list(HealthCheck)  # a slow machine is no fault
    return settings(max_examples=examples * SOAK, deadline=None, suppress_health_check=checks)


def afresh(github: Sandbox) -> None:
    github.mend()
    github.rate_limit(remaining=5000, reset_in=3600)
    github.repository("acme/ops").variables.clear()


def answer(github: Sandbox, drawn: list[Answer], path: str, method: str = "*") -> None:
    for place, each in enumerate(drawn, start=1):
        times = None if place == len(drawn) else 1
        github.inject(each, method=method, path=path, nth=place, times=times)


def only_words(text: str) -> None:
    assert sanitize(text) == text, "it is shown as it is"
    assert TOKEN not in text
    assert SECRET not in text


@many(250)
@given(answers(PAGE))
def test_whatever_the_log_answers_is_deliveries_or_an_error_that_is_only_words(
    github: Sandbox, hook: Hook, drawn: list[Answer]
) -> None:
    afresh(github)
    answer(github, drawn, LOG)
    client = a_client(github.url)
    ours = organization_hook(client, github.url, hook.org, HookId(hook.id))

    try:
        log = list(ours.deliveries())
    except RedeliverError as error:
        TRIED["logs told"] += 1
        only_words(str(error))
    else:
        TRIED["logs read"] += 1
        assert all(type(row) is Delivery and row.delivered_at.tzinfo is UTC for row in log)


@many(100)
@given(answers(STATE), st.sampled_from(("read", "write", "read and write")))
def test_whatever_the_variable_answers_is_a_checkpoint_or_an_error_that_is_only_words(
    github: Sandbox, drawn: list[Answer], use: str
) -> None:
    afresh(github)
    answer(github, drawn, VARIABLE)
    store = RepositoryVariable(a_client(github.url), "acme/ops", "LAST_REDELIVERY")

    try:
        saved = store.read() if "read" in use else None
        assert "write" not in use or store.write(NOW) in {True, False}
    except RedeliverError as error:
        TRIED["variables told"] += 1
        only_words(str(error))
    else:
        TRIED["variables used"] += 1
        assert saved is None or (type(saved) is SavedCheckpoint and saved.written.tzinfo is UTC)


class Tags(HTMLParser):
    """Counts the elements of a page, their attributes and the comments."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen = Counter[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.update([tag, *(f"{tag} {name}" for name, _ in attrs)])

    def handle_comment(self, data: str) -> None:
        self.seen[f"<!--{data}"] += 1


def plain(done: Report) -> Report:
    """Return a report of the same form in which nothing comes from outside."""

    def told(result: EventResult, because: str) -> EventResult:
        def named(delivery: Delivery) -> Delivery:
            return replace(
                delivery, guid=Guid("guid"), event="push", action=None, status="timed out"
            )

        decision = replace(result.decision, delivery=named(result.decision.delivery))
        redelivery = result.redelivery and named(result.redelivery)
        return replace(result, decision=decision, because=because, redelivery=redelivery)

    reasons = sorted({result.because for result in done.results} - {""})
    why = {"": ""} | {reason: f"reason {n}" for n, reason in enumerate(reasons)}
    # What the program says itself decides whether it is a warning.
    why |= {reason: reason for reason in (NOT_REACHED, *(verdict.value for verdict in Verdict))}
    return replace(
        done,
        scans=tuple(
            replace(each, error=each.error and UnavailableError("broken")) for each in done.scans
        ),
        results=tuple(told(each, why[each.because]) for each in done.results),
        trouble=tuple("trouble" for _ in done.trouble),
        limit=done.limit and "limit",
        unverified=dict.fromkeys(done.unverified, "not seen"),
    )


def elements(done: Report) -> Counter[str]:
    """Count the elements of the page that a report's summary makes."""
    return Tags(MarkdownIt("gfm-like", {"linkify": False}).render(summary(done))).seen


@many(100)
@given(
    encoded(st.lists(ROW, min_size=1, max_size=4)),
    st.lists(REFUSED, min_size=1, max_size=4) | answers(MESSAGE),
    st.lists(STARTED, max_size=2),
    st.just([]) | answers(STATE),
)
def test_whatever_a_run_meets_its_report_is_only_words(
    github: Sandbox,
    hook: Hook,
    rows: bytes,
    attempts: list[Answer],
    starts: list[Answer],
    saves: list[Answer],
) -> None:
    afresh(github)
    answer(github, [Answer(rows)], LOG)
    answer(github, attempts, ATTEMPT)
    answer(github, starts, VARIABLE, "GET")
    answer(github, saves, VARIABLE, "PATCH")
    said: list[str] = []

    try:
        done = run_in_process(github, hook, VirtualClock(NOW), lines=said)
    except RedeliverError as error:
        TRIED["runs told"] += 1
        only_words(str(error))
    else:
        TRIED["runs reported"] += 1
        page, told = summary(done), json.loads(outputs.to_json(done))
        for text in (
            *messages.warnings(done),
            messages.problem(done) or "",
            *(str(e) for e in told["events"]),
        ):
            only_words(text)
        for text in (page, outputs.to_json(done)):
            assert not re.search(rf"^\s*::|##\[|{TOKEN}|{SECRET}", text, re.MULTILINE)
            assert all(line.isprintable() for line in text.split("\n"))
        assert elements(done) == elements(plain(done))
    for line in said:
        only_words(sanitize(line))


GOOD = {"token": TOKEN, "org": "acme", "variable-name": "LAST_REDELIVERY"}
GOOD |= {"verify": "0"}  # it takes real time
FORMS = {
    **dict.fromkeys(("token", "variable-token"), rf"[!#-&(-~]{{0,9}}{SECRET}[!#-&(-~]{{0,9}}"),
    "app-id": r"[1-9][0-9]{0,9}",
    "private-key": rf"-----BEGIN PRIVATE KEY----- {SECRET}[a-z]{{0,9}} -----END PRIVATE KEY-----",
    "org": r"[A-Za-z0-9][A-Za-z0-9-]{0,38}",
    "repo": r"[A-Za-z0-9_-]{1,9}/[A-Za-z0-9_-]{1,9}",
    "hook-id": r"[1-9][0-9]{0,18}(, ?[1-9]){0,2}|all",
    "hostname": r"(https?://)?[a-z0-9.]{1,9}(:[0-9]{1,6})?(/[a-z]{1,3})?",
    "variable-name": r"[A-Za-z_][A-Z0-9_]{0,9}",
    "variable-repository": r"[A-Za-z0-9_-]{1,9}/[A-Za-z0-9_-]{1,9}",
    **dict.fromkeys(("lookback", "give-up-after"), r"[1-9][0-9]?[mhd]"),
    **dict.fromkeys(("max-attempts", "max-redeliveries", "max-per-minute"), r"[0-9]{1,7}"),
    "events": r"(!?[a-z_*]{1,9}(\.[a-z]{1,3})?, ){0,2}push",
    "skip-status-codes": r"[0-5][0-9]{2}(, 410){0,2}",
    "verify": "0s?",
    "scan": "full|failures",
    "probe": r"[0-9]{1,3}",
    "fail-on": "error|unrecovered",
    "dry-run": "true|false",
}
ENTERED = TEXT.map(lambda text: re.sub(r"[\x00\ud800-\udfff]", "", text))
ENTERED |= st.just(f"two words, {SECRET}")
INPUT = st.sampled_from(sorted(INPUTS)).flatmap(
    lambda name: st.tuples(st.just(name), ENTERED | st.from_regex(FORMS[name], fullmatch=True))
)


def at_the_door(environment: Mapping[str, str]) -> tuple[int, str]:
    """Run the program as a runner would, but here; return its exit status and all it printed."""
    printed = io.BytesIO()
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)}
    # As in the image: what UTF-8 cannot hold is an error.
    with io.TextIOWrapper(printed, "utf-8", newline="", write_through=True) as stream:
        try:
            with (
                patch.dict(os.environ, environment, clear=True),
                redirect_stdout(stream),
                redirect_stderr(stream),
            ):
                status = action.main()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return status, printed.getvalue().decode()


def is_accepted(inputs: dict[str, str]) -> bool:
    try:
        parse(dict.fromkeys(INPUTS, "") | inputs | {"variable-repository": "acme/ops"})
    except InputError:
        return False
    return True


@many(150)
@given(st.lists(INPUT, max_size=2).map(dict), st.sampled_from("-_"), st.sampled_from(("", "1")))
def test_whatever_is_put_in_shows_no_secret_no_command_and_no_traceback(
    github: Sandbox,
    hook: Hook,
    tmp_path_factory: pytest.TempPathFactory,
    entered: dict[str, str],
    hyphen: str,
    debug: str,
) -> None:
    afresh(github)
    inputs = GOOD | {"hook-id": str(hook.id)} | entered
    if entered.get("hostname", "").strip() and is_accepted(inputs):
        TRIED["doors not entered"] += 1
        return  # nobody is there to be asked
    files = [tmp_path_factory.getbasetemp() / name for name in ("output", "summary")]
    for file in files:
        file.write_text("")
    environment = {"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": "acme/ops"}
    environment |= {"GITHUB_OUTPUT": str(files[0]), "GITHUB_STEP_SUMMARY": str(files[1])}
    environment |= {f"INPUT_{name.upper().replace('-', hyphen)}": inputs[name] for name in inputs}

    status, log = at_the_door(environment | {"RUNNER_DEBUG": debug})

    TRIED[f"doors left with {status}"] += 1
    lines = [line for line in re.split("[\r\n]", log) if not line.startswith("::add-mask::")]
    shown = "\n".join([*lines, *(file.read_text() for file in files)])
    assert status in {0, 1}
    assert all(line.isprintable() for line in lines)
    assert not re.search(r"^\s*::(?!(error|warning)::)|##\[", "\n".join(lines), re.MULTILINE)
    assert not re.search(f"Traceback|a bug in redeliver|{TOKEN}|{SECRET}", shown)

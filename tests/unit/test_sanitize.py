"""Untrusted text becomes plain text: no workflow command, no Markdown, no URL."""

import json
from base64 import b64encode
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from redeliver.sanitize import escape_markdown, quote_untrusted, sanitize, secret_parts
from tests.support.builders import PRIVATE_KEY

PIECES = ["::", "##[", "#", ":", "[", "\n", "\r", "\x85", "\u2028", "error", "%0A", " ", "`", "|"]
HOSTILE = st.lists(st.sampled_from(PIECES) | st.characters()).map("".join)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("timed out", "timed out"),
        ("Invalid HTTP Response: 302", "Invalid HTTP Response: 302"),
        ("OK\n::error::pwned", "OK : :error: :pwned"),
        ("  ::add-mask::x", ": :add-mask: :x"),
        ("x ##[error]pwned", "x ## [error]pwned"),
        ("###[group]", "### [group]"),
        ("a\rb\x1b[31mc\u202ed\x00", "a b[31mcd"),
        (":\u200b:error\u200b::x ##\u200b[x]", ": :error: :x ## [x]"),
        ("https://h.example/a\u200bhush https\u200b://hush", "[URL removed] [URL removed]"),
        (
            "POST https://hooks.example.com/in?secret=hush giving up after 1 attempt(s): x",
            "POST [URL removed] giving up after 1 attempt(s): x",
        ),
        ('Post "https://u:p@example.com/hush": EOF', "Post [URL removed] EOF"),
        ("to hooks.example.com/in/hush now", "to [URL removed] now"),
        ("to localhost:8080/hush now", "to [URL removed] now"),
        ("to //hooks.example.com/hush now", "to [URL removed] now"),
        ("to hooks.example.com?hush now", "to [URL removed] now"),
        ("to user:hush@hooks.example.com now", "to [URL removed] now"),
        ("in?token=hush", "[URL removed]"),
        ("secret=hush", "[URL removed]"),
        ("https%3A%2F%2Fexample.com%2Fhush", "[URL removed]"),
        ("https%253A%252F%252Fexample.com%252Fhush", "[URL removed]"),
        (r"https:\/\/example.com\/hush", "[URL removed]"),
        (r"https:\u002f\u002fexample.com\u002fhush", "[URL removed]"),
        ("x/::hush.example.com/in", "[URL removed]"),
        ("x/##[hush.example.com/in", "[URL removed]"),
        ("is GitHub up?", "is GitHub up?"),
        ("variable LAST_REDELIVERY of acme/my.repo", "variable LAST_REDELIVERY of acme/my.repo"),
    ],
)
def test_untrusted_text_becomes_plain_text(text: str, shown: str) -> None:
    assert sanitize(text) == shown


@given(HOSTILE)
def test_no_text_is_a_workflow_command(text: str) -> None:
    line = sanitize(text)

    assert len(line.splitlines()) <= 1
    assert "::" not in line
    assert "##[" not in line
    assert line.isprintable()


@pytest.mark.unmeasured
@pytest.mark.parametrize("text", ["?", "=", "./", ":", "a.", "%25", "\\u0025", "[", "\u200b"])
def test_a_long_text_is_sanitized_quickly(text: str) -> None:
    # On a megabyte, quadratic time would be longer than all tests take.
    assert len(quote_untrusted(text * 2**20)) <= 120
    assert sanitize(text * 2**20).isprintable()


@given(HOSTILE)
def test_sanitized_text_stays_as_it_is(text: str) -> None:
    assert sanitize(sanitize(text)) == sanitize(text)


def test_a_long_quoted_text_is_truncated() -> None:
    assert quote_untrusted("x" * 1000) == "x" * 119 + "…"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lookup u1s2h.m.example.net: no such host", "lookup [host removed]: no such host"),
        ("not valid for a.example, b.example", "not valid for [host removed], [host removed]"),
        ("Invalid HTTP Response: 503", "Invalid HTTP Response: 503"),
    ],
)
def test_a_quoted_text_names_no_host(text: str, shown: str) -> None:
    assert quote_untrusted(text) == shown


@given(HOSTILE)
def test_escaped_markdown_shows_the_same_characters(text: str) -> None:
    rendered = MarkdownIt("gfm-like", {"linkify": False}).render(
        f"| x {escape_markdown(text)} x |\n| - |"
    )

    assert unescape(rendered).count(f"<th>x {sanitize(text)} x</th>") == 1


def test_escaped_markdown_stays_readable() -> None:
    assert (
        escape_markdown("pull_request.opened, (5-1) a|b") == "pull_request.opened, (5-1) a&#124;b"
    )


def test_the_parts_of_a_key_are_masked_but_not_its_header() -> None:
    assert secret_parts(PRIVATE_KEY) == ["MIIEs3cret", "KEY+/aa=="]
    assert secret_parts(PRIVATE_KEY.replace("\n", "\\n")) == ["MIIEs3cret", "KEY+/aa=="]
    assert secret_parts(" ghp_f1ne\n") == ["ghp_f1ne"]


def test_a_key_that_is_stored_in_another_form_is_masked_in_both() -> None:
    """Otherwise, an ordinary character such as a quote would be masked as well."""
    encoded = b64encode(PRIVATE_KEY.encode()).decode()

    assert secret_parts(encoded) == [encoded, "MIIEs3cret", "KEY+/aa=="]
    assert secret_parts(json.dumps(PRIVATE_KEY)) == ["MIIEs3cret", "KEY+/aa=="]
    assert secret_parts(f'"{PRIVATE_KEY}"') == ["MIIEs3cret", "KEY+/aa=="]

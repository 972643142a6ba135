"""Which addresses of webhooks a pattern matches."""

import pytest

from redeliver.core.url_pattern import UrlPattern

ADDRESS = "https://CI.example.com/github/h00k?key=s3cret"


@pytest.mark.parametrize(
    ("pattern", "address"),
    [
        ("ci.example.com", ADDRESS),
        ("Ci.Example.COM/*", ADDRESS),
        ("ci.example.com/github/h00k", ADDRESS),
        ("*.example.com/*/h*k", ADDRESS),
        ("ci.example.com:443/*", ADDRESS),
        ("ci.example.com:80", "http://ci.example.com"),
        ("ci.example.com", "https://ci.example.com:8443/hook"),
        ("ci.example.com:8443/hook", "https://ci.example.com:8443/hook"),
        ("ci.example.com/", "https://ci.example.com"),
        ("ci.example.com/*", "https://ci.example.com"),
        ("ci.example.com/a[b](c)", "https://ci.example.com/a[b](c)"),
        ("ci.example.com/hook", "https://user:word@ci.example.com/hook#part"),
        ("*", ADDRESS),
    ],
)
def test_a_pattern_matches(pattern: str, address: str) -> None:
    assert UrlPattern(pattern).matches(address)


@pytest.mark.parametrize(
    ("pattern", "address"),
    [
        pytest.param("example.com", ADDRESS, id="only a part of the host"),
        pytest.param("ci.example.com/github", ADDRESS, id="only a part of the path"),
        pytest.param("ci.example.com/GitHub/*", ADDRESS, id="the path in another case"),
        pytest.param("ci.example.com/*s3cret", ADDRESS, id="the query"),
        pytest.param("ci-example.com", ADDRESS, id="a dot is only a dot"),
        pytest.param("ci.example.com:8443", ADDRESS, id="another port"),
        pytest.param("*/hook", "https://evil.example/?x=ci.example.com/hook", id="another place"),
        pytest.param("*", "https://[broken", id="no address"),
        pytest.param("ci.example.com", "https://ci.example.com:port", id="no port"),
        pytest.param("*", None, id="no text"),
    ],
)
def test_a_pattern_does_not_match(pattern: str, address: object) -> None:
    assert not UrlPattern(pattern).matches(address)

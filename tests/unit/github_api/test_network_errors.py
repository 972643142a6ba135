"""What an error of the network says about a request."""

import pytest
from requests import ConnectTimeout, ReadTimeout
from requests.exceptions import ContentDecodingError
from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError

from redeliver.github_api.network_errors import explain

POOL = HTTPSConnectionPool("api.github.com")


def caused(error: Exception, cause: Exception) -> Exception:
    """Return an error as it is after `raise error from cause`."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "may_be_done"),
    [
        pytest.param(
            caused(ConnectTimeout(), caused(MaxRetryError(POOL, "/"), ConnectTimeoutError())),
            False,
            id="no connection within 15 seconds",
        ),
        pytest.param(ReadTimeout(), True, id="no response within 15 seconds"),
    ],
)
def test_a_request_that_was_not_sent_may_be_repeated(
    error: Exception, *, may_be_done: bool
) -> None:
    """Even a redelivery is then requested again."""
    explained = explain(error, "https://api.github.com")

    assert (explained.may_be_done, explained.is_transient) == (may_be_done, True)


@pytest.mark.parametrize(
    ("error", "has_responded"),
    [
        pytest.param(ContentDecodingError(), True, id="a body that cannot be decoded"),
        pytest.param(ValueError(), True, id="invalid headers"),
        pytest.param(ReadTimeout(), False, id="no response within 15 seconds"),
    ],
)
def test_a_response_that_cannot_be_used_is_one(error: Exception, *, has_responded: bool) -> None:
    """After two webhooks without any response, a run reads no others."""
    assert explain(error, "https://api.github.com").has_responded is has_responded

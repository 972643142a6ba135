"""Which deliveries succeeded."""

import pytest

from tests.support.builders import a_delivery


@pytest.mark.parametrize(
    ("status", "code", "succeeded"),
    [
        pytest.param("OK", 200, True, id="as documented"),
        pytest.param("OK", 202, True, id="accepted"),
        pytest.param("No Content", 204, True, id="another text with a success code"),
        pytest.param("OK", 0, True, id="OK without a code"),
        pytest.param("Invalid HTTP Response: 302", 302, False, id="a redirect"),
        pytest.param("Invalid HTTP Response: 400", 400, False, id="refused by the receiver"),
        pytest.param("failed to connect to host", 502, False, id="receiver down"),
        pytest.param("timed out", 504, False, id="receiver slow"),
        pytest.param("x509: certificate signed by unknown authority", 0, False, id="no response"),
        pytest.param("a text nobody has seen", 999, False, id="unknown code"),
        pytest.param("ok", 199, False, id="not GitHub's spelling, and below success"),
        pytest.param("", 300, False, id="just above success"),
    ],
)
def test_a_delivery_succeeded_when(status: str, code: int, *, succeeded: bool) -> None:
    assert a_delivery(status=status, status_code=code).succeeded is succeeded

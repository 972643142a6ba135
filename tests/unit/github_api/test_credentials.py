"""A GitHub App signs JWTs."""

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from redeliver.github_api.credentials import AppCredential
from redeliver.github_api.server_clock import ServerClock
from tests.support.builders import NOW


def test_a_jwt_is_a_minute_old_and_valid_for_nine_more() -> None:
    """Clocks can differ, and GitHub accepts no more than ten minutes."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    clock = ServerClock(elapsed=lambda: 0.0)
    clock.sync(NOW)

    token = AppCredential("123456", pem.decode(), clock=clock).token()

    claims = jwt.decode(token, key.public_key(), ["RS256"], options={"verify_exp": False})
    now = int(NOW.timestamp())
    assert claims == {"iss": "123456", "iat": now - 60, "exp": now + 9 * 60}

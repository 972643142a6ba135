"""Make the RSA keys with which GitHub Apps sign their JSON web tokens."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@cache
def generate_keys(_slug: str) -> tuple[str, rsa.RSAPublicKey]:
    """Generate the App's private key, as PEM, and the public key that verifies its signatures.

    They are cached, because generating them is slow.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key_format = PrivateFormat.TraditionalOpenSSL
    pem = key.private_bytes(Encoding.PEM, key_format, NoEncryption()).decode()
    return pem, key.public_key()

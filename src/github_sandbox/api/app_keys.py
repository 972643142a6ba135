"""Make the RSA keys with which GitHub Apps sign their JSON web tokens."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


@cache
def generate_private_key(_slug: str) -> str:
    """Generate the App's private key, as PEM. It is cached, because generating a key is slow."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key_format = PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(Encoding.PEM, key_format, NoEncryption()).decode()


def public_key_of(private_key: str) -> rsa.RSAPublicKey:
    """Return the public key that verifies signatures made with the private key."""
    key = load_pem_private_key(private_key.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("an App has an RSA key")
    return key.public_key()

"""Advice for a 403, by the words of GitHub's message."""

from http import HTTPStatus

from redeliver.github_api.permissions import SETTINGS_PAGE
from redeliver.github_api.response import Response

REFUSALS = {
    "ip allow list": (
        "Ask an owner of the organization to add the IP address of this machine to the allow list, "
        "or run redeliver on a machine whose address is on it"
    ),
    "token's lifetime": (
        "Create a token that expires sooner, or ask an owner of the organization to allow longer "
        "lifetimes"
    ),
    "personal access token (classic)": (
        "Use a fine-grained token, or a GitHub App with 'client-id' and 'private-key'"
    ),
    "fine-grained personal access token": (
        "Use a GitHub App with 'client-id' and 'private-key', or ask an owner of the organization "
        "to allow such tokens"
    ),
    "archived": (
        "Unarchive the repository. If it only has the variable, you can instead set "
        "'variable-repository' to another one"
    ),
    "installation has been suspended": (
        "An owner of the organization can unsuspend the App in the organization's settings, under "
        "GitHub Apps > Configure"
    ),
    "suspended": (
        "Only GitHub's support, or the administrator of your GitHub, can unsuspend the account"
    ),
    "saml": (
        "Whoever created the token has to authorize it for the organization under "
        f"{SETTINGS_PAGE} > Configure SSO"
    ),
}
"""What to do about a 403 whose reason is not a missing permission, by words of GitHub's message in
lower case. The first entry whose words are in the message counts.

https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

MISSING_PERMISSION = ("not accessible by", "must have admin", "must be an", "scope", "permission")
"""Words of GitHub's messages about a missing permission, in lower case."""


def forbidden_advice(response: Response) -> str | None:
    """Return what to do about a 403 with a known reason that is not a missing permission."""
    if response.status != HTTPStatus.FORBIDDEN:
        return None
    words = response.message.lower()
    known = (advice for reason, advice in REFUSALS.items() if reason in words)
    return next(known, REFUSALS["saml"] if "x-github-sso" in response.headers else None)


def names_missing_permission(response: Response) -> bool:
    """Whether the words of a response are about a missing permission."""
    words = response.message.lower()
    return any(reason in words for reason in MISSING_PERMISSION)

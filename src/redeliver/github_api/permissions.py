"""Facts for advice: who sends a request, what it is for, and which permission it needs."""

from dataclasses import dataclass

SETTINGS_PAGE = "Settings > Developer settings > Personal access tokens"
"""Where GitHub's website shows a user's tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """The permission that a group of requests needs."""

    inputs: str
    """The inputs that name the resource, such as "'org' and 'hook-id'"."""
    fine_grained: str = ""
    """The permission of a fine-grained token or an App, as GitHub's pages call it; may be empty."""
    classic_scope: str = ""
    """The scope of a classic token; set whenever `fine_grained` is."""
    created_by: str = ""
    """Who must have created a fine-grained token, if that matters."""

    def to(self, action: str) -> "Purpose":
        """Return the purpose of a request that needs this permission."""
        return Purpose(action=action, permission=self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a request is for, and which permission it needs."""

    action: str
    """Completes the sentence "cannot …"."""
    permission: Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who sends requests, as messages name it."""

    name: str
    """Such as "the token in input 'token'"."""
    is_app: bool = False
    """Whether it is a GitHub App or its installation."""
    is_installation: bool = False
    """Whether it is an App's installation, whose tokens GitHub issues during the run."""
    token_input: str = ""
    """The input that has the token; empty for an App."""


def token_identity(token_input: str) -> Identity:
    """Return the identity of the token in an input."""
    return Identity(name=f"the token in input '{token_input}'", token_input=token_input)


APP_IDENTITY = Identity(name="the GitHub App in input 'client-id'", is_app=True)

INSTALLATION_IDENTITY = Identity(name=APP_IDENTITY.name, is_app=True, is_installation=True)

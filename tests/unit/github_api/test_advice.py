"""An error says which permission is missing, and where to grant it."""

import pytest

from redeliver.errors import AccessError
from redeliver.github_api.advice import error_for
from redeliver.github_api.permissions import APP_IDENTITY, Identity, token_identity
from tests.support.builders import a_response


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("identity", [token_identity("token"), APP_IDENTITY], ids=["token", "App"])
def test_no_permission_is_advised_where_none_is_needed(status: int, identity: Identity) -> None:
    error = error_for(a_response(status), identity)

    assert isinstance(error, AccessError)
    assert str(error) == (
        f"cannot read the log: GitHub responded {status}, Forbidden. "
        "This request needs no permission, so check 'hook-id' for a mistake"
    )

"""Lasting troubles of single events: how GitHub responds whenever somebody redelivers them."""

import re
from collections.abc import Mapping

from github_sandbox import Dropped, Fault, LostResponse, Sandbox, Status, Swallowed
from tests.exhaustive.history import History

NO_RESPONSE, REFUSED, SWALLOWED = "unanswered", "refused", "swallowed"

TROUBLES: Mapping[str, Fault] = {
    NO_RESPONSE: Status(502, "Bad Gateway"),
    "dropped": Dropped(),
    "a lost response": LostResponse(),
    REFUSED: Status(422, "Cannot"),
    "forbidden": Status(403, "Forbidden"),
    SWALLOWED: Swallowed(),
}


def inject_troubles(github: Sandbox, history: History, troubles: Mapping[str, str]) -> None:
    """Inject the trouble of each event, by its GUID. Events without an attempt are left out."""
    for guid, trouble in troubles.items():
        hook = history.hooks[guid]
        if ids := hook.ids_of(guid):
            one = "|".join(map(str, ids))
            path = f"{re.escape(hook.path)}/deliveries/({one})/attempts"
            github.inject(TROUBLES[trouble], method="POST", path=path, times=None)

"""Ask GitHub's REST API, and never in a way that could redeliver twice.

The only importer of PyGithub.
"""

import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

from github import Auth, Github
from requests import RequestException
from urllib3.util import Retry

import redeliver
from redeliver.answer import Answer, Purpose, failure
from redeliver.errors import UnavailableError

TIMEOUT_SECONDS = 30

# A redelivery whose reply was lost may have been queued all the same, so a POST must
# never be repeated: not by its method, and not as an "other" error either, which is what
# urllib3 makes of a TLS connection that breaks after the request was sent. A connection
# that could not even be opened is tried again for every method. PATCH sets a variable to
# a value, and may be repeated.
RETRY_ALL_BUT_POST = Retry(
    connect=3,
    read=3,
    status=3,
    other=0,
    backoff_factor=0.5,
    backoff_jitter=0.5,
    allowed_methods={"GET", "PATCH"},
    status_forcelist=range(500, 600),
    raise_on_status=False,
    respect_retry_after_header=False,
)

# PyGithub and urllib3 log whatever comes in, unfiltered, and the runner would obey it.
logging.getLogger("github").setLevel(logging.CRITICAL + 1)
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


class Api:
    """GitHub's REST API at `url`, as the token in the input `token_input` may use it."""

    def __init__(self, token: str, *, token_input: str, url: str) -> None:
        self._token_input = token_input
        self._host = urlsplit(url).netloc
        self._requester = Github(
            auth=Auth.Token(token),
            base_url=url,
            timeout=TIMEOUT_SECONDS,
            retry=RETRY_ALL_BUT_POST,
            # How fast to ask is decided in one place, pace.py.
            seconds_between_requests=None,
            seconds_between_writes=None,
            user_agent=f"redeliver/{redeliver.__version__}",
        ).requester

    def ask(
        self,
        method: str,
        path: str,
        purpose: Purpose,
        *,
        expect: set[int],
        parameters: Mapping[str, str | int] | None = None,
        body: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request, and return the answer if its status is one of `expect`.

        Any other answer raises: `AccessError` when the token falls short,
        `RateLimitError`, or else `UnavailableError`, also when there is no answer.
        """
        try:
            # Not requestJsonAndCheck: that takes a redirect for an answer.
            status, headers, text = self._requester.requestJson(
                method, path, dict(parameters or {}), input=body
            )
        except (RequestException, ValueError, RuntimeError) as error:
            # RuntimeError is PyGithub's for a redirect to elsewhere, ValueError for headers
            # that it cannot read. Their texts hold URLs, so only the kind is told.
            raise UnavailableError(
                f"cannot {purpose.to}: no usable answer from {self._host} ({type(error).__name__})"
            ) from None
        answer = Answer(purpose=purpose, status=status, headers=headers, text=text)
        if status not in expect:
            raise failure(answer, self._token_input)
        return answer

"""Hand one event to a receiver: one real HTTP POST, in GitHub's words for how it went."""

import hashlib
import hmac
import json
import time

import aiohttp

from github_sandbox.log import AttemptResult, Event
from github_sandbox.world import HookState


async def deliver(
    session: aiohttp.ClientSession, hook: HookState, event: Event, *, patience: float
) -> AttemptResult:
    """POST the event to the hook's receiver, who has `patience` seconds to answer."""
    body = json.dumps(event.payload).encode()
    headers = _headers(hook, event, body)
    began = time.monotonic()

    def attempt(
        status: str,
        status_code: int,
        response_headers: dict[str, str] | None = None,
        response_body: str = "",
    ) -> AttemptResult:
        return AttemptResult(
            status=status,
            status_code=status_code,
            duration=round(time.monotonic() - began, 2),
            request_headers=headers,
            response_headers=response_headers or {},
            response_body=response_body,
        )

    try:
        async with session.post(
            hook.url,
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=patience),
        ) as response:
            text = await response.text(errors="replace")
    except TimeoutError:
        return attempt("timed out", 504)
    except aiohttp.ClientConnectorError:
        return attempt("failed to connect to host", 502)
    except aiohttp.ClientError as error:
        # GitHub passes on what its HTTP client says, and with it the whole URL.
        return attempt(f"POST {hook.url} giving up after 1 attempt(s): {error}", 500)
    ok = response.ok and response.status < 300  # noqa: PLR2004 - the end of "successful"
    return attempt(
        "OK" if ok else f"Invalid HTTP Response: {response.status}",
        response.status,
        dict(response.headers),
        text,
    )


def _headers(hook: HookState, event: Event, body: bytes) -> dict[str, str]:
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/5a4db0c",
        "X-GitHub-Delivery": event.guid,
        "X-GitHub-Event": event.name,
        "X-GitHub-Hook-ID": str(hook.id),
        "X-GitHub-Hook-Installation-Target-ID": str(hook.owner.id),
        "X-GitHub-Hook-Installation-Target-Type": hook.owner.kind,
    }
    if hook.secret is not None:
        key = hook.secret.encode()
        headers["X-Hub-Signature"] = f"sha1={hmac.new(key, body, hashlib.sha1).hexdigest()}"
        headers["X-Hub-Signature-256"] = f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"
    return headers

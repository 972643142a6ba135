"""Send one event to a receiver by HTTP POST, and return the result as GitHub's log has it."""

import hashlib
import hmac
import json
import time
from http import HTTPStatus

import aiohttp

from github_sandbox.model.delivery import AttemptResult, Event
from github_sandbox.model.entities import HookState


async def send_event(
    session: aiohttp.ClientSession, hook: HookState, event: Event, *, receiver_timeout: float
) -> AttemptResult:
    """Send the event to the hook's receiver, which has `receiver_timeout` seconds to respond."""
    body = json.dumps(event.payload).encode()
    headers = _headers(hook, event, body)
    began = time.monotonic()

    def result(
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
            timeout=aiohttp.ClientTimeout(total=receiver_timeout),
        ) as response:
            text = await response.text(errors="replace")
    except TimeoutError:
        return result("timed out", 504)
    except aiohttp.ClientConnectorError:
        return result("failed to connect to host", 502)
    except aiohttp.ClientError as error:
        # GitHub quotes the error of its HTTP client, which contains the whole URL.
        return result(f"POST {hook.url} giving up after 1 attempt(s): {error}", 500)
    is_success = response.status < HTTPStatus.MULTIPLE_CHOICES
    return result(
        "OK" if is_success else f"Invalid HTTP Response: {response.status}",
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

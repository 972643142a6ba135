"""GitHub's error responses."""

from aiohttp import web


class ApiError(Exception):
    """The API refuses a request."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers

    def response(self) -> web.Response:
        """Return GitHub's response for this error."""
        body = error_body(self.status, self.message)
        if self.errors is not None:
            body["errors"] = self.errors
        return web.json_response(body, status=self.status, headers=self.headers)


def not_found() -> ApiError:
    """Return the error for an object that does not exist, or that the client may not see."""
    return ApiError(404, "Not Found")


def error_body(status: int, message: str) -> dict[str, str]:
    """Return the JSON body of GitHub's error responses."""
    return {
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": str(status),
    }

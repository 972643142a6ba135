"""The errors of a run that its user can act on.

* RedeliverError        ends the run with exit status 1; the command has `cli.main.STATUS_OF`
  * InputError          an input or a flag is wrong
  * CheckpointError     the variable or the file holds something that is not a checkpoint
  * FileError           the file of the checkpoint or of metrics cannot be read or written
  * BusyError           another run uses the same checkpoint file
  * AccessError         the token lacks a permission
  * UnavailableError    GitHub sent no response, or one that cannot be used
    * LateError         a write of the checkpoint had to wait, so it was not sent
    * RateLimitError    GitHub is rate limiting requests
    * UnreachableError  GitHub sent no response
      * TooLongError    the run has waited too long, so it did not send this request
  * RefusalError        GitHub refused one redelivery; the run continues

A message says what is wrong and what to do about it. Any other exception is a bug, and its
traceback is printed.

Not a RedeliverError, because no `except Exception` may catch it:

* Interrupted           a signal stops the run, with exit status 128 + the signal
"""

from signal import Signals


class RedeliverError(Exception):
    """An error that the user can act on; its message says how."""


class InputError(RedeliverError):
    """An input or a flag is wrong; no request was sent."""


class CheckpointError(RedeliverError):
    """The variable or the file holds something that is not a checkpoint; it was not changed."""


class FileError(RedeliverError):
    """The file of the checkpoint or of metrics cannot be read or written."""


class BusyError(RedeliverError):
    """Another run uses the same checkpoint file."""


class AccessError(RedeliverError):
    """The token lacks a permission."""


class UnavailableError(RedeliverError):
    """GitHub sent no response, or one that cannot be used."""

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message
        """What happened, if possible without what was tried and what to do."""


class LateError(UnavailableError):
    """A write of the checkpoint had to wait. It was not sent: another run may have written it."""


class RateLimitError(UnavailableError):
    """GitHub is rate limiting requests."""


class UnreachableError(UnavailableError):
    """GitHub sent no response, and the next request will probably get none either."""


class TooLongError(UnreachableError):
    """The run has waited for GitHub as long as it may, so it did not send this request."""


class RefusalError(RedeliverError):
    """GitHub refused one redelivery; it may accept others."""

    def __init__(self, message: str, *, if_all: RedeliverError | None = None) -> None:
        super().__init__(message)
        self.if_all = if_all
        """What is wrong if all redeliveries are refused; None if only this one can be."""


class Interrupted(BaseException):
    """A signal stops the run."""

    def __init__(self, signal: Signals) -> None:
        super().__init__(signal.name)
        self.signal = signal

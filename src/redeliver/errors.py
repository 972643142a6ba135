"""Everything a run can fail with that its user can act on.

* RedeliverError        one error in the log; exit status 1, and of the command `cli.main.STATUS_OF`
  * InputError          the inputs, or the flags, are wrong
  * CheckpointError     the variable, or the file, holds something that is no checkpoint
  * FileError           the checkpoint's file cannot be read or written
  * BusyError           another run is at it with the same file
  * AccessError         the token may not do what was asked of it
  * UnavailableError    GitHub gave no answer, or none that can be used
    * RateLimitError    GitHub wants no more requests for now
  * RefusalError        GitHub turned down one redelivery; the run goes on

A message is advice: what is wrong, and what to do about it. Whatever else
escapes is a bug, and keeps its traceback.

Beside them, because no `except Exception` on its way may swallow it:

* Interrupted           the run was told to stop, exit status 128 + the signal
"""

from signal import Signals


class RedeliverError(Exception):
    """Something the user can act on; its message says how."""


class InputError(RedeliverError):
    """The inputs, or the flags, are wrong; nothing was asked of GitHub."""


class CheckpointError(RedeliverError):
    """The variable, or the file, holds something that is no checkpoint; it is left as it is."""


class FileError(RedeliverError):
    """The checkpoint's file cannot be read or written."""


class BusyError(RedeliverError):
    """Another run is at it with the same file."""


class AccessError(RedeliverError):
    """The token may not do what was asked of it."""


class UnavailableError(RedeliverError):
    """GitHub gave no answer, or none that can be used."""


class RateLimitError(UnavailableError):
    """GitHub wants no more requests for now."""


class RefusalError(RedeliverError):
    """GitHub turned down one redelivery; the others may still be accepted."""


class Interrupted(BaseException):
    """The run has to stop at once, because of `signal`."""

    def __init__(self, signal: Signals) -> None:
        super().__init__(signal.name)
        self.signal = signal

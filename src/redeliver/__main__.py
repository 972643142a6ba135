"""Start the command if there are arguments, else the action."""

import gc
import os
import signal
import sys

from redeliver.interruption import SIGNALS

# A run that has not begun has nothing to tell. Without this SIGINT would leave a traceback, and the
# first process of a container would not hear SIGTERM.
for handled in SIGNALS:
    signal.signal(handled, lambda number, _frame: os._exit(128 + number))

# What is imported stays until the end. To look through it for garbage, while it comes in and once
# more at the end, would take a fifth of the time of a run that finds nothing to do.
gc.disable()
if len(sys.argv) > 1:
    from redeliver.cli.main import main
else:
    from redeliver.action import main
gc.freeze()
gc.enable()

sys.exit(main())

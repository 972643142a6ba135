"""Start the command if there are arguments, else the action."""

import gc
import os
import signal
import sys

from redeliver.deferred_imports import PACKAGES, defer_imports
from redeliver.interruption import SIGNALS

# Before the run begins, a signal ends the process silently. By default, SIGINT would print a
# traceback, and the first process of a container would ignore SIGTERM.
for handled in SIGNALS:
    signal.signal(handled, lambda number, _frame: os._exit(128 + number))

# Imported modules live until the process ends. Collecting garbage among them, during the imports
# and again at exit, would take a fifth of the time of a run that finds nothing to do.
gc.disable()
defer_imports(*PACKAGES)
if len(sys.argv) > 1:
    from redeliver.cli.main import main
else:
    from redeliver.action import main
gc.freeze()
gc.enable()

sys.exit(main())

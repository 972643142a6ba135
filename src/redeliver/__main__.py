"""Pick the door: with arguments that of a terminal, else that of a step in a workflow."""

import gc
import sys

# What is imported stays until the end. To look through it for garbage, while it comes in and once
# more at the end, would take a fifth of the time of a run that finds nothing to do.
gc.disable()
if len(sys.argv) > 1:
    from redeliver.cli import main
else:
    from redeliver.action import main
gc.freeze()
gc.enable()

sys.exit(main())

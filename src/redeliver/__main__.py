"""Pick the door: with arguments that of a terminal, else that of a step in a workflow."""

import sys

if len(sys.argv) > 1:
    from redeliver.cli import main
else:
    from redeliver.action import main

sys.exit(main())

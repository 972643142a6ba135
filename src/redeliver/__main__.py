"""Run the program."""

import sys

from redeliver import action

sys.exit(action.main())

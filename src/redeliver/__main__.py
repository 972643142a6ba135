"""Run the program: the one place that looks at the clock."""

import sys
from datetime import UTC, datetime

from redeliver import action

sys.exit(action.main(now=datetime.now(UTC)))

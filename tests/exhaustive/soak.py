"""How many random examples the tests try."""

import os

SOAK = int(os.environ.get("SOAK", "1"))
"""The factor for the number of examples, which `make soak` sets."""

"""How long the tests run that try things at random or at every point."""

import os

SOAK = int(os.environ.get("SOAK", "1"))
"""How many times as many examples as usual; `make soak` sets it."""

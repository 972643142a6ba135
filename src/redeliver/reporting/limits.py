"""How much text the summary and the JSON report may hold; the log has all of it."""

MAX_TEXT = 2000
"""Characters of a problem or a warning."""

MAX_REASON = 300
"""Characters of a reason, or of one webhook's error."""

MAX_LINES = 20
"""How many warnings, reasons and webhooks."""

"""What this GitHub has: its state, the delivery logs, the rate limits. No HTTP."""

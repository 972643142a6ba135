"""The state of the miniature GitHub: accounts, hooks, delivery logs, rate limits. No HTTP."""

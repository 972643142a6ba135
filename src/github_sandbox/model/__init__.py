"""The state of the simulated GitHub: accounts, hooks, delivery logs, rate limits. No HTTP."""

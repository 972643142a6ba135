"""The command `python -m github_sandbox`: flags, a scene to try redeliver on, typed commands."""

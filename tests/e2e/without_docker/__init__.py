"""Tests with real programs: act, Docker, cron, systemd and a browser."""

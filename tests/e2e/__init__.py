"""Tests with real programs: workflows in act, the image in Docker, cron and systemd, a browser."""

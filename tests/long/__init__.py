"""Tests that take minutes: runs for a week, broken handshakes, and a thousand runs."""

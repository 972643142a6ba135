"""Tests that take minutes: runs for days and weeks, broken handshakes, and a thousand runs."""

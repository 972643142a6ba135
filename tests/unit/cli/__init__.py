"""Tests of redeliver.cli."""

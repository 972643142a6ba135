"""Tests of redeliver.engine."""

"""Tests of redeliver.core."""

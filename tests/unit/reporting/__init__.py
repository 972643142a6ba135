"""Tests of redeliver.reporting."""

"""Tests at every point of a run, or with random input."""

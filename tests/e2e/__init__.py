"""Tests of the action in real workflows, with act and a Docker engine."""

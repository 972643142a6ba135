"""Deliver events to receivers over HTTP, and log each attempt."""

"""Deliver events to receivers over HTTP, and log how that went."""

"""Servers that run in threads of their own."""

"""Claims about the servers that run in threads."""

"""Claims about the REST API."""

"""Claims about the state behind the API, seen through the API."""

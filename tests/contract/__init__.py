"""Requests and answers of the other tests, held to the descriptions that GitHub gives."""

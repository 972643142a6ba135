"""Find the failed deliveries of a GitHub webhook and redeliver them."""

__version__ = "1.0.0"

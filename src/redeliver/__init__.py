"""Find the failed deliveries of a GitHub webhook and redeliver them."""

__version__ = "0.1.0"

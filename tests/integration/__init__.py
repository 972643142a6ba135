"""redeliver over HTTP, against the sandbox."""

"""GitHub's REST API: requests, rate limits, credentials, webhooks and the checkpoint's variable."""

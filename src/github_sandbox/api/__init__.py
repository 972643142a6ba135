"""GitHub's REST API: the endpoints, and the authentication, limits and pages that they share."""

"""Compare the requests and responses of the other tests with GitHub's descriptions of its API."""

"""How fast redeliver is, and how cheap, beside the script in GitHub's documentation."""

"""What the repository says in several places agrees."""

"""Claims about what needs neither network nor process, and what all tests share."""

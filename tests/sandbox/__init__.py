"""Claims about GitHub in miniature: it is as strict as GitHub."""

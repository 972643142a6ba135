"""Claims about the program against GitHub in miniature, over HTTP."""

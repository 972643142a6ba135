"""Claims about single modules, which need neither network nor process."""

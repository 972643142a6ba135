"""Is GitHub in miniature as strict as GitHub?"""

"""Several runs over days of virtual time: every event has a fate, and is named if it is lost."""

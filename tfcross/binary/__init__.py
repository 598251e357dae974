"""Objects, archives and programs: what is in them, and what is missing."""

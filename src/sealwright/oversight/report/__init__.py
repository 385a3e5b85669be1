"""One HTML page per version: summary first, plots, every number linked to its statement."""

"""Each check of the quality examination, one to a file."""

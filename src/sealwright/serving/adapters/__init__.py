"""Outside inference engines behind the port in `engine.py`."""

"""The only ways in: the command line, the Python API, settings, wiring.

A door reads what a person or program said, hands it to a room, and words the answer. It decides nothing.
"""

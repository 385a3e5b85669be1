"""Attacks seen in the stream of events. Names: `sealwright.watch`."""

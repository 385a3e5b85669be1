"""Sealwright: make your own models securely, and prove it."""

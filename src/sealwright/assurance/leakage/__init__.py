"""Leakage of training rows: attacks on membership, and what their success says about privacy."""

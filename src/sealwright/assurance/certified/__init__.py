"""Bounds that hold for every attack: which rows no change within a budget can turn."""

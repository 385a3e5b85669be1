"""Checks, one idea per file. The table of suites names them."""

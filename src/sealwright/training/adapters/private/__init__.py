"""Recipes with differential privacy: bounded rows, counted noise, and graphs written here."""

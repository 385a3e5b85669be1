"""Judging a way of training, before there is a finished model: train again and again, each time on other rows."""

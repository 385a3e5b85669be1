"""Attacks on single rows: can somebody change a row, at a price, so that the model decides otherwise?"""

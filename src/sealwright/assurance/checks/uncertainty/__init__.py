"""How sure is it, row by row, and what is gained by leaving the unsure rows to a person?"""

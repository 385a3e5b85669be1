"""Is the data fit to learn from and to judge with?"""

"""What happens to decisions when the rows are a little wrong?"""

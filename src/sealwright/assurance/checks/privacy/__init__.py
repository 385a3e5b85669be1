"""What does the model give away about the rows it learned from?"""

"""What does the model look at, and in which direction?"""

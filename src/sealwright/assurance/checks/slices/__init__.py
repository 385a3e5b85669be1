"""Where is the model worse than elsewhere?"""

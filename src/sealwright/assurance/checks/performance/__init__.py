"""How good is the model, and how sure is that?"""

"""From which strain on does the model break?"""

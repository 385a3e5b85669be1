"""Files scored batch by batch: read as a server reads requests, decided as it decides, recorded as one entry a batch.

Answers: what do many rows become, in a few steps over whole columns?
Does not answer: where the rows come from, and where answers go. `pipeline` brings them and takes them.
"""

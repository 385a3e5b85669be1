"""Checking rows and answers of one version: what is odd about a row, how sure an answer is, and when there is none.

Answers: does a row keep the rules between its fields, how unusual is it, may this answer be told?
Does not answer: who is told how much. That is `disclosure`.
"""

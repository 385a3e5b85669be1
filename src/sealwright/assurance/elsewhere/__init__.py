"""Models and rows made elsewhere: what a notebook or a pipeline holds, taken as it is.

Answers: how is a scikit-learn estimator, a torch module, an ONNX file or a function judged on an array or a data frame?
Does not answer: who made it and from what. Nothing here was sealed, and a result names the rows, not a provenance.
"""

"""scikit-learn, Optuna, skl2onnx and ONNX Runtime, each behind functions of ours. Only confined children load them."""

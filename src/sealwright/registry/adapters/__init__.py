"""Outside frameworks of this room: ONNX Runtime, in a child process only."""

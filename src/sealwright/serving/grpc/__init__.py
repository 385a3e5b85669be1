"""The Open Inference Protocol over gRPC: HTTP/2 as far as gRPC needs it, and the service on top."""

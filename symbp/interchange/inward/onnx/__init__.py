"""ONNX models: read with care, and the table of their operators."""

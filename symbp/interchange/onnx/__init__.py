"""A network's equations as an ONNX graph.

Enters: a derivation, arrays of parameters. Leaves: an ONNX model. Must not know: networks' layers, ops by
their names; a table of the words that `codegen` writes arrays in is all that the way out rests on.
"""

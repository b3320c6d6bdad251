"""Networks of other tools, brought in: a foreign graph, a table of its operations, a declaration.

Enters: ONNX models, PyTorch modules. Leaves: `Imported`: a network, its arrays, its declaration as text.
Must not know: commands. Each step takes one frozen type and gives the next: `onnx` and `aten` read a foreign
graph (`graph`), `translate` walks it with a table and writes declaration and tensors side by side
(`writing`), `finishing` adds a loss.
"""

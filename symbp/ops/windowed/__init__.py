"""Windows that slide along axes: convolution, pooling, resizing.

Enters: tensors with spatial axes. Leaves: tensors. Must not know: how a window is computed.
"""

"""What a step is given beside parameters: data, buffers, random tensors."""

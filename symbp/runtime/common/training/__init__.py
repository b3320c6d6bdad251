"""Parameters, the state of training, steps, epochs, checks of gradients, files."""

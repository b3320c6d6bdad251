"""What the equations say of axes as a whole: which size counts examples, how long each must be."""

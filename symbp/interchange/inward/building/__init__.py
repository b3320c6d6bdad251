"""What both tables are made of: operations with their meaning spelled out, as calls of symbp's functions."""

"""to come"""
ARCHITECTURES = {}

"""to come"""
def program(seed): raise NotImplementedError

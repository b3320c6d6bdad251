from symbp.verify.grading.verdict import Slip
def slip(judge, answer): return None

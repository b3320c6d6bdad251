"""Training steps written by hand in NumPy, as good as we can make them: the yardstick for generated code.

Each module has `prepare(params, data, rule) -> Reference`; calling that is one training step in place
(forward, backward, update) and returns the loss before the update. `params` and `data` map the names of the
row's declaration to arrays, all of one float dtype but for labels and tokens; `rule` comes from `update`.

These are the only backward passes in the repository that a person wrote. They are what the derived ones are
compared with, in value (after PyTorch's autograd) and in time. What makes each of them competent stands at
its head; all of them keep parameters, gradients and moments in flat arrays, allocate nothing large within a
step, and leave to BLAS what BLAS can do: column sums, too, since `ones @ dz` is faster than `dz.sum(0)`.
"""

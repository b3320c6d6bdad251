"""Every network of the gallery learns what its entry says, in both targets alike."""

import math

import numpy as np
import pytest
from gallery_nets import TRAINED, derived, module

import symbp as bp

pytestmark = pytest.mark.slow
BATCH, STEPS = 16, 100
SHORTER = {"gpt": 5}  # epochs after which its figure is reached already
# the held-out figure that its file's own training reaches in the Numba target, and at least how well
LEARNED = {
    "neuron": ("accuracy", 0.95),
    "linear_regression": ("loss", -0.02),
    "logistic_regression": ("accuracy", 0.95),
    "mlp": ("accuracy", 0.97),
    "autoencoder": ("loss", -0.02),
    "vae": ("loss", -24),
    "cnn": ("accuracy", 0.98),
    "resnet_mlp": ("accuracy", 0.99),
    "char_rnn": ("accuracy", 0.43),
    "char_lstm": ("accuracy", 0.43),
    "char_gru": ("accuracy", 0.43),
    "gpt": ("exact", 0.99),
    "word2vec": ("found", 0.58),
    "ctc": ("exact", 0.7),
    "crf": ("accuracy", 0.75),
    "pinn": ("error", -0.02),
    "contrastive": ("found", 0.4),
    "moe": ("accuracy", 0.95),
    "ssm": ("accuracy", 0.99),
}


def fitted(name, target, *, seed=3):
    """The losses and the parameters after a number of steps on shuffled batches, the last one partial."""
    found, data = module(name, target), derived(name)[1]
    few = {key: array[: BATCH * (STEPS // 4) - 5] for key, array in data.items()}
    epochs = math.ceil(STEPS / math.ceil(len(next(iter(few.values()))) / BATCH))
    state = found.init_state(found.init_params(seed), seed=seed)
    history = found.fit(state, few, epochs=epochs, batch_size=BATCH)
    return [record["loss"] for record in history], state


@pytest.mark.few(slow=4)
@pytest.mark.parametrize("name", TRAINED)
def test_targets_agree_over_a_hundred_steps_and_the_loss_falls(name):
    losses, state = fitted(name, "numpy")
    others, other = fitted(name, "numba")
    assert state.step == STEPS
    np.testing.assert_allclose(others, losses, rtol=1e-12)
    assert losses[-1] < losses[0]
    scale = np.abs(state.params.flat).max()
    np.testing.assert_allclose(other.params.flat, state.params.flat, rtol=0, atol=1e-12 * scale)


@pytest.mark.few(slow=3)
@pytest.mark.parametrize("target", ["numpy", "numba"])
@pytest.mark.parametrize("name", ["cnn", "vae", "mlp", "contrastive"])
def test_the_same_seed_gives_the_same_numbers_whoever_schedules_them(name, target):
    """With dropout, with noise, in chunks of the batch, and without: to the last bit."""
    losses, state = fitted(name, target)
    again, same = fitted(name, target)
    assert losses == again
    np.testing.assert_array_equal(state.params.flat, same.params.flat)
    other, _ = fitted(name, target, seed=4)
    assert other != losses


@pytest.mark.few(slow=4)
@pytest.mark.parametrize("name", TRAINED)
def test_gradients_hold(name):
    exhibit, _, derivation, _ = derived(name)
    assert bp.check(exhibit.net, derivation=derivation).ok


@pytest.mark.few(slow=7)
@pytest.mark.parametrize("name", TRAINED)
def test_its_own_training_learns(name):
    exhibit, data, _, _ = derived(name)
    found = module(name, "numba")
    train, held = bp.data.split(data)
    state = found.init_state(found.init_params(0))
    found.fit(state, train, epochs=SHORTER.get(name, exhibit.epochs), batch_size=exhibit.batch_size)
    figure, least = LEARNED[name]
    reached = found.evaluate(state.params, state.buffers, **held)[figure]
    assert reached >= least if least > 0 else reached <= -least


def test_every_network_has_its_figure():
    assert list(LEARNED) == TRAINED

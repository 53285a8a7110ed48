#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Twin of surrogate/train in NumPy, float64: ten AdamW steps of a small ensemble of multilayer perceptrons.

Written from the formulas, not from the C code; the backward pass is derived by hand. Makes the golden file of
tests/unit/train/test_twin.c:

    python3 scripts/reference/mlp_twin.py > tests/unit/train/mlp_twin.json

members M = 2, x [6, 3] -> tanh [6] -> tanh [6] -> z [5] = two outputs of 1 and 4 values that weigh the same.
loss = sum over rows, members of sum_j share_j (z_j - t_j)^2;  the optimiser sees its gradient divided by the rows.
AdamW (Loshchilov, Hutter 2019): warm-up of 3 steps to 0.02, half a cosine to 0.001 at step 10; decay 0.05.
"""
import json
import math

import numpy as np

MEMBERS, ROWS, SIZES, STEPS, WARM_UP = 2, 6, [3, 6, 6, 5], 10, 3
RATE, LAST_RATE, DECAY, BETA1, BETA2, EPSILON = 0.02, 0.001, 0.05, 0.9, 0.999, 1e-8
SHARE = np.array([0.5, 0.125, 0.125, 0.125, 0.125])


def start():
    """weights[layer] [M, n_in, n_out], biases[layer] [M, n_out]: value i of array k is a sine of both."""
    weights, biases = [], []
    for layer, (n_in, n_out) in enumerate(zip(SIZES[:-1], SIZES[1:])):
        n = MEMBERS * n_in * n_out
        flat = 0.6 * np.sin(1.7 * np.arange(n) + 2 * layer)
        if layer == 0:  # stored as one block [n_in, M * n_out]
            weights.append(flat.reshape(n_in, MEMBERS, n_out).transpose(1, 0, 2).copy())
        else:
            weights.append(flat.reshape(MEMBERS, n_in, n_out).copy())
        biases.append((0.2 * np.sin(1.7 * np.arange(MEMBERS * n_out) + 2 * layer + 1)).reshape(MEMBERS, n_out))
    return weights, biases


def flatten(weights, biases):
    """the order of the C code's parameters: weight, bias of each layer; the first weight as [n_in, M * n_out]"""
    parts = []
    for layer, (w, b) in enumerate(zip(weights, biases)):
        parts += [(w.transpose(1, 0, 2) if layer == 0 else w).ravel(), b.ravel()]
    return np.concatenate(parts)


def loss_and_gradient(weights, biases, x, target):
    total, grad_w, grad_b = 0.0, [np.zeros_like(w) for w in weights], [np.zeros_like(b) for b in biases]
    for m in range(MEMBERS):
        hidden = [x]
        for layer in range(len(SIZES) - 2):
            hidden.append(np.tanh(hidden[-1] @ weights[layer][m] + biases[layer][m]))
        off = hidden[-1] @ weights[-1][m] + biases[-1][m] - target
        total += float(np.sum(SHARE * off * off))
        delta = 2 * SHARE * off
        for layer in reversed(range(len(SIZES) - 1)):
            grad_w[layer][m], grad_b[layer][m] = hidden[layer].T @ delta, delta.sum(0)
            if layer:
                delta = (delta @ weights[layer][m].T) * (1 - hidden[layer] ** 2)
    return total, grad_w, grad_b


def rate(step):
    if step < WARM_UP:
        return RATE * (step + 1) / WARM_UP
    return LAST_RATE + (RATE - LAST_RATE) * (1 + math.cos(math.pi * (step - WARM_UP) / (STEPS - WARM_UP))) / 2


def main():
    weights, biases = start()
    x = np.cos(0.9 * np.arange(ROWS * SIZES[0])).reshape(ROWS, SIZES[0])
    target = np.sin(0.4 + 1.3 * np.arange(ROWS * SIZES[-1])).reshape(ROWS, SIZES[-1])
    arrays = weights + biases
    moment1, moment2 = [np.zeros_like(a) for a in arrays], [np.zeros_like(a) for a in arrays]
    losses, golden = [], {}
    for step in range(STEPS):
        loss, grad_w, grad_b = loss_and_gradient(weights, biases, x, target)
        losses.append(loss)
        if step == 0:
            golden["gradient"] = flatten(grad_w, grad_b).tolist()
        for a, g, m, v in zip(arrays, grad_w + grad_b, moment1, moment2):
            g = g / ROWS
            m[...] = BETA1 * m + (1 - BETA1) * g
            v[...] = BETA2 * v + (1 - BETA2) * g * g
            m_hat, v_hat = m / (1 - BETA1 ** (step + 1)), v / (1 - BETA2 ** (step + 1))
            a -= rate(step) * (DECAY * a + m_hat / (np.sqrt(v_hat) + EPSILON))
        if step == 0:
            golden["first"] = flatten(weights, biases).tolist()
    golden["last"] = flatten(weights, biases).tolist()
    print(json.dumps({"loss": losses, **{k: [float("%.13g" % value) for value in v] for k, v in golden.items()}}))


if __name__ == "__main__":
    main()

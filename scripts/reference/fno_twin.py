#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Twin of surrogate/models/fno.c in PyTorch, float64, written in the usual way: rfft2, a complex matrix for each corner
mode, irfft2; gradients by autograd. Makes the golden file of tests/unit/models/test_fno.c:

    python3 scripts/reference/fno_twin.py > tests/unit/models/fno_twin.json

grid 9 x 10 that is not periodic (10 % padding: 10 x 11), 2 modes, width 4, 2 layers, head 5; x [2, 9, 10, 2] and one
value a row -> z [2, 9, 10, 2]. loss = sum (z - target)^2. Values of array k: see `fill`.
"""
import json

import torch
import torch.nn.functional as F

ROWS, NY, NX, CHANNELS, OUT, MODES, WIDTH, LAYERS, HEAD, PAD = 2, 9, 10, 2, 2, 2, 4, 2, 5, (10, 11)
torch.set_default_dtype(torch.float64)


def fill(shape, k, scale):
    n = 1
    for size in shape:
        n *= size
    return (scale * torch.sin(1.7 * torch.arange(n) + 2 * k)).reshape(shape)


def parameters():
    """in the order in which fno.c names them"""
    shapes = [("lift/bias", (WIDTH,)), ("lift/coordinates/weight", (1, 2, WIDTH)),
              ("lift/fields/weight", (1, CHANNELS, WIDTH)), ("lift/values/weight", (1, 1, WIDTH))]
    for layer in range(LAYERS):
        shapes += [(f"layer{layer + 1}/modes/weight", (2 * MODES * MODES, WIDTH, 2 * WIDTH)),
                   (f"layer{layer + 1}/weight", (1, WIDTH, WIDTH)), (f"layer{layer + 1}/bias", (WIDTH,))]
    shapes += [("head/weight", (1, WIDTH, HEAD)), ("head/bias", (HEAD,)),
               ("output/weight", (1, HEAD, OUT)), ("output/bias", (OUT,))]
    return {name: fill(shape, k, 0.4).requires_grad_() for k, (name, shape) in enumerate(shapes)}


def spectral(h, weight):
    """h [b, y, x, c]; rows of `weight` count (ky, kx), ky = 0, 1, -2, -1"""
    spectrum = torch.fft.rfft2(h, dim=(1, 2))
    w = weight.reshape(2 * MODES, MODES, WIDTH, 2 * WIDTH) * 0.5 ** 0.5
    w = torch.complex(w[..., :WIDTH], w[..., WIDTH:])
    mixed = torch.zeros_like(spectrum)
    mixed[:, :MODES, :MODES] = torch.einsum("byxi,yxio->byxo", spectrum[:, :MODES, :MODES], w[:MODES])
    mixed[:, -MODES:, :MODES] = torch.einsum("byxi,yxio->byxo", spectrum[:, -MODES:, :MODES], w[MODES:])
    return torch.fft.irfft2(mixed, s=h.shape[1:3], dim=(1, 2))


def model(p, x, values):
    places = torch.stack(torch.meshgrid(torch.linspace(0, 1, NY), torch.linspace(0, 1, NX), indexing="ij"), -1)
    h = x @ p["lift/fields/weight"][0] + (values @ p["lift/values/weight"][0])[:, None, None, :]
    h = h + places @ p["lift/coordinates/weight"][0] + p["lift/bias"]
    h = F.pad(h, (0, 0, 0, PAD[1] - NX, 0, PAD[0] - NY))
    for layer in range(LAYERS):
        name = f"layer{layer + 1}/"
        h = spectral(h, p[name + "modes/weight"]) + h @ p[name + "weight"][0] + p[name + "bias"]
        if layer < LAYERS - 1:
            h = F.gelu(h)
    h = h[:, :NY, :NX]
    return F.gelu(h @ p["head/weight"][0] + p["head/bias"]) @ p["output/weight"][0] + p["output/bias"]


def main():
    p = parameters()
    x = fill((ROWS, NY, NX, CHANNELS), 20, 1).requires_grad_()
    values, target = fill((ROWS, 1), 21, 1), fill((ROWS, NY, NX, OUT), 22, 1)
    z = model(p, x, values)
    loss = ((z - target) ** 2).sum()
    loss.backward()
    digits = lambda t: [float("%.13g" % v) for v in t.detach().reshape(-1).tolist()]
    gradient = torch.cat([q.grad.reshape(-1) for q in p.values()])
    print(json.dumps({"loss": [float(loss)], "z": digits(z[0, :, 3]), "gradient": digits(gradient),
                      "input": digits(x.grad[1, :, 4])}))


if __name__ == "__main__":
    main()

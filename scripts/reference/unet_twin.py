#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Twin of surrogate/models/unet.c in PyTorch, float64: value and gradient of two small networks.

Written from the formulas at the top of unet.c, not from its code. Makes the golden file of tests/unit/models/test_unet.c:

    python3 scripts/reference/unet_twin.py > tests/unit/models/unet_twin.json

Levels 2, width 2, two convolutions a block, kernel 3, x [2 rows, 4 x 6 points, 2 channels], 2 output channels.
    plain     zeros outside, GELU, max pooling
    physical  periodic, SiLU, layer norm, mean pooling, two parameters of the problem
Value i of the k-th parameter is 0.5 sin(1.7 i + k), in the order in which the network names them; x_i = cos(0.9 i), of the
values v_i = sin(0.3 + i). loss = sum_i z_i cos(0.4 i).
"""
import json

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
ROWS, GRID, CHANNELS, WIDTH, VALUES = 2, (4, 6), 2, 2, 2


class Parameters:
    """k-th array that is asked for"""
    def __init__(self):
        self.arrays = []

    def __call__(self, *shape):
        n = torch.Size(shape).numel()
        a = (0.5 * torch.sin(1.7 * torch.arange(n) + len(self.arrays))).reshape(shape).requires_grad_()
        self.arrays.append(a)
        return a


def convolution(p, x, n, periodic):
    """x [b, c, y, x]; weight [taps_y, taps_x, c, n]"""
    w = p(3, 3, x.shape[1], n)
    x = F.pad(x, (1, 1, 1, 1), mode="circular") if periodic else F.pad(x, (1, 1, 1, 1))
    return F.conv2d(x, w.permute(3, 2, 0, 1))


def block(p, x, n, physical, values):
    for i in range(2):
        x = convolution(p, x, n, physical)
        if physical:
            gain, shift = p(n), p(n)
            x = F.layer_norm(x.permute(0, 2, 3, 1), (n,), 1 + gain, shift, 1e-5).permute(0, 3, 1, 2)
        else:
            x = x + p(n)[None, :, None, None]
        if i == 0 and values is not None:
            both = values @ p(values.shape[1], 2 * n) + p(2 * n)
            x = x * (1 + both[:, :n, None, None]) + both[:, n:, None, None]
        x = F.silu(x) if physical else F.gelu(x)
    return x


def unet(p, x, physical, values):
    fine = block(p, x, WIDTH, physical, values)
    coarse = block(p, F.avg_pool2d(fine, 2) if physical else F.max_pool2d(fine, 2), 2 * WIDTH, physical, values)
    w = p(2, 2, WIDTH, 2 * WIDTH)
    up = F.conv_transpose2d(coarse, w.permute(3, 2, 0, 1), stride=2) + p(WIDTH)[None, :, None, None]
    h = block(p, torch.cat((up, fine), 1), WIDTH, physical, values)
    return h.permute(0, 2, 3, 1) @ p(WIDTH, CHANNELS) + p(CHANNELS), h.mean((2, 3))


def main():
    golden = {}
    for name in ("plain", "physical"):
        p = Parameters()
        n = ROWS * GRID[0] * GRID[1] * CHANNELS
        x = torch.cos(0.9 * torch.arange(n)).reshape(ROWS, *GRID, CHANNELS).permute(0, 3, 1, 2)
        values = torch.sin(0.3 + torch.arange(ROWS * VALUES)).reshape(ROWS, VALUES) if name == "physical" else None
        z, features = unet(p, x, name == "physical", values)
        loss = (z.reshape(-1) * torch.cos(0.4 * torch.arange(z.numel()))).sum()
        loss.backward()
        gradient = torch.cat([a.grad.reshape(-1) for a in p.arrays])
        for key, value in (("z", z), ("features", features), ("gradient", gradient)):
            golden[f"{name}/{key}"] = [float("%.12g" % v) for v in value.detach().reshape(-1).tolist()]
    print(json.dumps(golden))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""U-Net training step and inference: locum beside PyTorch (eager, channels last), one core, one run.

usage: unet_peers.py BUILD [2d | 3d]      with torch of requirements.txt; BUILD has bench/bench_unet

PyTorch is timed between two timings of locum, both in processor time of one thread; the ratio is PyTorch over the mean of
both (above 1: locum is faster). Same network: blocks of two 3^d convolutions and GELU, max pooling, transposed convolutions
with 2 taps and stride 2, skips, 1^d head; MSE, Adam (fused)."""
import sys

import peers

CASES = {"2d": (2, (32, 64, 128, 256), (8, 4, 64, 64), "b8"), "3d": (3, (16, 32, 64), (2, 4, 32, 32, 32), "b2")}


def network(torch, dim, widths, channels=4):
    nn, F = torch.nn, torch.nn.functional
    conv = (nn.Conv2d, nn.Conv3d)[dim - 2]
    up = (nn.ConvTranspose2d, nn.ConvTranspose3d)[dim - 2]
    pool = (F.max_pool2d, F.max_pool3d)[dim - 2]

    def block(a, b):
        return nn.Sequential(conv(a, b, 3, padding=1), nn.GELU(), conv(b, b, 3, padding=1), nn.GELU())

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.down = nn.ModuleList([block(a, b) for a, b in zip((channels,) + widths[:-1], widths)])
            self.up = nn.ModuleList([up(b, a, 2, 2) for a, b in zip(widths[:-1], widths[1:])])
            self.merge = nn.ModuleList([block(2 * a, a) for a in widths[:-1]])
            self.head = conv(widths[0], channels, 1)

        def forward(self, x):
            skips = []
            for level, layer in enumerate(self.down):
                x = layer(pool(x, 2) if level else x)
                skips.append(x)
            for level in reversed(range(len(self.up))):
                x = self.merge[level](torch.cat((self.up[level](x), skips[level]), 1))
            return self.head(x)
    return UNet()


def peer(case, training):
    import torch
    torch.set_num_threads(1)
    torch.manual_seed(0)
    dim, widths, shape, _ = CASES[case]
    layout = (torch.channels_last, torch.channels_last_3d)[dim - 2]
    model = network(torch, dim, widths).to(memory_format=layout)
    x, y = torch.randn(*shape).to(memory_format=layout), torch.randn(*shape).to(memory_format=layout)
    optimiser = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    infer, train = peers.steps(torch, model, optimiser, x, y)
    return f"torch {torch.__version__} eager, channels last", peers.timed(train if training else infer)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = sys.argv[1]
    print(peers.machine())
    for case in sys.argv[2:] or CASES:
        for what in ("infer", "train"):
            name = f"unet{case}_{what}_{CASES[case][3]}"
            before = peers.ours(build, "bench_unet", 3, name)[name]
            try:
                label, (median, least, repeats) = peer(case, what == "train")
            except ImportError as missing:
                print(f"{name:<18} skipped: {missing}")
                continue
            after = peers.ours(build, "bench_unet", 3, name)[name]
            mine = 0.5 * (before["median_ms"] + after["median_ms"])
            print(f"{name:<18} locum {mine:8.1f} ms ({before['gflops']:.0f} and {after['gflops']:.0f} GF/s, {100 * after['share']:.0f} % of peak)"
                  f"   {label} {median:8.1f} ms (least {least:.1f}, {repeats} repeats, {before['flops'] / median * 1e-6:.0f} GF/s)   ratio {median / mine:.2f}", flush=True)


if __name__ == "__main__":
    main()

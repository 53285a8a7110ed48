#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""U-Net training step and inference: locum beside PyTorch (eager, channels last), one core, one run.

usage: unet_peers.py BUILD [2d | 3d]      with torch of requirements.txt; BUILD has bench/bench_unet

PyTorch is timed between two timings of locum, both in processor time of one thread; the ratio is PyTorch over the mean of
both (above 1: locum is faster). Same network: blocks of two 3^d convolutions and GELU, max pooling, transposed convolutions
with 2 taps and stride 2, skips, 1^d head; MSE, Adam (fused)."""
import json
import os
import platform
import statistics
import subprocess
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
CORE = sorted(os.sched_getaffinity(0))[-1]
os.sched_setaffinity(0, {CORE})
CASES = {"2d": (2, (32, 64, 128, 256), (8, 4, 64, 64), "b8"), "3d": (3, (16, 32, 64), (2, 4, 32, 32, 32), "b2")}


def ours(build, case):
    out = subprocess.run([f"{build}/bench/bench_unet", "3", case], capture_output=True, text=True, check=True).stdout
    return json.loads(out.splitlines()[0])


def timed(call, budget=4.0):
    call()
    call()
    times, started = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - started < budget:
        a = time.process_time()
        call()
        times.append((time.process_time() - a) * 1e3)
    return statistics.median(times), min(times), len(times)


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

    def step():
        optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.mse_loss(model(x), y).backward()
        optimiser.step()

    def infer():
        with torch.inference_mode():
            model(x)
    return f"torch {torch.__version__} eager, channels last", timed(step if training else infer)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = sys.argv[1]
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.processor())
    print(f"machine {cpu}, core {CORE}, one thread")
    for case in sys.argv[2:] or CASES:
        for what in ("infer", "train"):
            name = f"unet{case}_{what}_{CASES[case][3]}"
            before = ours(build, name)
            try:
                label, (median, least, repeats) = peer(case, what == "train")
            except ImportError as missing:
                print(f"{name:<18} skipped: {missing}")
                continue
            after = ours(build, name)
            mine = 0.5 * (before["median_ms"] + after["median_ms"])
            print(f"{name:<18} locum {mine:8.1f} ms ({before['gflops']:.0f} and {after['gflops']:.0f} GF/s, {100 * after['share']:.0f} % of peak)"
                  f"   {label} {median:8.1f} ms (least {least:.1f}, {repeats} repeats, {before['flops'] / median * 1e-6:.0f} GF/s)   ratio {median / mine:.2f}", flush=True)


if __name__ == "__main__":
    main()

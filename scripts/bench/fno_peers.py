#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Fourier neural operator, inference and training step: locum beside PyTorch (compiled and eager, the code of Li et al.) and
neuraloperator, one core, one run.

usage: fno_peers.py BUILD [SECONDS]      with torch and neuraloperator of requirements.txt; BUILD has bench/bench_fno

Each peer is timed between two timings of locum, all in processor time of one thread; the ratio is peer over the mean of both
(above 1: locum is faster). Same network: 64 x 64 points, batch 16, 10 channels, 1x1 lift to 32, 4 layers of 12 modes, head
32 -> 128 -> 1, GELU; mean square loss, Adam."""
import sys

import peers

MODES, WIDTH, CHANNELS, BATCH, POINTS = 12, 32, 10, 16, 64


def plain(torch):
    """truncated rfft2, a complex matrix a mode, irfft2: Z. Li et al., arXiv:2010.08895"""
    nn, F = torch.nn, torch.nn.functional

    class Spectral(nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = nn.ParameterList([nn.Parameter(torch.rand(WIDTH, WIDTH, MODES, MODES, dtype=torch.cfloat)
                                                          / WIDTH**2) for _ in range(2)])

        def forward(self, x):
            spectrum = torch.fft.rfft2(x)
            out = torch.zeros_like(spectrum)
            for weight, rows in zip(self.weights, (slice(0, MODES), slice(-MODES, None))):
                out[:, :, rows, :MODES] = torch.einsum("bixy,ioxy->boxy", spectrum[:, :, rows, :MODES], weight)
            return torch.fft.irfft2(out, s=x.shape[-2:])

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.lift = nn.Conv2d(CHANNELS, WIDTH, 1)
            self.far = nn.ModuleList([Spectral() for _ in range(4)])
            self.near = nn.ModuleList([nn.Conv2d(WIDTH, WIDTH, 1) for _ in range(4)])
            self.head = nn.Sequential(nn.Conv2d(WIDTH, 128, 1), nn.GELU(), nn.Conv2d(128, 1, 1))

        def forward(self, x):
            x = self.lift(x)
            for i, (far, near) in enumerate(zip(self.far, self.near)):
                x = far(x) + near(x)
                x = F.gelu(x) if i < 3 else x
            return self.head(x)
    return Network()


def networks(torch):
    """[name, function that makes the network and what is called]"""
    def compiled():
        model = plain(torch)
        return model, torch.compile(model, dynamic=False)

    def eager():
        model = plain(torch)
        return model, model

    def neural_operator():
        from neuralop.models import FNO
        model = FNO(n_modes=(2 * MODES, 2 * MODES), hidden_channels=WIDTH, in_channels=CHANNELS, out_channels=1, n_layers=4,
                    positional_embedding=None)
        return model, model
    version = torch.__version__
    return [("neuraloperator", neural_operator), (f"torch {version} eager", eager), (f"torch {version} compiled", compiled)]


def measure(torch, make, case, seconds):
    torch.manual_seed(0)
    model, call = make()
    x, y = torch.randn(BATCH, CHANNELS, POINTS, POINTS), torch.randn(BATCH, 1, POINTS, POINTS)
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)

    infer, train = peers.steps(torch, call, optimiser, x, y)
    return peers.timed(infer if "infer" in case else train, seconds)


def main():
    import torch
    torch.set_num_threads(1)
    build, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 4.0
    print(peers.machine())
    before = peers.ours(build, "bench_fno", seconds)
    for name, make in networks(torch):
        for case in ("fno2d_infer_b16", "fno2d_train_b16"):
            try:
                median, least, _ = measure(torch, make, case, seconds)
            except ImportError as error:
                print(f"{case:16} {name}: absent ({error})")
                continue
            after = peers.ours(build, "bench_fno", seconds)
            mean = (before[case]["median_ms"] + after[case]["median_ms"]) / 2
            print(f"{case:16} {name:24} {median:8.1f} ms   locum {mean:7.1f} ms, {after[case]['gflops']:5.1f} GF/s, "
                  f"{100 * after[case]['share']:4.0f} % of peak   ratio {median / mean:5.2f}   "
                  f"of the fastest {least / after[case]['min_ms']:5.2f}", flush=True)
            before = after


if __name__ == "__main__":
    main()

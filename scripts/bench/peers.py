# SPDX-License-Identifier: BSD-3-Clause
"""What comparisons of networks on grids with PyTorch share: one core, one thread, processor time. Import it before torch."""
import json
import os
import platform
import statistics
import subprocess
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
CORE = sorted(os.sched_getaffinity(0))[-1]
os.sched_setaffinity(0, {CORE})


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
               platform.processor() or platform.machine())
    return f"machine {cpu}, core {CORE}, one thread, load {os.getloadavg()[0]:.1f}"


def ours(build, bench, *arguments):
    """{case: line} of one run of our bench"""
    out = subprocess.run([f"{build}/bench/{bench}", *map(str, arguments)], capture_output=True, text=True, check=True).stdout
    rows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return {row["case"]: row for row in rows}


def timed(call, budget=4.0):
    """median and smallest time in ms of call(), and how many there were"""
    for _ in range(3):
        call()
    times, started = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - started < budget:
        a = time.process_time()
        call()
        times.append((time.process_time() - a) * 1e3)
    return statistics.median(times), min(times), len(times)


def steps(torch, call, optimiser, x, y):
    """(inference, training step): call(x) beside y, mean square loss"""
    def infer():
        with torch.inference_mode():
            call(x)

    def train():
        optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.mse_loss(call(x), y).backward()
        optimiser.step()
    return infer, train

#!/usr/bin/env python3
"""MLP inference and training step: locum beside ONNX Runtime, PyTorch (compiled) and JAX, one core, one run.

usage: mlp_peers.py BUILD      with the packages of requirements.txt; BUILD has bench/bench_mlp

Each peer is timed between two timings of locum, so that a drift of the machine shows; the ratio is peer over the mean of both.
Weights and inputs are random but alike in shape: 8-64-64-64-4 tanh inference; 8-128-128-128-4 tanh, Adam, batch 256 training."""
import json
import os
import platform
import statistics
import subprocess
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ.pop("OPENBLAS_CORETYPE", None)
os.environ.setdefault("JAX_PLATFORMS", "cpu")
CORE = sorted(os.sched_getaffinity(0))[-1]
os.sched_setaffinity(0, {CORE})


def timed(call, budget=2.0):
    """median and smallest time in microseconds of call(), at least 20 repeats"""
    call()
    inner, started = 1, time.perf_counter()
    call()
    one = max(time.perf_counter() - started, 1e-7)
    inner = max(1, int(2e-4 / one))
    times, started = [], time.perf_counter()
    while len(times) < 20 or time.perf_counter() - started < budget:
        a = time.perf_counter()
        for _ in range(inner):
            call()
        times.append((time.perf_counter() - a) / inner * 1e6)
    return statistics.median(times), min(times), len(times)


def ours(build):
    """{case: median us} of one run of our bench"""
    out = subprocess.run([f"{build}/bench/bench_mlp"], capture_output=True, text=True, check=True).stdout
    rows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return {row["case"]: row["median_us"] for row in rows if "median_us" in row}


def onnx_model(sizes, batch):
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper, TensorProto
    random = np.random.default_rng(0)
    nodes, weights, current = [], [], "x"
    for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:])):
        last = i == len(sizes) - 2
        weights += [numpy_helper.from_array((random.normal(size=(a, b)) / a**0.5).astype("f4"), f"w{i}"),
                    numpy_helper.from_array(np.zeros(b, "f4"), f"b{i}")]
        nodes.append(helper.make_node("Gemm", [current, f"w{i}", f"b{i}"], ["y" if last else f"g{i}"]))
        if not last:
            nodes.append(helper.make_node("Tanh", [f"g{i}"], [f"t{i}"]))
            current = f"t{i}"
    graph = helper.make_graph(nodes, "mlp", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, sizes[0]])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, sizes[-1]])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model.SerializeToString()


def onnx_runtime(batch):
    import numpy as np
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_model([8, 64, 64, 64, 4], batch), options, providers=["CPUExecutionProvider"])
    x, binding = np.random.default_rng(1).normal(size=(batch, 8)).astype("f4"), session.io_binding()
    out = np.empty((batch, 4), "f4")
    binding.bind_cpu_input("x", x)
    binding.bind_output("y", "cpu", 0, np.float32, out.shape, out.ctypes.data)
    plain, bound = timed(lambda: session.run(None, {"x": x})), timed(lambda: session.run_with_iobinding(binding))
    return f"onnxruntime {onnxruntime.__version__}", min(plain, bound)


def torch_step():
    import torch
    torch.set_num_threads(1)
    sizes = [8, 128, 128, 128, 4]
    layers = []
    for a, b in zip(sizes[:-1], sizes[1:]):
        layers += [torch.nn.Linear(a, b), torch.nn.Tanh()]
    model = torch.nn.Sequential(*layers[:-1])
    optimiser = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    x, y, compiled = torch.randn(256, 8), torch.randn(256, 4), torch.compile(model, dynamic=False)

    def step():
        optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.mse_loss(compiled(x), y).backward()
        optimiser.step()
    for _ in range(20):
        step()
    return f"torch {torch.__version__} compiled", timed(step)


def jax_step():
    import jax
    import jax.numpy as jnp
    import numpy as np
    random = np.random.default_rng(0)
    sizes = [8, 128, 128, 128, 4]
    parameters = [(jnp.asarray(random.normal(size=(a, b)) / a**0.5, jnp.float32), jnp.zeros(b)) for a, b in zip(sizes[:-1], sizes[1:])]
    x, y = jnp.asarray(random.normal(size=(256, 8)), jnp.float32), jnp.asarray(random.normal(size=(256, 4)), jnp.float32)

    def loss(p):
        h = x
        for w, b in p[:-1]:
            h = jnp.tanh(h @ w + b)
        return jnp.mean((h @ p[-1][0] + p[-1][1] - y) ** 2)

    @jax.jit
    def step(state):
        p, m, v, t = state
        g = jax.grad(loss)(p)
        t = t + 1
        each = jax.tree_util.tree_map
        m = each(lambda a, b: 0.9 * a + 0.1 * b, m, g)
        v = each(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)
        p = each(lambda a, b, c: a - 1e-3 * (b / (1 - 0.9**t)) / (jnp.sqrt(c / (1 - 0.999**t)) + 1e-8), p, m, v)
        return p, m, v, t
    zeros = jax.tree_util.tree_map(jnp.zeros_like, parameters)
    state = [(parameters, zeros, zeros, jnp.float32(0))]

    def call():
        state[0] = step(state[0])
        jax.block_until_ready(state[0])
    return f"jax {jax.__version__} jit", timed(call)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    build = sys.argv[1]
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.processor())
    print(f"machine {cpu}, core {CORE}, one thread, python {platform.python_version()}")
    print(f"{'case':<18} {'peer':<26} {'peer us':>9} {'min':>9} {'repeats':>8} {'locum us':>9} {'before/after':>13} {'ratio':>6}")
    cases = [("infer_b1", lambda: onnx_runtime(1)), ("infer_b32", lambda: onnx_runtime(32)), ("infer_b256", lambda: onnx_runtime(256)),
             ("infer_b4096", lambda: onnx_runtime(4096)), ("train_b256", torch_step), ("train_b256", jax_step)]
    for case, peer in cases:
        before = ours(build)[case]
        try:
            name, (median, least, repeats) = peer()
        except ImportError as missing:
            print(f"{case:<18} skipped: {missing}")
            continue
        after = ours(build)[case]
        mine = 0.5 * (before + after)
        print(f"{case:<18} {name:<26} {median:9.2f} {least:9.2f} {repeats:8d} {mine:9.2f} {after / before:13.2f} {median / mine:6.2f}")


if __name__ == "__main__":
    main()

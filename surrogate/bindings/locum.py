# SPDX-License-Identifier: BSD-3-Clause
"""locum.py - surrogates in Python: one file, ctypes and NumPy.

    import locum
    s = locum.Surrogate("model.safetensors")
    p = s.predict({"viscosity": [0.01, 0.02], "drag": [0.1, 0.1]}, coverage=0.9)
    p["energy"], p.lower["energy"], p.upper["energy"], p.flag          # one row a sample; flag 0: nothing speaks against it
    r = s.roll({"viscosity": 0.01, "vorticity": w}, steps=100)         # step models: r["vorticity"] is [steps, rows, nx, ny]

An array of inputs has the rows first, then the dimensions of the port: [rows, nx, ny]; one row may leave the first out. float32 and
float64 arrays are read where they lie if one stride describes a row, others are copied. Answers are float64 (predict) and float32 (roll).

The library is looked for in $LOCUM_LIBRARY, beside this file's prefix (../../lib*/), and where the loader looks. A Surrogate must not be
used by two threads at once; several of them may. Left out: opening from memory, allocators (see locum/model.h).
"""
import ctypes
import ctypes.util
import glob
import os
from collections import namedtuple

import numpy as np

__all__ = ["Surrogate", "Prediction", "Port", "LocumError", "RANGE", "DISTANCE", "SPREAD", "NOT_FINITE", "RESIDUAL"]

# bits of a flag (model.h)
RANGE, DISTANCE, SPREAD, NOT_FINITE, RESIDUAL = 1, 2, 4, 8, 16
_OK, _STOPPED = 0, 1
_FLOAT64, _FLOAT32 = 0, 1
_DIMS = 4


class LocumError(RuntimeError):
    """What the library said; `status` is the name of its code, for example LOCUM_DAMAGED."""

    def __init__(self, status, message):
        super().__init__("%s: %s" % (status, message))
        self.status = status


Port = namedtuple("Port", "name text unit shape axis_names axes lower upper")
Port.__doc__ = "An input or output: shape of one row, coordinates of its axes (or None), range in training."


class _Port(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("text", ctypes.c_char_p), ("unit", ctypes.c_char_p), ("n_dims", ctypes.c_int),
                ("dims", ctypes.c_int64 * _DIMS), ("extent", ctypes.c_int64), ("axis_name", ctypes.c_char_p * _DIMS),
                ("axis", ctypes.POINTER(ctypes.c_double) * _DIMS), ("lower", ctypes.c_double), ("upper", ctypes.c_double)]


class _Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("type", ctypes.c_int), ("row_stride", ctypes.c_int64), ("stride", ctypes.c_int64)]


class _Trust(ctypes.Structure):
    _fields_ = [("coverage", ctypes.c_double), ("lower", ctypes.POINTER(_Buffer)), ("upper", ctypes.POINTER(_Buffer)),
                ("flag", ctypes.c_void_p), ("p_value", ctypes.c_void_p), ("lead", ctypes.c_int64)]


class _RollFrame(ctypes.Structure):
    _rows = ctypes.POINTER(ctypes.POINTER(ctypes.c_float))
    _fields_ = [("lead", ctypes.c_int64), ("time", ctypes.c_double), ("values", _rows), ("lower", _rows), ("upper", _rows),
                ("flag", ctypes.POINTER(ctypes.c_uint32))]


_Handler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_RollFrame))


def _find_library():
    here = os.path.dirname(os.path.abspath(__file__))
    if os.environ.get("LOCUM_LIBRARY"):
        return os.environ["LOCUM_LIBRARY"]
    for pattern in ("lib*/liblocum.so", "lib/*/liblocum.so", "lib*/liblocum.dylib"):
        found = sorted(glob.glob(os.path.join(here, "..", "..", pattern)))
        if found:
            return found[0]
    return ctypes.util.find_library("locum") or "liblocum.so"


def _load(path):
    library = ctypes.CDLL(path or _find_library())
    p, i, n, size, text, real = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_double
    buffers = ctypes.POINTER(_Buffer)
    for name, result, arguments in [
            ("locum_model_read", i, [text, p, ctypes.POINTER(p), text, size]), ("locum_model_close", None, [p]),
            ("locum_model_n_inputs", i, [p]), ("locum_model_n_outputs", i, [p]),
            ("locum_model_input", ctypes.POINTER(_Port), [p, i]), ("locum_model_output", ctypes.POINTER(_Port), [p, i]),
            ("locum_model_metadata", text, [p, text]), ("locum_model_interval", real, [p]), ("locum_model_history", n, [p]),
            ("locum_model_leads", n, [p]), ("locum_model_n_calibration", n, [p]), ("locum_model_workspace", size, [p, n]),
            ("locum_model_prepare", i, [p, n, p, size, ctypes.POINTER(p)]),
            ("locum_eval", i, [p, n, buffers, buffers, ctypes.POINTER(_Trust)]),
            ("locum_roll", i, [p, n, n, buffers, real, _Handler, p]),
            ("locum_status_name", text, [i]), ("locum_status_message", text, [])]:
        call = getattr(library, name)
        call.restype, call.argtypes = result, arguments
    return library


def _port(c):
    c = c.contents
    dims = tuple(c.dims[:c.n_dims])
    axes = tuple(np.array(c.axis[d][:dims[d]]) if c.axis[d] else None for d in range(c.n_dims))
    names = tuple(c.axis_name[d].decode() if c.axis_name[d] else None for d in range(c.n_dims))
    words = [(text or b"").decode() for text in (c.name, c.text, c.unit)]
    return Port(*words, dims, names, axes, c.lower, c.upper)


class Prediction(dict):
    """Values by the name of the output. With coverage also: lower, upper (dicts), flag and p_value, one a row."""

    lower = upper = flag = p_value = None


class Surrogate:
    """A model file, open. Attributes: inputs, outputs (lists of Port), interval, history, leads, n_calibration."""

    def __init__(self, path, library=None):
        self._c, self._model, self._rows, self._context = _load(library), ctypes.c_void_p(), 0, ctypes.c_void_p()
        message = ctypes.create_string_buffer(1024)
        status = self._c.locum_model_read(os.fsencode(path), None, ctypes.byref(self._model), message, len(message))
        self._check(status, message.value)
        self.inputs = [_port(self._c.locum_model_input(self._model, i)) for i in range(self._c.locum_model_n_inputs(self._model))]
        self.outputs = [_port(self._c.locum_model_output(self._model, i)) for i in range(self._c.locum_model_n_outputs(self._model))]
        self.interval = self._c.locum_model_interval(self._model)
        self.history = self._c.locum_model_history(self._model)
        self.leads = self._c.locum_model_leads(self._model)
        self.n_calibration = self._c.locum_model_n_calibration(self._model)

    def close(self):
        if self._model:
            self._c.locum_model_close(self._model)
        self._model, self._context, self._rows = ctypes.c_void_p(), ctypes.c_void_p(), 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if getattr(self, "_model", None):
            self.close()

    def metadata(self, key):
        """A text of the file ("task", "provenance", "study"), None if absent."""
        text = self._c.locum_model_metadata(self._model, key.encode())
        return None if text is None else text.decode()

    def predict(self, inputs, coverage=None, lead=1):
        """inputs: arrays by name, or a list in the order of self.inputs. coverage in (0, 1): intervals and flags too."""
        arrays, buffers, rows = self._inputs(inputs)
        values, outputs = self._answers(rows)
        result, trust = Prediction(values), None
        if coverage is not None:
            result.lower, lower = self._answers(rows)
            result.upper, upper = self._answers(rows)
            result.flag, result.p_value = np.zeros(rows, np.uint32), np.zeros(rows)
            trust = _Trust(coverage, lower, upper, result.flag.ctypes.data, result.p_value.ctypes.data, lead)
        self._prepare(rows)
        self._check(self._c.locum_eval(self._context, rows, buffers, outputs, ctypes.byref(trust) if trust else None))
        del arrays  # alive until here: the buffers point into them
        return result

    def roll(self, inputs, steps, coverage=0.0, frame=None):
        """A step model applied to its own answers: Prediction of arrays [steps, rows, ...], flag [steps, rows].

        frame(lead, time, values), if given, sees each step (values by name, [rows, ...]) instead; what it sees is lent for the
        call. It ends the roll-out by returning True."""
        arrays, buffers, rows = self._inputs(inputs)
        kept, flags, failure = ([], [], []), [], []

        def dicts(lists):
            if not lists:
                return None
            return {o.name: np.ctypeslib.as_array(lists[i], (rows,) + o.shape) for i, o in enumerate(self.outputs)}

        def handler(_, pointer):
            try:
                f = pointer.contents
                seen = [dicts(f.values), dicts(f.lower), dicts(f.upper)]
                if frame:
                    return _STOPPED if frame(f.lead, f.time, seen[0]) else _OK
                for list_, one in zip(kept, seen):
                    if one is not None:
                        list_.append({name: array.copy() for name, array in one.items()})
                if f.flag:
                    flags.append(np.ctypeslib.as_array(f.flag, (rows,)).copy())
                return _OK
            except BaseException as error:  # no exception may pass through C
                failure.append(error)
                return _STOPPED

        self._prepare(rows)
        status = self._c.locum_roll(self._context, rows, steps, buffers, coverage, _Handler(handler), None)
        del arrays
        if failure:
            raise failure[0]
        if not (status == _STOPPED and frame):
            self._check(status)
        stack = lambda frames: {o.name: np.stack([f[o.name] for f in frames]) for o in self.outputs} if frames else None
        result = Prediction(stack(kept[0]) or {})
        result.lower, result.upper, result.flag = stack(kept[1]), stack(kept[2]), np.stack(flags) if flags else None
        return result

    # --- what the calls share ---

    def _check(self, status, message=None):
        if status != _OK:
            message = self._c.locum_status_message() if message is None else message
            raise LocumError(self._c.locum_status_name(status).decode(), message.decode(errors="replace"))

    def _prepare(self, rows):
        if self._context and rows <= self._rows:
            return
        bytes_ = self._c.locum_model_workspace(self._model, rows)
        self._memory = np.empty(max(bytes_, 1), np.uint8)
        self._check(self._c.locum_model_prepare(self._model, rows, self._memory.ctypes.data, bytes_, ctypes.byref(self._context)))
        self._rows = rows

    def _inputs(self, inputs):
        names = [port.name for port in self.inputs]
        if isinstance(inputs, dict):
            unknown, missing = set(inputs) - set(names), set(names) - set(inputs)
            if unknown or missing:
                raise ValueError("the inputs are %s%s%s" % (", ".join(names), "; unknown: " + ", ".join(sorted(unknown)) if unknown else "",
                                                            "; missing: " + ", ".join(sorted(missing)) if missing else ""))
            inputs = [inputs[name] for name in names]
        if len(inputs) != len(names):
            raise ValueError("the model has %d inputs: %s" % (len(names), ", ".join(names)))
        arrays = []
        for port, values in zip(self.inputs, inputs):
            values = np.asarray(values)
            values = values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
            values = values[np.newaxis] if values.ndim == len(port.shape) else values
            if values.ndim != len(port.shape) + 1 or values.shape[1:] != port.shape:
                raise ValueError("input %s: the shape is %s, expected [rows%s]" % (port.name, list(values.shape),
                                                                                  "".join(", %d" % n for n in port.shape)))
            arrays.append(values)
        rows = max(len(a) for a in arrays)
        for k, a in enumerate(arrays):
            if len(a) not in (1, rows):
                raise ValueError("input %s has %d rows, others have %d" % (names[k], len(a), rows))
            arrays[k] = np.broadcast_to(a, (rows,) + a.shape[1:])  # one row stands for all: stride 0
            arrays[k] = arrays[k] if _stride(arrays[k]) is not None else np.ascontiguousarray(arrays[k])
        return arrays, (_Buffer * len(arrays))(*map(_buffer, arrays)), rows

    def _answers(self, rows):
        values = {o.name: np.empty((rows,) + o.shape) for o in self.outputs}
        return values, (_Buffer * len(values))(*map(_buffer, values.values()))


def _stride(a):
    """Elements between neighbouring values of a row if one number says it, else None."""
    if any(s % a.itemsize for s in a.strides) or not a.dtype.isnative:
        return None
    stride, step = None, None
    for n, s in zip(reversed(a.shape[1:]), reversed(a.strides[1:])):
        if n == 1:
            continue
        stride = s if stride is None else stride
        if step is not None and s != step:
            return None
        step = s * n
    return 1 if stride is None else stride // a.itemsize


def _buffer(a):
    return _Buffer(a.ctypes.data, _FLOAT32 if a.dtype == np.float32 else _FLOAT64, a.strides[0] // a.itemsize, _stride(a))

# SPDX-License-Identifier: BSD-3-Clause
"""predict.py MODEL - a Python code with a surrogate inside."""
import sys

# snippet: python
import locum

surrogate = locum.Surrogate(sys.argv[1])
# the middle of each range, and far outside
rows = {port.name: [0.5 * (port.lower + port.upper), 10 * port.upper] for port in surrogate.inputs}
prediction = surrogate.predict(rows, coverage=0.9)
name = surrogate.outputs[0].name
for i in range(2):
    value, lower, upper = prediction[name][i], prediction.lower[name][i], prediction.upper[name][i]
    print("%s %.15e %.15e %.15e %d" % (name, value, lower, upper, prediction.flag[i]))
    if prediction.flag[i] & locum.RANGE:
        print("  outside of the training range: call the solver")
# end

/* SPDX-License-Identifier: BSD-3-Clause */
/* predict.c - a host code with a surrogate inside: cc predict.c $(pkg-config --cflags --libs locum); ./a.out model.safetensors */
/* snippet: embed */
#include <locum/model.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    enum { ROWS = 2, PORTS = 16 };
    char message[256];
    locum_model *model;
    locum_context *context;
    locum_buffer inputs[PORTS] = {{0}}, outputs[PORTS] = {{0}}, lower[PORTS] = {{0}}, upper[PORTS] = {{0}};
    uint32_t flag[ROWS];

    if (argc != 2 || locum_model_read(argv[1], NULL, &model, message, sizeof message)) {
        fprintf(stderr, "%s\n", argc == 2 ? message : "usage: predict MODEL");
        return 1;
    }
    size_t bytes = locum_model_workspace(model, ROWS); /* once per thread: memory is yours */
    void *memory = malloc(bytes);
    if (locum_model_prepare(model, ROWS, memory, bytes, &context)) return 1;

    for (int i = 0; i < locum_model_n_inputs(model); i++) { /* the middle of each range, and far outside */
        const locum_port *port = locum_model_input(model, i);
        double *x = malloc(ROWS * port->extent * sizeof *x);
        for (int64_t j = 0; j < port->extent; j++)
            x[j] = 0.5 * (port->lower + port->upper), x[port->extent + j] = 10 * port->upper;
        inputs[i] = (locum_buffer){x, LOCUM_FLOAT64, port->extent, 1};
    }
    int64_t n = locum_model_output(model, 0)->extent; /* only the first output: the others stay NULL */
    double *y = malloc(3 * ROWS * n * sizeof *y);
    outputs[0] = (locum_buffer){y, LOCUM_FLOAT64, n, 1};
    lower[0] = (locum_buffer){y + ROWS * n, LOCUM_FLOAT64, n, 1};
    upper[0] = (locum_buffer){y + 2 * ROWS * n, LOCUM_FLOAT64, n, 1};

    locum_trust trust = {.coverage = 0.9, .lower = lower, .upper = upper, .flag = flag};
    if (locum_eval(context, ROWS, inputs, outputs, &trust)) return 1;
    for (int r = 0; r < ROWS; r++)
        printf("%s = %g, 90 %% interval %g to %g%s\n", locum_model_output(model, 0)->name, y[r * n], y[(ROWS + r) * n],
               y[(2 * ROWS + r) * n], flag[r] ? "  (out of its depth: call the solver)" : "");
    return 0;
}
/* end */

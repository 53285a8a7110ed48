/* SPDX-License-Identifier: BSD-3-Clause */
/* rollout.c - a host code that steps a field by a surrogate:
 * cc rollout.c $(pkg-config --cflags --libs locum); ./a.out model.safetensors [steps] */
/* snippet: rollout */
#include <locum/model.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static locum_status show(void *self, const locum_roll_frame *frame) /* arrays are lent: use or copy them here */
{
    double sum = 0;
    int64_t n = locum_model_output(self, 0)->extent;
    for (int64_t i = 0; i < n; i++) sum += (double)frame->values[0][i] * (double)frame->values[0][i];
    printf("time %g: rms %.6g%s\n", frame->time, sqrt(sum / (double)n),
           frame->flag && *frame->flag ? "  (flagged)" : "");
    return LOCUM_OK; /* anything else stops the roll-out */
}

int main(int argc, char **argv)
{
    enum { PORTS = 16 };
    char message[256];
    locum_model *model;
    locum_context *context;
    locum_buffer inputs[PORTS];

    if (argc < 2 || locum_model_read(argv[1], NULL, &model, message, sizeof message)) {
        fprintf(stderr, "%s\n", argc < 2 ? "usage: rollout MODEL [STEPS]" : message);
        return 1;
    }
    size_t bytes = locum_model_workspace(model, 1);
    if (locum_model_prepare(model, 1, malloc(bytes), bytes, &context)) return 1;
    for (int i = 0; i < locum_model_n_inputs(model); i++) { /* fields: a wave inside of the range; values: its middle */
        const locum_port *port = locum_model_input(model, i);
        double *x = malloc((size_t)port->extent * sizeof *x), middle = 0.5 * (port->lower + port->upper);
        for (int64_t j = 0; j < port->extent; j++)
            x[j] = middle + (port->n_dims ? 0.4 * (port->upper - port->lower) * sin(0.1 * (double)j) : 0);
        inputs[i] = (locum_buffer){x, LOCUM_FLOAT64, port->extent, 1};
    }
    double coverage = locum_model_n_calibration(model) ? 0.9 : 0; /* 0: values alone */
    if (!locum_roll(context, 1, argc > 2 ? atoi(argv[2]) : 10, inputs, coverage, show, model)) return 0;
    fprintf(stderr, "%s\n", locum_status_message()); /* "roll-out: row 0 blows up at step 17 ..." */
    return 1;
}
/* end */

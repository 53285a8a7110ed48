/* SPDX-License-Identifier: BSD-3-Clause */
/* findings.h - report.json as the report wants it: ports and test samples in arrays, the rest by path. Numbers that
 * are null are NAN. */
#ifndef CLI_REPORT_FINDINGS_H
#define CLI_REPORT_FINDINGS_H

#include "core/json.h"

#define FINDINGS_PORTS_MAX 64

typedef struct finding_port {
    const char *name, *unit, *text;
    bool is_log;         /* of an input */
    bool in_metric;      /* of an output */
    double lower, upper; /* inputs: trained range; single outputs: range of the test labels */
    int64_t extent;
    bool is_single; /* one value, no axis */
    const char *axis_name;
    double *axis; /* [extent]; without one in the file 0, 1, 2, ... */
    locum_json_node node;
} finding_port;

typedef struct findings {
    locum_json *json;
    int n_inputs, n_outputs;
    finding_port input[FINDINGS_PORTS_MAX], output[FINDINGS_PORTS_MAX];
    int64_t n_samples;
    locum_json_node *sample;   /* [n_samples] */
    double *parameter, *error; /* [n_samples, n_inputs], [n_samples] */
} findings;

/** Reads folder/report.json and checks what the report stands on. LOCUM_INPUT if it is missing, LOCUM_DAMAGED if it
 *  is not what validate wrote. Local. */
locum_status findings_read(const char *folder, findings *f);
void findings_free(findings *f);

/** A value by its path of keys ("coverage.negative_control.error") from a node; -1, NAN, "" or -1 (not said) if it is
 *  not there. */
locum_json_node findings_at(const findings *f, locum_json_node node, const char *path);
double findings_number(const findings *f, locum_json_node node, const char *path);
const char *findings_text(const findings *f, locum_json_node node, const char *path);
int findings_bool(const findings *f, locum_json_node node, const char *path);
int64_t findings_n(const findings *f, locum_json_node node, const char *path);
/** Item i of a list, -1 beyond its end. */
locum_json_node findings_item(const findings *f, locum_json_node list, int64_t i);
/** The numbers of a list, or one number, as an array of exactly n; what is missing is NAN. free(*values). */
locum_status findings_values(const findings *f, locum_json_node node, int64_t n, double **values);
/** Column `key` of a list of objects, as an array of its length; free(*values). */
locum_status findings_column(const findings *f, locum_json_node list, const char *key, double **values);

/** "name" or "name [unit]". */
void findings_label(const finding_port *port, char *text, size_t size);

#endif

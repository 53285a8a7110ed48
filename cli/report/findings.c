/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/report/findings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/study/commit.h"
#include "core/text.h"

#define FILE_LIMIT ((size_t)1 << 28)
#define NODES_MAX (INT64_C(1) << 25)

/* --- values by path ------------------------------------------------------------------------------------ */
locum_json_node findings_at(const findings *f, locum_json_node node, const char *path)
{
    char key[64];
    for (const char *c = path; *c && node >= 0;) {
        size_t n = strcspn(c, ".");
        if (n >= sizeof key) return -1;
        memcpy(key, c, n);
        key[n] = 0;
        node = locum_json_find(f->json, node, key);
        c += n + (c[n] == '.');
    }
    return node;
}

double findings_number(const findings *f, locum_json_node node, const char *path)
{
    double value = NAN;
    return locum_json_number(f->json, findings_at(f, node, path), &value) ? value : NAN;
}

const char *findings_text(const findings *f, locum_json_node node, const char *path)
{
    const char *text = locum_json_string(f->json, findings_at(f, node, path));
    return text ? text : "";
}

int findings_bool(const findings *f, locum_json_node node, const char *path)
{
    bool value = false;
    return locum_json_bool(f->json, findings_at(f, node, path), &value) ? value : -1;
}

int64_t findings_n(const findings *f, locum_json_node node, const char *path)
{
    return locum_json_n(f->json, findings_at(f, node, path));
}

locum_json_node findings_item(const findings *f, locum_json_node list, int64_t i)
{
    locum_json_node item = locum_json_first(f->json, list);
    for (; i > 0 && item >= 0; i--) item = locum_json_next(f->json, item);
    return item;
}

locum_status findings_values(const findings *f, locum_json_node node, int64_t n, double **values)
{
    bool is_list = locum_json_kind_of(f->json, node) == LOCUM_JSON_ARRAY && node >= 0;
    locum_json_node item = is_list ? locum_json_first(f->json, node) : node;
    *values = NULL;
    LOCUM_TRY(LOCUM_NEW(values, n > 0 ? n : 1));
    for (int64_t i = 0; i < n; i++) {
        (*values)[i] = NAN;
        locum_json_number(f->json, item, &(*values)[i]);
        item = is_list ? locum_json_next(f->json, item) : -1;
    }
    return LOCUM_OK;
}

locum_status findings_column(const findings *f, locum_json_node list, const char *key, double **values)
{
    int64_t n = locum_json_n(f->json, list), i = 0;
    *values = NULL;
    LOCUM_TRY(LOCUM_NEW(values, n > 0 ? n : 1));
    for (locum_json_node item = locum_json_first(f->json, list); item >= 0 && i < n;
         item = locum_json_next(f->json, item))
        (*values)[i++] = findings_number(f, item, key);
    return LOCUM_OK;
}

void findings_label(const finding_port *port, char *text, size_t size)
{
    bool pure = !*port->unit || !strcmp(port->unit, "1");
    snprintf(text, size, pure ? "%s" : "%s [%s]", port->name, port->unit);
}

/* --- reading ------------------------------------------------------------------------------------------- */
static locum_status damaged(const char *what)
{
    return LOCUM_FAIL(LOCUM_DAMAGED, "report.json is not what validate wrote: %s", what);
}

static locum_status read_ports(const findings *f, const char *list, int *n, finding_port *ports)
{
    locum_json_node node = findings_at(f, 0, list);
    int64_t count = locum_json_n(f->json, node);
    if (locum_json_kind_of(f->json, node) != LOCUM_JSON_ARRAY || count < 1 || count > FINDINGS_PORTS_MAX)
        return damaged(list);
    for (locum_json_node item = locum_json_first(f->json, node); item >= 0; item = locum_json_next(f->json, item)) {
        finding_port *port = &ports[(*n)++];
        port->node = item;
        port->name = findings_text(f, item, "name");
        port->unit = findings_text(f, item, "unit");
        port->text = findings_text(f, item, "text");
        port->axis_name = findings_text(f, item, "axis_name");
        port->lower = findings_number(f, item, "lower");
        port->upper = findings_number(f, item, "upper");
        port->is_log = findings_bool(f, item, "log") == 1;
        port->in_metric = findings_bool(f, item, "in_metric") == 1;
        if (!*port->name) return damaged("a port without a name");
        double extent = findings_number(f, item, "extent");
        port->extent = isnan(extent) ? 1 : extent >= 1 && extent <= 1e7 ? (int64_t)extent : 0;
        if (!port->extent) return damaged("the extent of an output");
    }
    return LOCUM_OK;
}

/* an axis of its own; whether an output is a single value shows in the first sample */
static locum_status read_axes(findings *f)
{
    for (int j = 0; j < f->n_outputs; j++) {
        finding_port *port = &f->output[j];
        locum_json_node truth = f->n_samples ? findings_item(f, findings_at(f, f->sample[0], "truth"), j) : -1;
        port->is_single = port->extent == 1 && locum_json_kind_of(f->json, truth) != LOCUM_JSON_ARRAY;
        LOCUM_TRY(findings_values(f, findings_at(f, port->node, "axis"), port->extent, &port->axis));
        for (int64_t i = 0; i < port->extent; i++)
            if (isnan(port->axis[i])) port->axis[i] = (double)i;
        port->lower = INFINITY;
        port->upper = -INFINITY;
        for (int64_t s = 0; s < f->n_samples && port->is_single; s++) {
            double value = NAN;
            locum_json_number(f->json, findings_item(f, findings_at(f, f->sample[s], "truth"), j), &value);
            port->lower = fmin(port->lower, value);
            port->upper = fmax(port->upper, value);
        }
    }
    return LOCUM_OK;
}

static locum_status read_samples(findings *f)
{
    locum_json_node list = findings_at(f, 0, "samples");
    int64_t i = 0;
    if (list < 0 || locum_json_kind_of(f->json, list) != LOCUM_JSON_ARRAY) return damaged("samples");
    f->n_samples = locum_json_n(f->json, list);
    LOCUM_TRY(LOCUM_NEW(&f->sample, f->n_samples + 1));
    LOCUM_TRY(LOCUM_NEW(&f->error, f->n_samples + 1));
    LOCUM_TRY(LOCUM_NEW(&f->parameter, f->n_samples * f->n_inputs + 1));
    for (locum_json_node item = locum_json_first(f->json, list); item >= 0;
         item = locum_json_next(f->json, item), i++) {
        locum_json_node parameters = findings_at(f, item, "parameters"), value = locum_json_first(f->json, parameters);
        if (locum_json_n(f->json, parameters) != f->n_inputs) return damaged("the parameters of a sample");
        f->sample[i] = item;
        f->error[i] = findings_number(f, item, "error");
        for (int k = 0; k < f->n_inputs; k++, value = locum_json_next(f->json, value)) {
            f->parameter[i * f->n_inputs + k] = NAN;
            locum_json_number(f->json, value, &f->parameter[i * f->n_inputs + k]);
        }
    }
    return LOCUM_OK;
}

static locum_status check(const findings *f)
{
    static const char *const objects[] = {"surrogate", "reference", "speedup_at_equal_error", "coverage", "provenance"};
    static const char *const lists[] = {"trivial", "baselines"};
    if (locum_json_kind_of(f->json, 0) != LOCUM_JSON_OBJECT) return damaged("no object");
    if (!*findings_text(f, 0, "study")) return damaged("study");
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        locum_json_node node = findings_at(f, 0, objects[i]);
        if (node < 0 || locum_json_kind_of(f->json, node) != LOCUM_JSON_OBJECT) return damaged(objects[i]);
    }
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        locum_json_node node = findings_at(f, 0, lists[i]);
        if (node < 0 || locum_json_kind_of(f->json, node) != LOCUM_JSON_ARRAY) return damaged(lists[i]);
    }
    return LOCUM_OK;
}

locum_status findings_read(const char *folder, findings *f)
{
    char path[LOCUM_PATH_SIZE], *bytes = NULL;
    size_t n = 0;
    *f = (findings){0};
    LOCUM_REQUIRE(snprintf(path, sizeof path, "%s/report.json", folder) < (int)sizeof path, LOCUM_INPUT,
                  "the path `%s` is too long", folder);
    LOCUM_TRY(locum_read_bytes(path, FILE_LIMIT, &bytes, &n));
    locum_status st = locum_json_parse(bytes, n, NODES_MAX, &f->json);
    free(bytes);
    if (!st) st = check(f);
    if (!st) st = read_ports(f, "inputs", &f->n_inputs, f->input);
    if (!st) st = read_ports(f, "outputs", &f->n_outputs, f->output);
    if (!st) st = read_samples(f);
    if (!st) st = read_axes(f);
    return st;
}

void findings_free(findings *f)
{
    for (int j = 0; j < f->n_outputs; j++) free(f->output[j].axis);
    free(f->sample);
    free(f->parameter);
    free(f->error);
    locum_json_destroy(f->json);
    *f = (findings){0};
}

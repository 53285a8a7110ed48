/* SPDX-License-Identifier: BSD-3-Clause */
/* test_models.c - the graphs around an mlp against the formulas, written again as plain loops in double. */
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "tests/unit/check.h"
#include "tests/unit/models/fixture.h"

/* inputs by name beside the fixture's parameters */
typedef struct bound {
    fixture *f;
    int n;
    const char *name[4];
    const double *values[4];
} bound;

static const double *find(void *self, const char *name)
{
    bound *b = self;
    for (int i = 0; i < b->n; i++)
        if (!strcmp(b->name[i], name)) return b->values[i];
    return fixture_value(b->f, name);
}

/* one member of the network for one normalised row: tanh layers, block by block; z [14], hidden: the last layer
 * [width] */
static void forward(fixture *f, int member, int members, int layers, int width, const double *x, double *z,
                    double *hidden)
{
    double h[64] = {0}, next[64];
    int n = FIXTURE_X;
    memcpy(h, x, FIXTURE_X * sizeof *x);
    for (int layer = 0; layer <= layers; layer++) {
        char name[80];
        snprintf(name, sizeof name, layer < layers ? "mlp/layer%d/weight" : "mlp/output/weight", layer + 1);
        const double *w = fixture_find(f, name)->values;
        snprintf(name, sizeof name, layer < layers ? "mlp/layer%d/bias" : "mlp/output/bias", layer + 1);
        const double *b = fixture_find(f, name)->values;
        int n_out = layer < layers ? width : FIXTURE_Z;
        /* the first layer is one block for all members: [n_x, members * width]; the others are [members, n, n_out] */
        const double *block = layer ? w + (ptrdiff_t)member * n * n_out : w + (ptrdiff_t)member * width;
        int stride = layer ? n_out : members * width;
        for (int j = 0; j < n_out; j++) {
            double sum = b[member * n_out + j];
            for (int i = 0; i < n; i++) sum += h[i] * block[i * stride + j];
            next[j] = layer < layers ? tanh(sum) : sum;
        }
        n = n_out;
        memcpy(layer < layers ? h : z, next, (size_t)n * sizeof *h);
    }
    memcpy(hidden, h, (size_t)width * sizeof *h);
}

enum { LAYERS = 2, WIDTH = 8, MEMBERS = 3, ROWS = 5 };

/* the ensemble for one physical row: mean and standard deviation over members, first member's hidden values */
static void ensemble(fixture *f, int members, const double *values, double *mean, double *deviation, double *hidden)
{
    double x[FIXTURE_X], z[MEMBERS][FIXTURE_Z], unused[64];
    locum_task_normalise_inputs(f->task, values, x);
    for (int m = 0; m < members; m++) forward(f, m, members, LAYERS, WIDTH, x, z[m], m ? unused : hidden);
    for (int j = 0; j < FIXTURE_Z; j++) {
        double sum = 0, square = 0;
        for (int m = 0; m < members; m++) sum += z[m][j];
        mean[j] = sum / members;
        for (int m = 0; m < members; m++) square += (z[m][j] - mean[j]) * (z[m][j] - mean[j]);
        deviation[j] = members > 1 ? sqrt(square / (members - 1)) : 0;
    }
}

static void inputs_of_rows(double *viscosity, double *drag)
{
    for (int r = 0; r < ROWS; r++) {
        double values[FIXTURE_X];
        fixture_input((uint64_t)r, values);
        viscosity[r] = values[0];
        drag[r] = values[1];
    }
}

static int output_of(int j, int *first)
{
    static const int firsts[] = {0, 1, 2, 7, 14};
    int i = 0;
    while (j >= firsts[i + 1]) i++;
    *first = firsts[i];
    return i;
}

static void predict_graph_is_the_formula(void)
{
    double viscosity[ROWS], drag[ROWS], got[4][ROWS * 7], mean[FIXTURE_Z], deviation[FIXTURE_Z], hidden[64],
        y[FIXTURE_Z];
    int64_t extents[1] = {ROWS};
    for (int members = 1; members <= MEMBERS; members += 2) {
        fixture *f = fixture_create(members, LAYERS, WIDTH, 5);
        bound b = {f, 2, {"viscosity", "drag"}, {viscosity, drag}};
        double *values[4] = {got[0], got[1], got[2], got[3]};
        locum_id outputs[4];
        inputs_of_rows(viscosity, drag);
        CU_ASSERT_EQUAL_FATAL(locum_graph_n_outputs(f->predict), 4);
        for (int i = 0; i < 4; i++) outputs[i] = locum_graph_output(f->predict, i);
        CHECK_OK(locum_graph_evaluate(f->predict, extents, 0, find, &b, 4, outputs, values));
        for (int r = 0; r < ROWS; r++) {
            double row[2] = {viscosity[r], drag[r]};
            ensemble(f, members, row, mean, deviation, hidden);
            locum_task_physical_outputs(f->task, mean, y);
            for (int j = 0; j < FIXTURE_Z; j++) {
                int first, i = output_of(j, &first);
                /* both in double; the graph multiplies by the float32 rate where the formula divides by scale: 6e-8
                 * relative */
                CHECK_CLOSE(got[i][r * f->task->outputs[i].extent + j - first] / y[j], 1, 1e-6);
            }
        }
        fixture_destroy(f);
    }
}

static void interval_graph_is_the_formula(void)
{
    double viscosity[ROWS], drag[ROWS], quantile[1] = {1.7}, got[14][ROWS * 7];
    double mean[FIXTURE_Z], deviation[FIXTURE_Z], hidden[64];
    int64_t extents[1] = {ROWS};
    fixture *f = fixture_create(MEMBERS, LAYERS, WIDTH, 6);
    bound b = {f, 3, {"viscosity", "drag", "quantile"}, {viscosity, drag, quantile}};
    double *values[14];
    locum_id outputs[14];
    const double *sigma = fixture_find(f, "trust/sigma")->values;

    inputs_of_rows(viscosity, drag);
    CU_ASSERT_EQUAL_FATAL(locum_graph_n_outputs(f->interval), 14);
    for (int i = 0; i < 14; i++) {
        outputs[i] = locum_graph_output(f->interval, i);
        values[i] = got[i];
    }
    CHECK_OK(locum_graph_evaluate(f->interval, extents, 0, find, &b, 14, outputs, values));
    for (int r = 0; r < ROWS; r++) {
        double row[2] = {viscosity[r], drag[r]}, spread = 0, distance = 0;
        ensemble(f, MEMBERS, row, mean, deviation, hidden);
        for (int j = 0; j < FIXTURE_Z; j++) {
            int first, i = output_of(j, &first);
            const locum_channel *c = &f->task->outputs[i];
            double total = exp(mean[0] * f->task->outputs[0].scale[0] + f->task->outputs[0].mean[0]);
            double inner = exp(mean[j] * c->scale[j - first] + c->mean[j - first]), part = LOCUM_SHARE_RESOLUTION,
                   resolved = inner + (part - c->floor) * total; /* of a share */
            if (c->transform == LOCUM_LOG_SHARE) deviation[j] *= inner / resolved;
            double width = quantile[0] * sqrt(deviation[j] * deviation[j] + sigma[j] * sigma[j]);
            for (int k = 0; k < 3; k++) { /* value, lower, upper */
                double off = (k == 1 ? -width : k == 2 ? width : 0) * c->scale[j - first];
                double t = mean[j] * c->scale[j - first] + c->mean[j - first] + off;
                double y = c->transform == LOCUM_LINEAR ? t
                           : c->transform == LOCUM_LOG  ? exp(t)
                           : k == 0                     ? fmax(inner - c->floor * total, 0)
                                                        : fmax(resolved * exp(off) - part * total, 0);
                CHECK_CLOSE(got[3 * i + k][r * c->extent + j - first], y,
                            2e-6 * (1 + fabs(y))); /* float32 rate, as above */
            }
            spread += deviation[j] * deviation[j] / (sigma[j] * sigma[j]);
        }
        for (int j = 0; j < WIDTH; j++) {
            double off = 2 * (hidden[j] - fixture_find(f, "trust/feature_mean")->values[j]);
            distance += off * off;
        }
        CHECK_CLOSE(got[12][r], sqrt(distance / WIDTH), 1e-6);
        CHECK_CLOSE(got[13][r], sqrt(spread / FIXTURE_Z), 1e-5);
    }
    fixture_destroy(f);
}

static void training_loss_weighs_each_output_the_same(void)
{
    fixture *f = fixture_create(MEMBERS, LAYERS, WIDTH, 7);
    locum_graph *graph = NULL;
    double x[ROWS * FIXTURE_X], target[ROWS * FIXTURE_Z], loss = 0, expected = 0, unused[64];
    double z_got[ROWS * MEMBERS * FIXTURE_Z], *values[2] = {&loss, z_got};
    int64_t extents[1] = {ROWS};
    bound b = {f, 2, {"x", "target"}, {x, target}};

    CHECK_OK(locum_model_training_graph(&locum_model_mlp, f->config, f->task, &graph));
    CU_ASSERT_PTR_NOT_NULL_FATAL(graph);
    for (int i = 0; i < ROWS * FIXTURE_X; i++) x[i] = sin(1.0 + i);
    for (int i = 0; i < ROWS * FIXTURE_Z; i++) target[i] = cos(2.0 * i);
    locum_id outputs[2] = {locum_graph_output(graph, 0), locum_graph_output(graph, 1)};
    CU_ASSERT_STRING_EQUAL(locum_graph_name(graph, outputs[0]), "loss");
    CHECK_OK(locum_graph_evaluate(graph, extents, 0, find, &b, 2, outputs, values));
    for (int r = 0; r < ROWS; r++)
        for (int m = 0; m < MEMBERS; m++) {
            double z[FIXTURE_Z];
            forward(f, m, MEMBERS, LAYERS, WIDTH, x + r * FIXTURE_X, z, unused);
            for (int j = 0; j < FIXTURE_Z; j++) {
                int first, i = output_of(j, &first);
                double off = z[j] - target[r * FIXTURE_Z + j];
                expected += off * off / (4.0 * (double)f->task->outputs[i].extent);
                CHECK_CLOSE(z_got[(r * MEMBERS + m) * FIXTURE_Z + j], z[j], 1e-13); /* double on both sides */
            }
        }
    CHECK_CLOSE(loss, expected, 1e-12 * expected);
    locum_graph_destroy(graph);
    fixture_destroy(f);
}

static void calibration_graph_gives_mean_deviation_features(void)
{
    fixture *f = fixture_create(MEMBERS, LAYERS, WIDTH, 8);
    locum_graph *graph = NULL;
    double x[FIXTURE_X], mean[FIXTURE_Z], deviation[FIXTURE_Z], hidden[64], got[3][FIXTURE_Z], row[2];
    double *values[3] = {got[0], got[1], got[2]};
    int64_t extents[1] = {1};
    bound b = {f, 1, {"x"}, {x}};

    CHECK_OK(locum_model_calibration_graph(&locum_model_mlp, f->config, f->task, &graph));
    CU_ASSERT_PTR_NOT_NULL_FATAL(graph);
    fixture_input(3, row);
    locum_task_normalise_inputs(f->task, row, x);
    locum_id outputs[3] = {locum_graph_output(graph, 0), locum_graph_output(graph, 1), locum_graph_output(graph, 2)};
    CHECK_OK(locum_graph_evaluate(graph, extents, 0, find, &b, 3, outputs, values));
    ensemble(f, MEMBERS, row, mean, deviation, hidden);
    for (int j = 0; j < FIXTURE_Z; j++) {
        CHECK_CLOSE(got[0][j], mean[j], 1e-13);
        CHECK_CLOSE(got[1][j], deviation[j], 1e-13);
    }
    for (int j = 0; j < WIDTH; j++) CHECK_CLOSE(got[2][j], hidden[j], 1e-14);
    locum_graph_destroy(graph);
    fixture_destroy(f);
}

static void physical_values_survive_normalisation_and_back(void)
{
    fixture *f = fixture_create(1, 1, 4, 9);
    double y[FIXTURE_Z] = {0.7, -2, 1, 2, 3, 4, 5, 0.3, 0.1, 1e-3, 1e-5, 1e-8, 1e-12, 0}, z[FIXTURE_Z], back[FIXTURE_Z];
    locum_task_normalise_outputs(f->task, y, z);
    locum_task_physical_outputs(f->task, z, back);
    for (int j = 0; j < FIXTURE_Z; j++) /* a share is exact to round-off of itself plus its floor */
        CHECK_CLOSE(back[j], y[j], 1e-14 * (fabs(y[j]) + (j > 6 ? 1e-7 : 0)) + 1e-16);
    fixture_destroy(f);
}

static void ports_are_json_that_names_dims_units_and_axes(void)
{
    fixture *f = fixture_create(1, 1, 4, 9);
    locum_text text = {0};
    locum_json *json = NULL;
    double value = 0;

    fixture_ports(f, false, &text);
    CHECK_OK(text.status);
    CHECK_OK(locum_json_parse(text.data, text.size, 1000, &json));
    CU_ASSERT_EQUAL(locum_json_n(json, 0), 4);
    locum_json_node spectrum =
        locum_json_next(json, locum_json_next(json, locum_json_next(json, locum_json_first(json, 0))));
    CU_ASSERT_STRING_EQUAL(locum_json_string(json, locum_json_find(json, spectrum, "name")), "spectrum");
    CU_ASSERT_STRING_EQUAL(locum_json_string(json, locum_json_find(json, spectrum, "unit")), "1");
    locum_json_node axis = locum_json_first(json, locum_json_find(json, spectrum, "axis"));
    CU_ASSERT_EQUAL(locum_json_n(json, axis), 7);
    CU_ASSERT_TRUE(locum_json_number(json, locum_json_first(json, axis), &value) && value == 1);
    locum_json_destroy(json);
    locum_text_free(&text);
    fixture_destroy(f);
}

static void models_are_found_by_name(void)
{
    CU_ASSERT_PTR_EQUAL(locum_model_type_find("mlp"), &locum_model_mlp);
    CU_ASSERT_PTR_NULL(locum_model_type_find("MLP"));
}

LOCUM_RUN_TESTS("models", {"predict graph is the formula", predict_graph_is_the_formula},
                {"interval graph is the formula", interval_graph_is_the_formula},
                {"training loss weighs each output the same", training_loss_weighs_each_output_the_same},
                {"calibration graph gives mean, deviation, features", calibration_graph_gives_mean_deviation_features},
                {"physical values survive normalisation and back", physical_values_survive_normalisation_and_back},
                {"ports are JSON that names dims, units and axes", ports_are_json_that_names_dims_units_and_axes},
                {"models are found by name", models_are_found_by_name})

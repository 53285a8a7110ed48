/* SPDX-License-Identifier: BSD-3-Clause */
/* test_file.c - what is written is read back; what was damaged or made up is refused, byte by byte and rule by rule. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/random.h"
#include "locum/model.h"
#include "tests/unit/check.h"
#include "tests/unit/models/fixture.h"

static void round_trip_keeps_tensors_and_texts(void)
{
    fixture *f = fixture_create(2, 1, 3, 1);
    locum_text text = {0};
    locum_file file;

    fixture_write(f, &text);
    CHECK_OK(text.status);
    CHECK_OK(locum_file_read(text.data, text.size, &file));
    CU_ASSERT_EQUAL(file.n_tensors, f->n_tensors);
    for (int i = 0; i < f->n_tensors; i++) {
        const fixture_tensor *t = &f->tensors[i];
        const locum_tensor *got = locum_file_tensor(&file, t->name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(got);
        CU_ASSERT_TRUE(got->number == t->number && got->n_dims == t->n_dims && locum_tensor_count(got) == t->n);
        bool wide = t->number == LOCUM_REAL64;
        CU_ASSERT_EQUAL(
            memcmp(got->data, wide ? (const void *)t->values : (const void *)t->floats, (size_t)t->n * (wide ? 8 : 4)),
            0);
        CU_ASSERT_EQUAL(((const char *)got->data - text.data) % 64, 0);
    }
    CU_ASSERT_STRING_EQUAL(locum_file_metadata(&file, "study"), "test: 1\n");
    CU_ASSERT_PTR_NULL(locum_file_metadata(&file, "nothing"));
    locum_file_free(&file);
    locum_text_free(&text);
    fixture_destroy(f);
}

/* opening bytes in memory of exactly their size, so that the sanitizer sees a read beyond them */
static locum_status open_exactly(const char *bytes, size_t n)
{
    locum_model *model = NULL;
    char message[300], *copy = malloc(n ? n : 1);
    if (n) memcpy(copy, bytes, n);
    locum_status st = locum_model_open(copy, n, NULL, &model, message, sizeof message);
    CU_ASSERT_TRUE(st ? model == NULL && *message : model != NULL);
    locum_model_close(model);
    free(copy);
    return st;
}

/* A file below 8 KiB needs a small graph: one output, no interval. */
static void small_file(locum_text *out)
{
    static const char predict[] =
        "{\"symbols\": [\"batch\"], \"nodes\": ["
        "{\"op\": \"input\", \"name\": \"a\", \"number\": \"f32\", \"symbol\": 0, \"dims\": [1, 2]},"
        "{\"op\": \"parameter\", \"name\": \"w\", \"number\": \"f32\", \"dims\": [1, 2, 3]},"
        "{\"op\": \"product\", \"in\": [1, 2], \"number\": \"f32\", \"symbol\": 0, \"dims\": [1, 3], \"integers\": "
        "[0]}],"
        "\"outputs\": [{\"id\": 3, \"name\": \"y\"}]}";
    static const float w[6] = {1, 2, 3, 4, 5, 6};
    locum_metadata metadata[] = {
        {"inputs",
         "[{\"name\":\"a\",\"text\":\"\",\"unit\":\"1\",\"dims\":[2],\"axis_name\":[\"i\"],\"lower\":0,\"upper\":1}]"},
        {"outputs",
         "[{\"name\":\"y\",\"text\":\"\",\"unit\":\"1\",\"dims\":[3],\"axis_name\":[\"j\"],\"lower\":0,\"upper\":1}]"},
        {"graph/predict", predict}};
    locum_tensor tensor = {.name = "w", .number = LOCUM_REAL32, .n_dims = 3, .dims = {1, 2, 3}, .data = w};
    CHECK_OK(locum_file_write(3, metadata, 1, &tensor, out));
}

static void a_file_cut_at_any_byte_is_damaged(void)
{
    locum_text text = {0};
    small_file(&text);
    CU_ASSERT_TRUE_FATAL(text.size < 8192);
    CHECK_OK(open_exactly(text.data, text.size));
    for (size_t n = 0; n < text.size; n++) CU_ASSERT_EQUAL(open_exactly(text.data, n), LOCUM_DAMAGED);
    locum_text_free(&text);
}

static void a_flipped_bit_of_any_byte_is_damaged(void)
{
    locum_text text = {0};
    small_file(&text);
    for (size_t i = 0; i < text.size;
         i++) /* header and payload: one bit of each byte, a different one each time, and all eight */
        for (int k = 0; k < 2; k++) {
            char kept = text.data[i];
            text.data[i] = (char)(kept ^ (k ? 0xff : 1 << (i % 8)));
            CU_ASSERT_EQUAL(open_exactly(text.data, text.size), LOCUM_DAMAGED);
            text.data[i] = kept;
        }
    locum_text_free(&text);
}

static void appended_bytes_are_damage(void)
{
    locum_text text = {0};
    small_file(&text);
    for (int n = 1; n <= 128; n++) {
        locum_text_bytes(&text, "", 1);
        CU_ASSERT_EQUAL(open_exactly(text.data, text.size), LOCUM_DAMAGED);
    }
    locum_text_free(&text);
}

static void sampled_flips_of_a_large_payload_are_damage(void)
{
    enum { FLIPS = 60 };
    int64_t n = 1 << 20; /* 4 MiB of weights */
    float *w = calloc((size_t)n, sizeof *w);
    locum_text text = {0};
    locum_tensor tensor = {.name = "w", .number = LOCUM_REAL32, .n_dims = 1, .dims = {n}, .data = w};
    locum_file file;

    for (int64_t i = 0; i < n; i++) w[i] = (float)i;
    CHECK_OK(locum_file_write(0, NULL, 1, &tensor, &text));
    CHECK_OK(locum_file_read(text.data, text.size, &file));
    locum_file_free(&file);
    for (uint64_t i = 0; i < FLIPS; i++) {
        uint64_t at = locum_random_seed(1, LOCUM_STREAM_TEST, i) % (8 * text.size);
        text.data[at / 8] = (char)(text.data[at / 8] ^ (1 << at % 8));
        CHECK_FAILS(locum_file_read(text.data, text.size, &file), LOCUM_DAMAGED);
        text.data[at / 8] = (char)(text.data[at / 8] ^ (1 << at % 8));
    }
    locum_text_free(&text);
    free(w);
}

/* --- made-up headers with a checksum that holds ------------------------------------------------------------------- */
static void file_of_header(const char *json, size_t n_data, locum_text *out)
{
    locum_text header = {0};
    char hash[LOCUM_HASH_TEXT_SIZE];
    unsigned char length[8];

    locum_text_add(&header, "%s", json);
    while ((header.size + 8) % 64) locum_text_add(&header, " ");
    char *place = strstr(header.data, "\"header_xxh3\":\"");
    if (place) {
        locum_hash_text(locum_hash(header.data, header.size), hash);
        memcpy(place + strlen("\"header_xxh3\":\""), hash, LOCUM_HASH_TEXT_SIZE - 1);
    }
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)((uint64_t)header.size >> (8 * i));
    locum_text_bytes(out, (const char *)length, 8);
    locum_text_bytes(out, header.data, header.size);
    for (size_t i = 0; i < n_data; i++) locum_text_bytes(out, "", 1);
    locum_text_free(&header);
}

#define HEAD                                                                                                           \
    "{\"__metadata__\":{\"format\":\"locum-1\",\"header_xxh3\":\"0000000000000000\",\"operators\":\"1\",\"requires\":" \
    "\"\""
#define ZERO64 \
    "c5d9bef5a76b50e2" /* not the hash of anything here: entries below are refused before hashes are compared */

static void each_rule_of_the_table_is_enforced(void)
{
    static const struct {
        const char *what, *header;
        size_t data;
    } cases[] = {
        {"another format",
         "{\"__metadata__\":{\"format\":\"locum-2\",\"header_xxh3\":\"0000000000000000\",\"operators\":\"1\","
         "\"requires\":\"\"}}",
         0},
        {"another operator version",
         "{\"__metadata__\":{\"format\":\"locum-1\",\"header_xxh3\":\"0000000000000000\",\"operators\":\"2\","
         "\"requires\":\"\"}}",
         0},
        {"an unknown requirement",
         "{\"__metadata__\":{\"format\":\"locum-1\",\"header_xxh3\":\"0000000000000000\",\"operators\":\"1\","
         "\"requires\":\"rows\"}}",
         0},
        {"no checksum", "{\"__metadata__\":{\"format\":\"locum-1\",\"operators\":\"1\",\"requires\":\"\"}}", 0},
        {"not JSON", HEAD "}", 0},
        {"a list", "[\"header_xxh3\":\"0000000000000000\"]", 0},
        {"a key twice", HEAD ",\"format\":\"locum-1\"}}", 0},
        {"rank 9", HEAD "},\"w\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,16],\"data_offsets\":[0,64]}}", 64},
        {"a negative dim", HEAD "},\"w\":{\"dtype\":\"F32\",\"shape\":[-16],\"data_offsets\":[0,64]}}", 64},
        {"a dim of zero", HEAD "},\"w\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0},
        {"dims whose product overflows",
         HEAD "},\"w\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,16],\"data_offsets\":[0,64]}}", 64},
        {"a fractional dim", HEAD "},\"w\":{\"dtype\":\"F32\",\"shape\":[16.5],\"data_offsets\":[0,64]}}", 64},
        {"a shape that is text", HEAD "},\"w\":{\"dtype\":\"F32\",\"shape\":\"16\",\"data_offsets\":[0,64]}}", 64},
        {"an unknown dtype", HEAD "},\"w\":{\"dtype\":\"F16\",\"shape\":[32],\"data_offsets\":[0,64]}}", 64},
        {"bytes in a real tensor", HEAD "},\"w\":{\"dtype\":\"U8\",\"shape\":[64],\"data_offsets\":[0,64]}}", 64},
        {"offsets beyond the end", HEAD "},\"w\":{\"dtype\":\"F32\",\"shape\":[32],\"data_offsets\":[0,128]}}", 64},
        {"offsets that go backwards", HEAD "},\"w\":{\"dtype\":\"F32\",\"shape\":[16],\"data_offsets\":[64,0]}}", 64},
        {"a negative offset", HEAD "},\"w\":{\"dtype\":\"F32\",\"shape\":[16],\"data_offsets\":[-64,0]}}", 64},
        {"offsets that do not fit the shape", HEAD "},\"w\":{\"dtype\":\"F32\",\"shape\":[8],\"data_offsets\":[0,64]}}",
         64},
        {"a gap", HEAD "},\"w\":{\"dtype\":\"F32\",\"shape\":[16],\"data_offsets\":[64,128]}}", 128},
        {"an overlap",
         HEAD "},\"_pad.0\":{\"dtype\":\"U8\",\"shape\":[64],\"data_offsets\":[0,64]},\"_pad.1\":{\"dtype\":\"U8\","
              "\"shape\":[64],\"data_offsets\":[0,64]}}",
         64},
        {"no alignment",
         HEAD "},\"_pad.0\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"w\":{\"dtype\":\"F32\",\"shape\":"
              "[16],\"data_offsets\":[4,68]}}",
         68},
        {"bytes that belong to no tensor", HEAD "}}", 64},
        {"a tensor without checksum", HEAD "},\"w\":{\"dtype\":\"F32\",\"shape\":[16],\"data_offsets\":[0,64]}}", 64},
        {"a checksum that does not hold",
         HEAD ",\"xxh3/w\":\"" ZERO64 "\"},\"w\":{\"dtype\":\"F32\",\"shape\":[16],\"data_offsets\":[0,64]}}", 64},
        {"an entry with more keys", HEAD "},\"w\":{\"dtype\":\"F32\",\"shape\":[16],\"data_offsets\":[0,64],\"x\":1}}",
         64},
        {"an entry without dtype", HEAD "},\"w\":{\"shape\":[16],\"data_offsets\":[0,64]}}", 64},
        {"an entry that is a number", HEAD "},\"w\":7}", 0},
        {"no ports", HEAD "}}", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        locum_text text = {0};
        file_of_header(cases[i].header, cases[i].data, &text);
        locum_status st = open_exactly(text.data, text.size);
        if (st != LOCUM_DAMAGED) printf("\n    %s: %s", cases[i].what, locum_status_name(st));
        CU_ASSERT_EQUAL(st, LOCUM_DAMAGED);
        locum_text_free(&text);
    }
}

static void a_header_length_beyond_limits_is_refused_before_any_allocation(void)
{
    static const uint64_t lengths[] = {0, 55, (16u << 20) + 56, UINT64_MAX, UINT64_MAX - 7, (uint64_t)1 << 63, 56};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char bytes[64] = {0};
        for (int b = 0; b < 8; b++) bytes[b] = (char)(lengths[i] >> (8 * b));
        CU_ASSERT_EQUAL(open_exactly(bytes, sizeof bytes), LOCUM_DAMAGED);
    }
}

static void values_that_are_not_finite_are_refused(void)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++)
        for (int wide = 0; wide < 2; wide++) {
            float narrow_values[4] = {1, (float)bad[i], 2, 3};
            double wide_values[4] = {1, 2, 3, bad[i]};
            locum_text text = {0};
            locum_file file;
            locum_tensor tensor = {.name = "w",
                                   .number = wide ? LOCUM_REAL64 : LOCUM_REAL32,
                                   .n_dims = 1,
                                   .dims = {4},
                                   .data = wide ? (const void *)wide_values : (const void *)narrow_values};
            CHECK_OK(locum_file_write(0, NULL, 1, &tensor, &text));
            CHECK_FAILS(locum_file_read(text.data, text.size, &file), LOCUM_DAMAGED);
            locum_text_free(&text);
        }
}

/* --- graphs and ports that do not fit each other ------------------------------------------------------------------ */
static void replace(locum_text *out, const char *text, const char *old, const char *fresh)
{
    const char *at = strstr(text, old);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    locum_text_bytes(out, text, (size_t)(at - text));
    locum_text_add(out, "%s%s", fresh, at + strlen(old));
}

static void a_graph_or_port_that_does_not_fit_is_refused(void)
{
    enum { PREDICT, INTERVAL, INPUTS, OUTPUTS, TEXTS };
    static const struct {
        int text;
        const char *old, *fresh;
    } cases[] = {
        {PREDICT, "\"name\": \"viscosity\"", "\"name\": \"velocity\""}, /* an input that is no port */
        {PREDICT, "\"symbols\": [\"batch\"]", "\"symbols\": [\"batch\", \"more\"]"},
        {PREDICT, "\"symbols\": [\"batch\"]", "\"symbols\": []"},
        {PREDICT, "\"op\": \"tanh\"", "\"op\": \"tank\""},       /* unknown operator */
        {PREDICT, "mlp/layer1/weight", "mlp/layer9/weight"},     /* a parameter without tensor */
        {PREDICT, "\"dims\": [1, 2, 6]", "\"dims\": [1, 2, 7]"}, /* shapes that do not follow */
        {PREDICT, "\"in\": [1]", "\"in\": [1000]"},              /* forward reference */
        {PREDICT, "\"in\": [1]", "\"in\": [0]"},
        {PREDICT, "\"in\": [1]", "\"in\": [-2147483648]"},
        {PREDICT, "\"name\": \"energy\"", "\"name\": \"power\""}, /* an output that is no port */
        {PREDICT, "\"outputs\": [", "\"outputs\": [{\"id\": 99999, \"name\": \"x\"}, "},
        {PREDICT, "{", "["},
        {INTERVAL, "\"name\": \"quantile\"", "\"name\": \"quantity\""},
        {INTERVAL, "\"lower/energy\"", "\"lower/power\""},
        {INTERVAL, "trust/sigma", "trust/scores"}, /* a tensor of another size and type */
        {INPUTS, "\"name\":\"viscosity\"", "\"name\":\"\""},
        {INPUTS, "\"name\":\"viscosity\"", "\"name\":\"drag\""}, /* twice */
        {INPUTS, "\"dims\":[]", "\"dims\":[2]"},
        {INPUTS, "\"dims\":[]", "\"dims\":[1,1,1,1,1]"},
        {INPUTS, "\"dims\":[]", "\"dims\":[-1]"},
        {INPUTS, "\"dims\":[]", "\"dims\":[2147483647,2147483647,2147483647]"},
        {INPUTS, "[{", "{{"},
        {OUTPUTS, "\"dims\":[5]", "\"dims\":[6]"},
        {OUTPUTS, "[0,0.25", "[0,\"a\""}, /* an axis that is no list of numbers */
        {OUTPUTS, "[0,0.25,", "[0,"},     /* an axis of another length */
    };
    fixture *f = fixture_create(2, 1, 3, 1);
    locum_text texts[TEXTS] = {{0}}, file = {0};
    locum_graph_write(f->predict, &texts[PREDICT]);
    locum_graph_write(f->interval, &texts[INTERVAL]);
    fixture_ports(f, true, &texts[INPUTS]);
    fixture_ports(f, false, &texts[OUTPUTS]);
    fixture_write(f, &file);
    CHECK_OK(open_exactly(file.data, file.size));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        locum_text bent = {0}, made = {0};
        const char *now[TEXTS];
        for (int t = 0; t < TEXTS; t++) now[t] = texts[t].data;
        replace(&bent, texts[cases[i].text].data, cases[i].old, cases[i].fresh);
        now[cases[i].text] = bent.data;
        fixture_write_with(f, now[PREDICT], now[INTERVAL], now[INPUTS], now[OUTPUTS], &made);
        locum_status st = open_exactly(made.data, made.size);
        if (st != LOCUM_DAMAGED) printf("\n    `%s` -> `%s`: %s", cases[i].old, cases[i].fresh, locum_status_name(st));
        CU_ASSERT_EQUAL(st, LOCUM_DAMAGED);
        locum_text_free(&bent);
        locum_text_free(&made);
    }
    for (int t = 0; t < TEXTS; t++) locum_text_free(&texts[t]);
    locum_text_free(&file);
    fixture_destroy(f);
}

static void trust_tables_must_ascend(void)
{
    fixture *f = fixture_create(2, 1, 3, 1);
    locum_text file = {0};
    fixture_find(f, "trust/scores")->values[7] = 0;
    fixture_write(f, &file);
    CU_ASSERT_EQUAL(open_exactly(file.data, file.size), LOCUM_DAMAGED);
    locum_text_free(&file);
    fixture_destroy(f);
}

static void a_graph_of_astronomic_size_is_refused(void)
{
    static const char predict[] =
        "{\"symbols\": [\"batch\"], \"nodes\": ["
        "{\"op\": \"input\", \"name\": \"a\", \"number\": \"f32\", \"symbol\": 0, \"dims\": [1, 1]},"
        "{\"op\": \"expand\", \"in\": [1], \"number\": \"f32\", \"symbol\": 0, \"dims\": [1, 1099511627776]},"
        "{\"op\": \"sum\", \"in\": [2], \"number\": \"f32\", \"symbol\": 0, \"dims\": [1, 1], \"integers\": [1, 1]}],"
        "\"outputs\": [{\"id\": 3, \"name\": \"y\"}]}";
    static const char port[] =
        "[{\"name\":\"%s\",\"text\":\"\",\"unit\":\"1\",\"dims\":[],\"axis_name\":[],\"lower\":0,\"upper\":1}]";
    char input[200], output[200];
    locum_text text = {0};
    snprintf(input, sizeof input, port, "a");
    snprintf(output, sizeof output, port, "y");
    locum_metadata metadata[] = {{"inputs", input}, {"outputs", output}, {"graph/predict", predict}};
    CHECK_OK(locum_file_write(3, metadata, 0, NULL, &text));
    CU_ASSERT_EQUAL(open_exactly(text.data, text.size), LOCUM_DAMAGED);
    locum_text_free(&text);
}

/* files as earlier versions wrote them: map-1 before there were steps, step-1 the first of those */
static void files_of_earlier_versions_open_and_predict(void)
{
    /* as that version predicted for viscosity 0.02, drag 0.1 */
    static const double expected[14] = {0.482328,    0.82480812,  -0.14234155, 0.56502527,  -0.044814136,
                                        0.87222743,  0.15087402,  0.045781527, 0.030235495, 0.044063337,
                                        0.020237148, 0.015329452, 0.016089594, 0.005896315};
    double in[2] = {0.02, 0.1}, out[14];
    locum_buffer inputs[2] = {{in, LOCUM_FLOAT64, 1, 1}, {in + 1, LOCUM_FLOAT64, 1, 1}},
                 outputs[4] = {{out, LOCUM_FLOAT64, 1, 1},
                               {out + 1, LOCUM_FLOAT64, 1, 1},
                               {out + 2, LOCUM_FLOAT64, 5, 1},
                               {out + 7, LOCUM_FLOAT64, 7, 1}};
    locum_model *model = NULL;
    locum_context *context = NULL;

    CHECK_OK(locum_model_read(GOLDEN "/map-1.safetensors", NULL, &model, NULL, 0));
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    CU_ASSERT_TRUE(locum_model_interval(model) == 0 && locum_model_n_calibration(model) == FIXTURE_CALIBRATION);
    size_t bytes = locum_model_workspace(model, 1);
    void *memory = malloc(bytes);
    CHECK_OK(locum_model_prepare(model, 1, memory, bytes, &context));
    CHECK_OK(locum_eval(context, 1, inputs, outputs, NULL));
    for (int i = 0; i < 14; i++) CHECK_CLOSE(out[i], expected[i], 1e-5 * fabs(expected[i])); /* float32, exp of logs */
    locum_model_close(model);
    free(memory);
    CHECK_OK(locum_model_read(GOLDEN "/step-1.safetensors", NULL, &model, NULL, 0));
    CU_ASSERT_TRUE(locum_model_interval(model) == 0.25 && locum_model_history(model) == 2 &&
                   locum_model_leads(model) == 5 && locum_model_input(model, 2)->n_dims == 4);
    locum_model_close(model);
}

LOCUM_RUN_TESTS("model file", {"round trip keeps tensors and texts", round_trip_keeps_tensors_and_texts},
                {"a file cut at any byte is damaged", a_file_cut_at_any_byte_is_damaged},
                {"a flipped bit of any byte is damaged", a_flipped_bit_of_any_byte_is_damaged},
                {"appended bytes are damage", appended_bytes_are_damage},
                {"sampled flips of a large payload are damage", sampled_flips_of_a_large_payload_are_damage},
                {"each rule of the table is enforced", each_rule_of_the_table_is_enforced},
                {"a header length beyond limits is refused",
                 a_header_length_beyond_limits_is_refused_before_any_allocation},
                {"values that are not finite are refused", values_that_are_not_finite_are_refused},
                {"a graph or port that does not fit is refused", a_graph_or_port_that_does_not_fit_is_refused},
                {"trust tables must ascend", trust_tables_must_ascend},
                {"a graph of astronomic size is refused", a_graph_of_astronomic_size_is_refused},
                {"files of earlier versions open and predict", files_of_earlier_versions_open_and_predict})

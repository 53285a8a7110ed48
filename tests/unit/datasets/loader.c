/* SPDX-License-Identifier: BSD-3-Clause */
/* loader.c - batches depend on seed and epoch alone; normalisers on the training split alone; damage is named. */
#include <string.h>
#include <time.h>

#include "core/memory.h"
#include "core/random.h"
#include "datasets/loader/loader.h"
#include "synthetic.h"
#include "tests/unit/parallel/mpi_main.h"

static const char *const outputs[] = {"energy", "spectrum", "vorticity", "velocity"};

/* 10 training samples (one failed), 3 of each other split, two noise samples */
static const char *make_dataset(void)
{
    static char root[300];
    char path[400];

    if (root[0]) return root;
    snprintf(root, sizeof root, "%s", synthetic_folder("loader"));
    for (int s = 0; s < LOCUM_SPLITS; s++) {
        snprintf(path, sizeof path, "%s/%s/a.h5", root, locum_split_folder((locum_split)s));
        int64_t first = s == LOCUM_NOISE ? 110 : 10 * s, n = s == LOCUM_TRAIN ? 10 : s == LOCUM_NOISE ? 2 : 3;
        CHECK_OK(
            synthetic_shard(path, MPI_COMM_WORLD, SYNTHETIC_GRID_2, LOCUM_FLOAT64, (locum_split)s, first, n, 2, 4, 0));
    }
    return root;
}

static locum_table *read_table(void)
{
    locum_dataset *dataset = NULL;
    locum_table *table = NULL;

    CHECK_OK(locum_dataset_open(make_dataset(), &dataset));
    if (dataset) CHECK_OK(locum_table_read(dataset, 4, outputs, &table));
    locum_dataset_close(dataset);
    return table;
}

static void columns_hold_the_last_frames(void)
{
    locum_table *t = read_table();
    const locum_schema *schema = synthetic_schema(SYNTHETIC_GRID_2);

    if (!t) return;
    CU_ASSERT(t->n_columns == 6 && t->n_inputs == 2 && t->n_failed == 1);
    CU_ASSERT(t->n[LOCUM_TRAIN] == 9 && t->n[LOCUM_VALIDATION] == 3 && t->n[LOCUM_NOISE] == 2 && t->twin[1] == 11);
    CU_ASSERT(t->index[LOCUM_TRAIN][3] == 3 && t->index[LOCUM_TRAIN][4] == 5);
    CU_ASSERT(t->values[LOCUM_TRAIN][0][4] == 0.25 * 5 && t->columns[0].is_input && !t->columns[2].is_input);
    CU_ASSERT(t->columns[4].n_dims == 2 && t->columns[4].dims[0] == 6 && t->columns[4].dims[1] == 10 &&
              t->columns[4].extent == 60);
    CU_ASSERT(t->columns[5].n_dims == 3 && t->columns[5].dims[2] == 2 && t->columns[5].axis[2] == NULL);
    CU_ASSERT(t->columns[3].n_dims == 1 && t->columns[3].axis[0][1] == 1.5);
    CU_ASSERT_STRING_EQUAL(t->columns[3].axis_name[0], "k");
    CU_ASSERT_STRING_EQUAL(t->columns[4].unit, "s-1");
    for (int c = 2; c < 6; c++) {
        int a = locum_schema_find(schema, t->columns[c].name);
        for (int64_t i = 0; i < t->columns[c].extent; i++)
            CU_ASSERT(t->values[LOCUM_TRAIN][c][4 * t->columns[c].extent + i] == synthetic_value(5, 1, a, i));
    }
    locum_table_destroy(t);
}

static void normalisers_see_the_training_split_only(void)
{
    locum_table *t = read_table();

    if (!t) return;
    for (int c = 0; c < t->n_columns; c++)
        for (int64_t i = 0; i < t->columns[c].extent; i++) {
            long double sum = 0, squares = 0;
            for (int64_t r = 0; r < 9; r++) sum += t->values[LOCUM_TRAIN][c][r * t->columns[c].extent + i];
            for (int64_t r = 0; r < 9; r++) {
                long double d = t->values[LOCUM_TRAIN][c][r * t->columns[c].extent + i] - sum / 9;
                squares += d * d;
            }
            /* nine additions of numbers below 3 in double: below 9 * 3 * 2^-53 = 3e-15 */
            CHECK_CLOSE(t->columns[c].mean[i], (double)(sum / 9), 3e-15);
            CHECK_CLOSE(t->columns[c].scale[i], (double)sqrtl(squares / 9), 6e-15);
        }
    CU_ASSERT(t->columns[0].lower == 0.0 && t->columns[0].upper == 0.25 * 9); /* other splits go to 32 * 0.25 */
    locum_table_destroy(t);
}

/* runs n batches from a position; rows of each into `rows` [n * batch] */
static int64_t collect(const locum_table *t, uint64_t seed, int64_t batch, int64_t epoch, int64_t number, int n,
                       int64_t *rows)
{
    locum_loader *loader = NULL;
    const locum_batch *b = NULL;
    int64_t total = 0;

    CHECK_OK(locum_loader_create(t, LOCUM_TRAIN, batch, seed, true, epoch, number, &loader));
    for (int i = 0; loader && i < n; i++) {
        CHECK_OK(locum_loader_next(loader, &b, NULL));
        for (int64_t r = 0; r < b->n; r++) rows[total++] = b->row[r];
        for (int64_t r = 0; r < b->n; r++) {
            CU_ASSERT(b->sample[r] == t->index[LOCUM_TRAIN][b->row[r]]);
            for (int c = 0; c < t->n_columns; c++)
                for (int64_t k = 0; k < t->columns[c].extent; k++)
                    if (b->column[c][r * t->columns[c].extent + k] !=
                        (float)t->values[LOCUM_TRAIN][c][b->row[r] * t->columns[c].extent + k])
                        CU_FAIL("a value of a batch is not the table's");
        }
    }
    locum_loader_destroy(loader);
    return total;
}

static void order_is_a_function_of_seed_and_epoch(void)
{
    locum_table *t = read_table();
    int64_t rows[64], want[9];

    if (!t) return;
    CU_ASSERT(collect(t, 77, 4, 0, 0, 6, rows) == 18); /* two epochs of 4 + 4 + 1 */
    for (int64_t e = 0; e < 2; e++) {
        locum_random_order(77, LOCUM_STREAM_SHUFFLE, (uint64_t)e, 9, want);
        CU_ASSERT(!memcmp(rows + 9 * e, want, sizeof want));
    }
    CU_ASSERT(memcmp(rows, rows + 9, 9 * sizeof *rows) != 0); /* epochs differ (1 chance in 362880 that they do not) */
    locum_table_destroy(t);
}

static void a_resumed_loader_goes_on_where_it_was(void)
{
    locum_table *t = read_table();
    int64_t all[64], part[64];

    if (!t) return;
    CU_ASSERT(collect(t, 5, 4, 0, 0, 9, all) == 27);
    CU_ASSERT(collect(t, 5, 4, 1, 2, 4, part) == 10); /* the last batch of epoch 1, then epoch 2 */
    CU_ASSERT(!memcmp(part, all + 17, 10 * sizeof *part));
    locum_table_destroy(t);
}

/* a slow caller never waits: the next batch was made while it worked */
static void the_next_batch_is_made_ahead(void)
{
    locum_table *t = read_table();
    locum_loader *loader = NULL;
    const locum_batch *b = NULL;
    struct timespec work = {.tv_nsec = 20000000};
    double waited = 0;

    if (!t) return;
    CHECK_OK(locum_loader_create(t, LOCUM_TRAIN, 4, 1, false, 0, 0, &loader));
    for (int i = 0; loader && i < 10; i++) {
        CHECK_OK(locum_loader_next(loader, &b, &waited));
        CU_ASSERT(b->epoch == i / 3 && b->number == i % 3 && b->row[0] == 4 * (i % 3));
        if (i == 0) waited = 0; /* nothing can be ready before the first call */
        nanosleep(&work, NULL);
    }
    CU_ASSERT(locum_loader_per_epoch(loader) == 3);
    CHECK_CLOSE(waited, 0.0, 0.02); /* 9 batches of 2 KiB in 180 ms of work: one scheduling hiccup is allowed for */
    locum_loader_destroy(loader);
    locum_table_destroy(t);
}

static void a_table_has_one_hash(void)
{
    locum_table *a = read_table(), *b = read_table(), *c = NULL;
    locum_dataset *dataset = NULL;

    CHECK_OK(locum_dataset_open(make_dataset(), &dataset));
    CHECK_OK(locum_table_read(dataset, 3, outputs, &c));
    if (a && b && c) CU_ASSERT(a->hash == b->hash && a->hash != c->hash);
    locum_dataset_close(dataset);
    locum_table_destroy(a);
    locum_table_destroy(b);
    locum_table_destroy(c);
}

static void what_is_missing_is_named(void)
{
    static const char *const wrong[] = {"enrgy"}, *const ragged[] = {"position"};
    locum_dataset *dataset = NULL;
    locum_table *t = NULL;
    locum_loader *loader = NULL;
    char path[400];

    CHECK_OK(locum_dataset_open(make_dataset(), &dataset));
    CHECK_FAILS(locum_table_read(dataset, 1, wrong, &t), LOCUM_STUDY);
    CU_ASSERT(strstr(locum_status_message(), "energy, momentum, spectrum") != NULL);
    CHECK_FAILS(locum_table_read(dataset, 1, ragged, &t), LOCUM_STUDY);
    locum_dataset_close(dataset);
    snprintf(path, sizeof path, "%s/data/test", make_dataset());
    CHECK_OK(locum_dataset_open(path, &dataset));
    CHECK_FAILS(locum_table_read(dataset, 4, outputs, &t), LOCUM_STUDY);
    CU_ASSERT(strstr(locum_status_message(), "3 test") != NULL);
    locum_dataset_close(dataset);
    t = read_table();
    CHECK_FAILS(locum_loader_create(t, LOCUM_TRAIN, 4, 1, false, 0, 3, &loader), LOCUM_ARG);
    locum_table_destroy(t);
}

static void a_nan_is_named(void)
{
    locum_store_facts facts = synthetic_facts();
    locum_shard *shard = NULL;
    locum_dataset *dataset = NULL;
    locum_table *t = NULL;
    double parameter[2] = {1, 2};
    locum_store_sample sample = {.index = 42, .split = LOCUM_TRAIN, .twin = -1, .parameter = parameter};
    char path[400];

    snprintf(path, sizeof path, "%s/nan.h5", make_dataset());
    CHECK_OK(locum_shard_create(path, MPI_COMM_WORLD, &facts, LOCUM_TRAIN, LOCUM_FLOAT64, &shard));
    if (!shard) return;
    locum_sink sink = locum_shard_sink(shard);
    locum_shard_sample(shard, &sample);
    CHECK_OK(sink.open(sink.self, synthetic_schema(SYNTHETIC_GRID_2), NULL, NULL));
    locum_frame *frame = synthetic_frame(SYNTHETIC_GRID_2, 0, 0, 0, 1);
    ((double *)(uintptr_t)frame->blocks[6].data)[17] = NAN;
    CHECK_OK(sink.frame(sink.self, frame));
    synthetic_frame_free(frame);
    CHECK_OK(sink.close(sink.self, LOCUM_OK));
    CHECK_OK(locum_shard_commit(shard));
    CHECK_OK(locum_dataset_open(path, &dataset));
    if (!dataset) return;
    CHECK_FAILS(locum_table_read(dataset, 4, outputs, &t), LOCUM_DAMAGED);
    CU_ASSERT(strstr(locum_status_message(), "sample 42: value 17 of \"vorticity\"") != NULL);
    locum_dataset_close(dataset);
}

/* --- rows of another kind ----------------------------------------------------------------------------------------- */
static locum_status fill_or_fail(const void *self, int64_t row, float *const *to)
{
    const int64_t *bad = self;
    if (row == *bad) return LOCUM_FAIL(LOCUM_DAMAGED, "row %lld cannot be read", (long long)row);
    to[0][0] = (float)row;
    to[1][0] = to[1][1] = (float)(10 * row);
    return LOCUM_OK;
}

static void a_row_that_fails_is_reported_by_its_batch(void)
{
    static const int64_t extent[2] = {1, 2}, sample[7] = {100, 101, 102, 103, 104, 105, 106}, bad = 5;
    locum_rows rows = {.n_columns = 2, .extent = extent, .n = 7, .sample = sample, .self = &bad, .fill = fill_or_fail};
    locum_loader *loader = NULL;
    const locum_batch *batch = NULL;

    CHECK_OK(locum_loader_create_rows(&rows, 2, 1, false, 0, 0, &loader));
    if (!loader) return;
    for (int b = 0; b < 2; b++) {
        CHECK_OK(locum_loader_next(loader, &batch, NULL));
        CU_ASSERT(batch->n == 2 && batch->sample[1] == 101 + 2 * b && batch->column[0][1] == (float)(2 * b + 1) &&
                  batch->column[1][3] == (float)(10 * (2 * b + 1)));
    }
    for (int again = 0; again < 2; again++) { /* asking once more neither waits nor goes on */
        CHECK_FAILS(locum_loader_next(loader, &batch, NULL), LOCUM_DAMAGED);
        CU_ASSERT_STRING_EQUAL(locum_status_message(), "row 5 cannot be read");
    }
    locum_loader_destroy(loader);
}

LOCUM_RUN_RANKS("loader", {"columns hold parameters and last frames", columns_hold_the_last_frames},
                {"normalisers see the training split only", normalisers_see_the_training_split_only},
                {"the order is a function of seed and epoch", order_is_a_function_of_seed_and_epoch},
                {"a resumed loader goes on where it was", a_resumed_loader_goes_on_where_it_was},
                {"the next batch is made ahead", the_next_batch_is_made_ahead},
                {"the same table has the same hash", a_table_has_one_hash},
                {"what is missing is named", what_is_missing_is_named}, {"a NaN in a sample is named", a_nan_is_named},
                {"a row that fails is reported", a_row_that_fails_is_reported_by_its_batch})

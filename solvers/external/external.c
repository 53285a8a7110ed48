/* SPDX-License-Identifier: BSD-3-Clause */
/* external.c - descriptor and life of a solver that is somebody else's program.
 *
 *     create: schema, environment      start: rank 0 writes parameters and runs the program       observe: reads a frame
 *
 * Frames i = 0, 1, ... have the times i interval; without an interval there is one frame. The program has ended before
 * the first frame is read, so a step only moves on to the next one. Every rank reads its own slice of a grid.
 * Left out: starting from a given frame, and so from a restart file: the program is run again, or its files are used. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/parallel/comm.h"
#include "solvers/external/external_internal.h"

struct locum_solver {
    external_config config;
    locum_services services;
    MPI_Comm comm;
    int rank, size;
    char **environment;
    external_schema schema;
};

struct locum_state {
    const locum_solver *solver;
    char folder[LOCUM_PATH_SIZE]; /**< of the sample */
    bool temporary;
    int n_files;
    char (*files)[LOCUM_PATH_SIZE]; /**< owned */
    int64_t frame;
    double time;
    double *values[LOCUM_EXTERNAL_FIELDS]; /**< owned; this rank's part */
};

/* --- config ------------------------------------------------------------------------------------------------ */

int64_t locum_external_n_frames(const external_config *config)
{
    return isnan(config->interval) ? 1 : (int64_t)floor(config->until / config->interval + 1e-9) + 1;
}

static locum_status check_grids(const external_config *c)
{
    int grid = -1, axes, axes_of_grid = 0;

    for (int f = 0; f < c->n_fields; f++) {
        LOCUM_REQUIRE(c->n_shape[f] >= 1, LOCUM_STUDY, "fields: %s has no shape", c->field_name[f]);
        int components = locum_external_components(c, f, &axes);
        LOCUM_REQUIRE(components <= 3, LOCUM_STUDY, "fields: %s has %d components, at most 3 are possible",
                      c->field_name[f], components);
        for (int d = 0; d < axes; d++)
            LOCUM_REQUIRE(c->shape[f][d] >= 2, LOCUM_STUDY, "fields: %s has an axis with one point", c->field_name[f]);
        if (axes < 2) continue;
        if (grid < 0) {
            grid = f;
            axes_of_grid = axes;
        }
        bool same = axes == axes_of_grid && !memcmp(c->shape[f], c->shape[grid], (size_t)axes * sizeof(int32_t));
        LOCUM_REQUIRE(same, LOCUM_STUDY, "fields: %s and %s lie on different grids; a frame has one",
                      c->field_name[grid], c->field_name[f]);
    }
    return LOCUM_OK;
}

/* both command lines, with values of some sample */
static locum_status check_commands(const external_config *c)
{
    external_values *values = NULL;
    external_command *command = NULL;
    locum_status st = LOCUM_NEW(&values, 1);

    if (!st) st = LOCUM_NEW(&command, 1);
    if (!st) locum_external_values_fill(c, "/folder", 0, 0, values);
    if (!st) st = locum_external_command_make("run", c->n_run, c->run, values, c->folder, command);
    if (!st && command->argv[0][0] == '/' && access(command->argv[0], X_OK))
        st = LOCUM_FAIL(LOCUM_STUDY, "run: there is no program %s that may be executed", command->argv[0]);
    if (!st && c->n_prepare > 0)
        st = locum_external_command_make("prepare", c->n_prepare, c->prepare, values, c->folder, command);
    free(command);
    free(values);
    return st;
}

locum_status locum_external_check(const void *config)
{
    const external_config *c = config;

    LOCUM_REQUIRE(c->n_fields > 0, LOCUM_STUDY,
                  "fields: say what a frame holds, for example `fields: {temperature: [64, 64], energy: 1}`");
    LOCUM_REQUIRE(c->frames[0], LOCUM_STUDY, "frames: name the files that the program writes");
    LOCUM_REQUIRE(c->frames[0] != '/' && !strstr(c->frames, ".."), LOCUM_STUDY,
                  "frames: the program writes into the folder where it is started; give a name there");
    LOCUM_REQUIRE(isnan(c->interval) == isnan(c->until), LOCUM_STUDY,
                  "interval and until go together: the program writes frames at 0, interval, ..., until");
    LOCUM_REQUIRE(isnan(c->until) || c->until / c->interval < 1e7, LOCUM_STUDY, "interval: too many frames");
    for (int p = 0; p < c->n_parameters; p++)
        LOCUM_REQUIRE(!isnan(c->parameter[p]), LOCUM_STUDY, "parameters: %s has no value", c->parameter_name[p]);
    LOCUM_TRY(check_grids(c));
    for (int f = 0; f < c->n_fields; f++)
        LOCUM_REQUIRE(c->format != 1 || c->n_shape[f] == 1, LOCUM_STUDY,
                      "format: csv holds values and rows; %s lies on a grid", c->field_name[f]);
    return check_commands(c);
}

/* --- life -------------------------------------------------------------------------------------------------- */

static void destroy(locum_solver *solver)
{
    if (!solver) return;
    free(solver->environment);
    locum_external_schema_free(&solver->schema);
    free(solver);
}

static locum_status create(const void *config, const locum_services *services, MPI_Comm comm, locum_solver **solver)
{
    *solver = NULL;
    locum_status st = LOCUM_NEW(solver, 1);
    if (!st) {
        locum_solver *s = *solver;
        s->config = *(const external_config *)config;
        if (services) s->services = *services;
        s->comm = comm;
        MPI_Comm_rank(comm, &s->rank);
        MPI_Comm_size(comm, &s->size);
        st = locum_external_check(&s->config);
        if (!st) st = locum_external_environment(&s->environment);
        if (!st) st = locum_external_schema_make(&s->config, &s->schema);
    }
    st = locum_comm_agree(comm, st);
    if (st) {
        destroy(*solver);
        *solver = NULL;
    }
    return st;
}

static const locum_schema *schema(const locum_solver *solver)
{
    return &solver->schema.schema;
}

/* what the last sample left, where it is not wanted */
static void drop_sample(locum_state *state)
{
    const locum_solver *s = state->solver;

    if (s->rank == 0 && state->temporary && state->folder[0]) locum_external_remove_folder(state->folder);
    for (int i = 0; s->rank == 0 && !state->temporary && s->config.keep == KEEP_LOG && i < state->n_files; i++)
        unlink(state->files[i]);
    free(state->files);
    state->files = NULL;
    state->n_files = 0;
    state->folder[0] = 0;
}

static void free_state(locum_state *state)
{
    if (!state) return;
    drop_sample(state);
    for (int f = 0; f < LOCUM_EXTERNAL_FIELDS; f++) free(state->values[f]);
    free(state);
}

/* --- this rank's part of a field --------------------------------------------------------------------------- */

/* grids in even slices along x; rows on rank 0; one value everywhere. count: values */
static void part_of(const locum_solver *s, int f, locum_block *block, int64_t *count)
{
    const locum_schema *all = &s->schema.schema;
    const locum_domain *domain = &all->domains[all->arrays[f].domain];
    int64_t n = domain->n_global[0];

    *block = (locum_block){.n = {1, 1, 1}, .n_global = 1};
    if (domain->support != LOCUM_GLOBAL) {
        bool grid = domain->support == LOCUM_GRID;
        for (int d = 0; d < domain->n_dims; d++) block->n[d] = domain->n_global[d];
        block->first[0] = grid ? n * s->rank / s->size : 0;
        block->n[0] = grid ? n * (s->rank + 1) / s->size - block->first[0] : s->rank == 0 ? n : 0;
        block->n_global = n;
    }
    *count = locum_block_count(all, f, block);
}

static locum_status read_field(const locum_solver *s, locum_state *state, int f, locum_block *block)
{
    const external_config *c = &s->config;
    int64_t n_frames = locum_external_n_frames(c), count;
    bool one_file = state->n_files == 1 && n_frames > 1;
    locum_file_array from = {.path = state->files[one_file ? 0 : state->frame],
                             .format = locum_external_formats[c->format],
                             .name = c->field_name[f],
                             .n_dims = c->n_shape[f] == 1 && c->shape[f][0] == 1 ? 0 : c->n_shape[f],
                             .frame = one_file ? state->frame : -1,
                             .n_frames = n_frames};

    part_of(s, f, block, &count);
    for (int d = 0; d < 4; d++) from.shape[d] = d < from.n_dims ? c->shape[f][d] : 1;
    from.first = block->first[0];
    from.n = block->n[0];
    block->data = state->values[f];
    if (count == 0) return LOCUM_OK;
    return s->services.read(s->services.self, &from, state->values[f]);
}

/* a file that was cut off, or holds too few frames, fails its sample; another shape or name ends the campaign */
static locum_status translate(const locum_state *state, locum_status st)
{
    char words[512];

    if (st != LOCUM_DAMAGED) return st;
    locum_format(words, sizeof words, "%s", locum_status_message());
    return LOCUM_FAIL(LOCUM_CONVERGENCE, "what the program left in %s cannot be read: %s", state->folder, words);
}

/* --- the sample -------------------------------------------------------------------------------------------- */

/* rank 0: where it runs */
static locum_status choose_folder(const locum_solver *s, const locum_sample *sample, locum_state *state)
{
    const char *folder = s->services.folder;
    char absolute[LOCUM_PATH_SIZE] = "";

    state->temporary = !folder || !folder[0];
    if (state->temporary) {
        locum_format(state->folder, sizeof state->folder, "/tmp/locum-external-XXXXXX");
        LOCUM_REQUIRE(mkdtemp(state->folder), LOCUM_IO, "cannot make a folder in /tmp");
        return LOCUM_OK;
    }
    if (folder[0] != '/' && !getcwd(absolute, sizeof absolute))
        return LOCUM_FAIL(LOCUM_IO, "the current directory has no path");
    int n = locum_format(state->folder, sizeof state->folder, "%s%s%s/%06lld", absolute, *absolute ? "/" : "", folder,
                         (long long)sample->index);
    LOCUM_REQUIRE(n + LOCUM_TEXT_SIZE < (int)sizeof state->folder, LOCUM_ARG, "the path %s is too long", folder);
    return LOCUM_OK;
}

static locum_status run_program(const locum_solver *s, const locum_sample *sample, locum_state *state)
{
    external_job job = {.config = sample->config ? sample->config : &s->config,
                        .services = &s->services,
                        .environment = s->environment,
                        .folder = state->folder,
                        .index = sample->index,
                        .seed = sample->seed};

    LOCUM_TRY(choose_folder(s, sample, state));
    LOCUM_REQUIRE(s->services.read, LOCUM_ARG, "external: the host offers no way to read files");
    return locum_external_sample_run(&job);
}

static locum_status find_files(const locum_solver *s, locum_state *state)
{
    int64_t n_frames = locum_external_n_frames(&s->config);

    LOCUM_TRY(locum_external_find(state->folder, s->config.frames, &state->n_files, &state->files));
    LOCUM_REQUIRE(state->n_files > 0, LOCUM_CONVERGENCE, "the program left no file %s in %s", s->config.frames,
                  state->folder);
    LOCUM_REQUIRE(state->n_files == 1 || state->n_files >= n_frames, LOCUM_CONVERGENCE,
                  "the program wrote %d frames (%s), not %lld, in %s", state->n_files, s->config.frames,
                  (long long)n_frames, state->folder);
    LOCUM_REQUIRE(state->n_files == 1 || state->n_files == n_frames, LOCUM_STUDY,
                  "frames: %s matches %d files, but a sample has %lld frame%s", s->config.frames, state->n_files,
                  (long long)n_frames, n_frames > 1 ? "s (until / interval + 1)" : "");
    return LOCUM_OK;
}

static locum_status make_state(const locum_solver *s, locum_state **state)
{
    locum_status st = LOCUM_NEW(state, 1);

    if (!st) (*state)->solver = s;
    for (int f = 0; !st && f < s->config.n_fields; f++) {
        locum_block block;
        int64_t count;
        part_of(s, f, &block, &count);
        st = LOCUM_NEW(&(*state)->values[f], count + 1);
    }
    if (st) {
        free_state(*state);
        *state = NULL;
    }
    return st;
}

static locum_status start(const locum_solver *s, const locum_sample *sample, locum_state **state)
{
    LOCUM_TRY(locum_comm_agree(s->comm, *state ? LOCUM_OK : make_state(s, state)));
    locum_state *a = *state;
    drop_sample(a);
    a->frame = 0;
    a->time = 0;
    LOCUM_TRY(locum_comm_verdict(s->comm, s->rank == 0 ? run_program(s, sample, a) : LOCUM_OK));
    LOCUM_TRY(locum_comm_broadcast(s->comm, a->folder, sizeof a->folder));
    LOCUM_TRY(locum_comm_agree(s->comm, find_files(s, a)));
    if (sample->exact && sample->initial && !isnan(s->config.interval)) {
        a->frame = (int64_t)round(sample->initial->time / s->config.interval);
        a->time = sample->initial->time;
    }
    return LOCUM_OK;
}

static locum_status advance(const locum_solver *s, locum_state *state, double t_end)
{
    const external_config *c = &s->config;

    if (isnan(c->interval)) return LOCUM_OK;
    double next = (double)(state->frame + 1) * c->interval;
    LOCUM_REQUIRE(state->frame + 1 < locum_external_n_frames(c), LOCUM_STUDY,
                  "record asks for time %g, the program's last frame is at solver.until = %g", t_end, c->until);
    LOCUM_REQUIRE(next <= t_end + 1e-9 * c->interval, LOCUM_STUDY,
                  "record asks for time %g, which lies between frames: the program writes one every %g", t_end,
                  c->interval);
    state->frame++;
    state->time = fabs(next - t_end) <= 1e-9 * c->interval ? t_end : next;
    return LOCUM_OK;
}

static locum_status observe(const locum_solver *s, locum_state *state, const bool *wanted, locum_frame *frame)
{
    frame->schema = &s->schema.schema;
    frame->time = state->time;
    frame->step = state->frame;
    for (int f = 0; f < s->config.n_fields; f++)
        if (wanted[f]) LOCUM_TRY(translate(state, read_field(s, state, f, &frame->blocks[f])));
    return LOCUM_OK;
}

static double time_of(const locum_state *state)
{
    return state->time;
}

const locum_solver_type locum_solver_external = {.name = "external",
                                                 .summary = "a program of yours, started once a sample",
                                                 .options = locum_external_options,
                                                 .config_size = sizeof(external_config),
                                                 .reproducible = LOCUM_ROUNDOFF,
                                                 .create = create,
                                                 .schema = schema,
                                                 .start = start,
                                                 .advance = advance,
                                                 .observe = observe,
                                                 .time = time_of,
                                                 .free_state = free_state,
                                                 .destroy = destroy,
                                                 .check = locum_external_check};

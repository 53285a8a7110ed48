/* SPDX-License-Identifier: BSD-3-Clause */
/* crew.c - groups that take work from a shared counter, see each other's failures, and stop together.
 *
 *     work counter    | failures (from bit 50) | stops (from bit 36) | next item |
 * No group waits for another: whoever stops or fails adds a large number to the counter that all take from, and
 * everybody looks at it between steps, at most ten times a second. A look costs one atomic read of the shared memory
 * of a node. */
#include "core/study/log.h"
#include "datasets/campaign/campaign_parts.h"

#define STOP ((int64_t)1 << 36)
#define FAIL ((int64_t)1 << 50)
#define HIGH ((int64_t)1 << 32) /* tally: failed items */

static const double look_seconds = 0.1;

locum_status locum_crew_create(MPI_Comm world, locum_watch *watch, bool speaks, locum_crew *crew)
{
    *crew = (locum_crew){.world = world, .watch = watch, .speaks = speaks};
    locum_watch_begin(&crew->local, &crew->raised, NULL, NAN);
    locum_status st = locum_counter_create(world, 0, &crew->work);
    if (!st) st = locum_counter_create(world, 0, &crew->tally);
    if (st) locum_crew_destroy(crew);
    return st;
}

void locum_crew_destroy(locum_crew *crew)
{
    locum_counter_destroy(crew->tally);
    locum_counter_destroy(crew->work);
    crew->work = crew->tally = NULL;
}

static void see(locum_crew *crew, int64_t counter)
{
    if (counter >= STOP) crew->raised = 1;
    if (counter >= FAIL)
        crew->failed = true;
    else if (counter >= STOP)
        crew->stopped = true;
}

locum_status locum_crew_take(locum_crew *crew, int64_t n, int64_t *first)
{
    LOCUM_TRY(locum_counter_take(crew->work, n, first));
    see(crew, *first);
    return LOCUM_OK;
}

void locum_crew_stop(locum_crew *crew)
{
    int64_t before;

    if (crew->stopped || crew->failed) return;
    if (!locum_counter_take(crew->work, STOP, &before)) see(crew, before + STOP);
}

void locum_crew_fail(locum_crew *crew)
{
    int64_t before;

    if (crew->failed) return;
    if (!locum_counter_take(crew->work, FAIL, &before)) see(crew, before + FAIL);
}

void locum_crew_look(locum_crew *crew)
{
    double now = locum_clock();
    int64_t counter;

    if (!crew->speaks || crew->raised || now - crew->looked < look_seconds) return;
    crew->looked = now;
    if (!locum_counter_take(crew->work, 0, &counter)) see(crew, counter);
    if (!crew->raised && locum_watch_reason(crew->watch)) locum_crew_stop(crew);
}

void locum_crew_finished(locum_crew *crew, bool failed)
{
    int64_t before;

    /* a lost count spoils the progress line alone */
    if (locum_counter_take(crew->tally, failed ? HIGH + 1 : 1, &before)) locum_status_clear();
}

void locum_crew_tally(locum_crew *crew, int64_t *n_finished, int64_t *n_failed)
{
    int64_t both = 0;

    if (locum_counter_take(crew->tally, 0, &both)) locum_status_clear();
    *n_finished = both % HIGH;
    *n_failed = both / HIGH;
}

void locum_crew_between_steps(void *crew, double time, int64_t step)
{
    (void)time, (void)step;
    locum_crew_look(crew);
}

static void show(locum_crew *crew, locum_progress *progress)
{
    int64_t finished, failed;

    locum_crew_tally(crew, &finished, &failed);
    locum_progress_update(progress, (double)finished, "%lld failed", (long long)failed);
}

static locum_status work(locum_crew *crew, int64_t n, locum_progress *progress,
                         locum_status (*solve)(void *self, int64_t item), void *self)
{
    int64_t item = 0;

    for (;;) {
        LOCUM_TRY(locum_crew_take(crew, 1, &item));
        locum_crew_look(crew);
        if (crew->raised) return LOCUM_FAIL(LOCUM_STOPPED, "stopped between samples");
        if (item >= n) return LOCUM_OK;
        LOCUM_TRY(solve(self, item));
        if (progress) show(crew, progress);
    }
}

locum_status locum_crew_work(locum_crew *crew, int64_t n, locum_progress *progress,
                             locum_status (*solve)(void *self, int64_t item), void *self)
{
    int rank;

    MPI_Comm_rank(crew->world, &rank);
    locum_status st = work(crew, n, rank == 0 ? progress : NULL, solve, self);
    if (st && st != LOCUM_STOPPED) locum_crew_fail(crew);
    return locum_comm_agree(crew->world, st);
}

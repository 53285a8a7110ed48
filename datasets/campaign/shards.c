/* SPDX-License-Identifier: BSD-3-Clause */
/* shards.c - the open shards of one group: one per split, committed after so many bytes or so many seconds of work.
 *
 *     data/<split>/shard-<index of its first sample>-<group>.h5
 * A sample lies in one committed shard at most, so the name is unique in the dataset, in other jobs and after a
 * resume too. */
#include <stdio.h>

#include "core/failpoint.h"
#include "core/study/commit.h"
#include "datasets/campaign/campaign_parts.h"

static locum_status begin_shard(locum_shards *shards, const locum_plan_sample *first)
{
    char path[LOCUM_PATH_SIZE];
    locum_open_shard *open = &shards->open[first->split];
    int n = locum_format(path, sizeof path, "%s/%s/shard-%06lld-%d.h5", shards->dataset,
                         locum_split_folder(first->split), (long long)first->index, shards->group_index);

    LOCUM_REQUIRE(n < (int)sizeof path, LOCUM_ARG, "the path of %s is too long", shards->dataset);
    open->seconds = 0;
    return locum_shard_create(path, shards->group, shards->facts, first->split, shards->precision, &open->shard);
}

locum_status locum_shards_for(locum_shards *shards, const locum_plan_sample *sample, locum_sink *sink)
{
    locum_open_shard *open = &shards->open[sample->split];
    locum_store_sample says = {sample->index, sample->seed, sample->split, sample->twin, sample->parameter};

    if (!open->shard) LOCUM_TRY(begin_shard(shards, sample));
    locum_shard_sample(open->shard, &says);
    *sink = locum_shard_sink(open->shard);
    return LOCUM_OK;
}

static locum_status commit_one(locum_shards *shards, locum_open_shard *open)
{
    locum_shard *shard = open->shard;

    if (!shard) return LOCUM_OK;
    open->shard = NULL;
    if (locum_shard_n_samples(shard) == 0) {
        locum_shard_abandon(shard);
        return LOCUM_OK;
    }
    locum_status st = locum_comm_agree(shards->group, locum_failpoint("campaign_commit"));
    if (!st) return locum_shard_commit(shard);
    locum_shard_abandon(shard);
    return st;
}

locum_status locum_shards_closed(locum_shards *shards, locum_split split, double seconds)
{
    locum_open_shard *open = &shards->open[split];
    int size, full;

    open->seconds += seconds;
    full = (double)locum_shard_bytes(open->shard) >= shards->most_bytes || open->seconds >= shards->most_seconds;
    MPI_Comm_size(shards->group, &size);
    if (size > 1) MPI_Bcast(&full, 1, MPI_INT, 0, shards->group); /* clocks differ */
    return full ? commit_one(shards, open) : LOCUM_OK;
}

locum_status locum_shards_commit(locum_shards *shards)
{
    locum_status st = LOCUM_OK;

    for (int s = 0; s < LOCUM_SPLITS && !st; s++) st = commit_one(shards, &shards->open[s]);
    return st;
}

void locum_shards_abandon(locum_shards *shards)
{
    for (int s = 0; s < LOCUM_SPLITS; s++) {
        locum_shard_abandon(shards->open[s].shard);
        shards->open[s].shard = NULL;
    }
}

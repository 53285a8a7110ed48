/* SPDX-License-Identifier: BSD-3-Clause */
/* run_directory.c - what a run has done already, and who works on it now.
 *
 *     begin: lock -> read stages/<stage>.json -> new | resume | done | made from other options
 *     finish: write it "done" -> unlock
 *
 * A lock is an flock on stages/<stage>.lock: the kernel drops it when its owner dies, however it dies. Parts of a stage
 * ("generate.shard-3") exclude the whole stage, not each other: each holds the stage's lock shared, its own alone. */
#include "core/study/run_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/hash.h"
#include "core/json.h"
#include "core/memory.h"
#include "core/study/commit.h"
#include "core/study/document_tree.h"
#include "core/study/log.h"

#define MOST_STAGES 16
#define STAGE_SIZE 64
#define TIME_SIZE 32
#define RECORD_BYTES (4u << 20)

/* a stage that this process works on */
typedef struct held_stage {
    char stage[STAGE_SIZE], started[TIME_SIZE];
    int lock, whole_lock; /* open files; whole_lock: the stage that this is a part of, or -1 */
    uint64_t hash;
    char *options;       /* owned */
    double begun, spent; /* locum_clock() of begin; seconds of earlier processes */
} held_stage;

struct locum_run {
    char path[LOCUM_PATH_SIZE];
    int n_held;
    held_stage held[MOST_STAGES];
};

/* stages/<stage>.json as read */
typedef struct record {
    bool exists, done;
    uint64_t hash;
    double seconds;
    char started[TIME_SIZE];
    char *options; /* owned */
} record;

/* ---- paths and names ---- */

locum_status locum_run_open(const char *path, locum_run **run)
{
    char stages[LOCUM_PATH_SIZE];
    locum_run *fresh = NULL;
    *run = NULL;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    LOCUM_REQUIRE(n > 0 && n < LOCUM_PATH_SIZE - 128, LOCUM_INPUT, "`%.80s`: no usable path of a run directory", path);
    LOCUM_TRY(LOCUM_NEW(&fresh, 1));
    snprintf(fresh->path, sizeof fresh->path, "%.*s", (int)n, path);
    locum_status st = locum_run_file(fresh, "stages", stages);
    if (!st) st = locum_make_directories(stages);
    if (st) {
        free(fresh);
        return st;
    }
    *run = fresh;
    return LOCUM_OK;
}

const char *locum_run_path(const locum_run *run)
{
    return run->path;
}

locum_status locum_run_file(const locum_run *run, const char *name, char out[LOCUM_PATH_SIZE])
{
    if (snprintf(out, LOCUM_PATH_SIZE, "%s/%s", run->path, name) >= LOCUM_PATH_SIZE)
        return LOCUM_FAIL(LOCUM_ARG, "%.200s/%.200s: the path is too long", run->path, name);
    return LOCUM_OK;
}

static locum_status stage_file(const locum_run *run, const char *stage, const char *ending, char out[LOCUM_PATH_SIZE])
{
    char name[2 * STAGE_SIZE];
    bool sound = stage[0] && strlen(stage) < STAGE_SIZE &&
                 strspn(stage, "abcdefghijklmnopqrstuvwxyz0123456789_-.") == strlen(stage) && stage[0] != '.';
    LOCUM_REQUIRE(sound, LOCUM_ARG, "`%.80s` is no name of a stage", stage);
    snprintf(name, sizeof name, "stages/%s.%s", stage, ending);
    return locum_run_file(run, name, out);
}

/* "generate" of "generate.shard-3" */
static void whole_stage(const char *stage, char whole[STAGE_SIZE])
{
    snprintf(whole, STAGE_SIZE, "%.*s", (int)strcspn(stage, "."), stage);
}

static bool is_part(const char *stage)
{
    return strchr(stage, '.') != NULL;
}

static held_stage *find_held(locum_run *run, const char *stage)
{
    for (int i = 0; i < run->n_held; i++) {
        if (!strcmp(run->held[i].stage, stage)) return &run->held[i];
    }
    return NULL;
}

static void time_text(char out[TIME_SIZE])
{
    time_t now = time(NULL);
    struct tm utc;
    strftime(out, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}

static void host_text(char *out, size_t size)
{
    if (gethostname(out, size)) snprintf(out, size, "unknown");
    out[size - 1] = 0;
}

/* ---- locks ---- */

/* who holds it, from the note in the lock file; it may be a moment late */
static void read_note(int file, char *note, size_t size)
{
    for (int attempt = 0; attempt < 10; attempt++) {
        ssize_t n = pread(file, note, size - 1, 0);
        note[n > 0 ? n : 0] = 0;
        char *end = strchr(note, '\n');
        if (end) {
            *end = 0;
            return;
        }
        struct timespec pause = {0, 20000000};
        nanosleep(&pause, NULL);
    }
    snprintf(note, size, "another process");
}

/* a lost note only makes a message of others poorer */
static void write_note(int file)
{
    char host[256], since[TIME_SIZE], note[512];
    host_text(host, sizeof host);
    time_text(since);
    int n = snprintf(note, sizeof note, "process %ld on %s since %s\n", (long)getpid(), host, since);
    if (!ftruncate(file, 0) && pwrite(file, note, (size_t)n, 0) != n) (void)!ftruncate(file, 0);
}

static locum_status lock_file(const locum_run *run, const char *locked, const char *stage, bool shared, int *lock)
{
    char path[LOCUM_PATH_SIZE], note[512];
    *lock = -1;
    LOCUM_TRY(stage_file(run, locked, "lock", path));
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) return LOCUM_FAIL(LOCUM_IO, "%s: cannot be written: %s", path, strerror(errno));
    while (flock(file, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB)) {
        if (errno == EINTR) continue;
        locum_status st;
        if (errno == EWOULDBLOCK) {
            read_note(file, note, sizeof note);
            st = LOCUM_FAIL(LOCUM_BUSY, "stage `%s` of %s is in use by %s: wait for it, or stop it", stage, run->path,
                            note);
        } else {
            st = LOCUM_FAIL(LOCUM_IO, "%s: cannot be locked: %s (does the file system support flock?)", path,
                            strerror(errno));
        }
        close(file);
        return st;
    }
    write_note(file);
    *lock = file;
    return LOCUM_OK;
}

static void unlock(held_stage *held)
{
    if (held->lock >= 0) close(held->lock);
    if (held->whole_lock >= 0) close(held->whole_lock);
    held->lock = held->whole_lock = -1;
}

static locum_status lock_stage(locum_run *run, const char *stage, held_stage *held)
{
    char whole[STAGE_SIZE];
    whole_stage(stage, whole);
    held->lock = held->whole_lock = -1;
    if (is_part(stage) && !find_held(run, whole)) LOCUM_TRY(lock_file(run, whole, stage, true, &held->whole_lock));
    locum_status st = lock_file(run, stage, stage, false, &held->lock);
    if (st) unlock(held);
    return st;
}

static void release(locum_run *run, held_stage *held)
{
    unlock(held);
    free(held->options);
    *held = run->held[--run->n_held];
}

void locum_run_close(locum_run *run)
{
    if (!run) return;
    while (run->n_held > 0) locum_stage_leave(run, run->held[run->n_held - 1].stage);
    free(run);
}

/* ---- records ---- */

static locum_status damaged(const char *path)
{
    return LOCUM_FAIL(LOCUM_DAMAGED, "%s is damaged: --force makes the stage anew", path);
}

static locum_status parse_record(const locum_json *json, const char *path, record *r)
{
    char *end = NULL;
    const char *hash = locum_json_string(json, locum_json_find(json, 0, "hash"));
    const char *state = locum_json_string(json, locum_json_find(json, 0, "state"));
    const char *options = locum_json_string(json, locum_json_find(json, 0, "options"));
    const char *started = locum_json_string(json, locum_json_find(json, 0, "started"));
    if (!hash || strlen(hash) != LOCUM_HASH_TEXT_SIZE - 1 || !state || !options || !started) return damaged(path);
    if (!locum_json_number(json, locum_json_find(json, 0, "seconds"), &r->seconds)) return damaged(path);
    r->hash = strtoull(hash, &end, 16);
    r->done = !strcmp(state, "done");
    if (*end || (!r->done && strcmp(state, "partial") != 0)) return damaged(path);
    snprintf(r->started, sizeof r->started, "%s", started);
    r->exists = true;
    return locum_copy_text(&r->options, options);
}

static locum_status read_json(const char *path, locum_json **json)
{
    char *bytes = NULL;
    size_t n = 0;
    *json = NULL;
    LOCUM_TRY(locum_read_bytes(path, RECORD_BYTES, &bytes, &n));
    locum_status st = locum_json_parse(bytes, n, 10000, json);
    free(bytes);
    return st == LOCUM_DAMAGED ? damaged(path) : st;
}

static locum_status read_record(const char *path, record *r)
{
    locum_json *json = NULL;
    *r = (record){0};
    if (access(path, F_OK)) return LOCUM_OK;
    locum_status st = read_json(path, &json);
    if (!st) st = parse_record(json, path, r);
    locum_json_destroy(json);
    return st;
}

static locum_status write_record(const locum_run *run, const held_stage *held, bool done, const char *facts)
{
    char path[LOCUM_PATH_SIZE], hash[LOCUM_HASH_TEXT_SIZE], now[TIME_SIZE], host[256];
    locum_text text = {0};
    locum_json *json = NULL;
    LOCUM_TRY(stage_file(run, held->stage, "json", path));
    locum_hash_text(held->hash, hash);
    time_text(now);
    host_text(host, sizeof host);
    locum_text_add(&text, "{\"stage\": \"%s\",\n \"hash\": \"%s\",\n \"state\": \"%s\",\n", held->stage, hash,
                   done ? "done" : "partial");
    locum_text_add(&text, " \"started\": \"%s\",\n \"finished\": ", held->started);
    locum_text_add(&text, done ? "\"%s\",\n" : "null,\n", now);
    locum_text_add(&text, " \"seconds\": %.3f,\n \"program\": \"locum %s\",\n \"host\": ",
                   held->spent + locum_clock() - held->begun, LOCUM_VERSION);
    locum_text_json_string(&text, host);
    locum_text_add(&text, ",\n \"options\": ");
    locum_text_json_string(&text, held->options);
    locum_text_add(&text, ",\n \"facts\": {%s}}\n", facts ? facts : "");
    locum_status st = text.status;
    if (!st && facts && locum_json_parse(text.data, text.size, 10000, &json))
        st = LOCUM_FAIL(LOCUM_INTERNAL, "the facts of stage `%s` are no JSON members: %.200s", held->stage, facts);
    locum_json_destroy(json);
    if (!st) st = locum_commit_bytes(path, text.data, text.size);
    locum_text_free(&text);
    return st;
}

/* ---- options that differ ---- */

static void write_value(const locum_yaml *node, locum_text *out)
{
    if (node)
        locum_yaml_write(node, 0, out);
    else
        locum_text_add(out, "not set");
}

/* appends "train.epochs: 2000 -> 4000; ..." for every leaf that differs; *n counts them */
static void compare_nodes(const locum_yaml *old, const locum_yaml *new, const char *path, int *n, locum_text *out)
{
    enum { MOST_SHOWN = 8 };
    char child[512];
    const locum_yaml *mapping = locum_yaml_kind_of(old) == LOCUM_YAML_MAPPING ? old : new;
    if (locum_yaml_kind_of(mapping) == LOCUM_YAML_MAPPING) {
        const locum_yaml *a = locum_yaml_kind_of(old) == LOCUM_YAML_MAPPING ? old : NULL;
        const locum_yaml *b = locum_yaml_kind_of(new) == LOCUM_YAML_MAPPING ? new : NULL;
        /* a model's options stand beside `model` as written, and complete in a mapping of its name: told once */
        const char *model = locum_yaml_string(locum_yaml_find(mapping, "model"));
        const locum_yaml *whole = model ? locum_yaml_find(mapping, model) : NULL;
        bool bare = (old && !a) || (new && !b); /* `forcing: none` against {name: kolmogorov, ...} */
        if (bare)
            compare_nodes(a ? locum_yaml_find(a, "name") : old, b ? locum_yaml_find(b, "name") : new, path, n, out);
        for (int pass = 0; pass < 2; pass++) {
            const locum_yaml *keys = pass ? b : a;
            for (int i = 0; i < locum_yaml_n(keys); i++) {
                const char *key = locum_yaml_key(keys, i);
                if ((pass && locum_yaml_find(a, key)) || (bare && !strcmp(key, "name"))) continue;
                if (locum_yaml_find(whole, key)) continue;
                if (whole && !strcmp(key, model))
                    snprintf(child, sizeof child, "%s", path);
                else
                    snprintf(child, sizeof child, "%.400s%s%.80s", path, path[0] ? "." : "", key);
                compare_nodes(locum_yaml_find(a, key), locum_yaml_find(b, key), child, n, out);
            }
        }
        return;
    }
    locum_text left = {0}, right = {0};
    write_value(old, &left);
    write_value(new, &right);
    if (left.data && right.data && strcmp(left.data, right.data) != 0) {
        if (*n < MOST_SHOWN) locum_text_add(out, "%s%s: %.60s -> %.60s", *n ? "; " : "", path, left.data, right.data);
        if (*n == MOST_SHOWN) locum_text_add(out, "; ...");
        ++*n;
    }
    locum_text_free(&left);
    locum_text_free(&right);
}

/* are they all about what the files of the block `dataset` hold? differences: "key: old -> new; key: old -> new" */
static bool only_data_differ(const char *differences)
{
    static const char *const keys[] = {LOCUM_RUN_DATA_KEY ": ", "dataset.path_content: "};
    for (const char *at = differences; at; at = strstr(at, "; ")) {
        if (at != differences) at += 2;
        if (strncmp(at, keys[0], strlen(keys[0])) != 0 && strncmp(at, keys[1], strlen(keys[1])) != 0) return false;
    }
    return true;
}

/* "other data: ..." or "other options (train.epochs: 2000 -> 4000; ...)" */
static void tell_differences(const char *old, const char *new, locum_text *out)
{
    locum_text differences = {0};
    locum_document *a = NULL, *b = NULL;
    int n = 0;
    if (!locum_document_parse(old, strlen(old), "old", &a) && !locum_document_parse(new, strlen(new), "new", &b))
        compare_nodes(locum_document_root(a), locum_document_root(b), "", &n, &differences);
    locum_document_destroy(a);
    locum_document_destroy(b);
    bool told = n > 0 && !differences.status;
    if (told && only_data_differ(differences.data))
        locum_text_add(out, "other data: the files of the block `dataset` have changed since");
    else
        locum_text_add(out, "other options (%.700s)", told ? differences.data : "not the same ones");
    locum_text_free(&differences);
}

/* advice: what to do about it */
static locum_status fail_other_options(const locum_run *run, const char *stage, const char *old, const char *new,
                                       const char *advice)
{
    locum_text text = {0};
    tell_differences(old, new, &text);
    locum_status st = text.status;
    if (!st) st = LOCUM_FAIL(LOCUM_EXISTS, "%s: stage `%s` was made from %s: %s", run->path, stage, text.data, advice);
    locum_text_free(&text);
    return st;
}

/* ---- what is there ---- */

typedef struct request {
    const char *stage;
    uint64_t hash;
    const char *options;
    const char *const *outputs;
} request;

/* calls for every record of the stage and its parts; stops at the first failure */
static locum_status each_record(const locum_run *run, const char *stage,
                                locum_status (*call)(const locum_run *, const char *path, const request *, bool *other),
                                const request *wanted, bool *other)
{
    char folder[LOCUM_PATH_SIZE], path[LOCUM_PATH_SIZE], whole[STAGE_SIZE];
    locum_status st = locum_run_file(run, "stages", folder);
    if (st) return st;
    whole_stage(stage, whole);
    size_t n = strlen(whole);
    DIR *listing = opendir(folder);
    if (!listing) return LOCUM_FAIL(LOCUM_IO, "%s: cannot be read: %s", folder, strerror(errno));
    for (struct dirent *entry = readdir(listing); entry && !st; entry = readdir(listing)) {
        const char *name = entry->d_name;
        size_t length = strlen(name);
        if (strncmp(name, whole, n) != 0 || name[n] != '.' || length < 5 || strcmp(name + length - 5, ".json") != 0)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) continue;
        st = call(run, path, wanted, other);
    }
    closedir(listing);
    return st;
}

static locum_status compare_record(const locum_run *run, const char *path, const request *wanted, bool *any)
{
    char whole[STAGE_SIZE], advice[STAGE_SIZE + 128];
    record r;
    locum_status st = read_record(path, &r);
    if (!st && r.exists) *any = true;
    if (!st && r.exists && r.hash != wanted->hash) {
        whole_stage(wanted->stage, whole);
        snprintf(advice, sizeof advice,
                 "use --force (or run --force=%s) to redo this stage, or --out for another directory", whole);
        st = fail_other_options(run, wanted->stage, r.options, wanted->options, advice);
    }
    free(r.options);
    return st;
}

static locum_status remove_record(const locum_run *run, const char *path, const request *wanted, bool *any)
{
    (void)run, (void)wanted, (void)any;
    if (unlink(path) && errno != ENOENT)
        return LOCUM_FAIL(LOCUM_IO, "%s: cannot be removed: %s", path, strerror(errno));
    return LOCUM_OK;
}

static bool is_empty_folder(const char *path)
{
    DIR *listing = opendir(path);
    int n = 0;
    if (!listing) return false;
    while (n <= 2 && readdir(listing)) n++;
    closedir(listing);
    return n <= 2;
}

/* the first output that is there (an empty folder is not), "" if none */
static locum_status find_output(const locum_run *run, const char *const *outputs, char found[LOCUM_PATH_SIZE])
{
    for (; outputs && *outputs; outputs++) {
        LOCUM_TRY(locum_run_file(run, *outputs, found));
        if (!access(found, F_OK) && !is_empty_folder(found)) return LOCUM_OK;
    }
    found[0] = 0;
    return LOCUM_OK;
}

/* records go first: a kill in between leaves outputs of unknown options, which are refused */
static locum_status remove_results(const locum_run *run, const request *wanted)
{
    char path[LOCUM_PATH_SIZE];
    if (is_part(wanted->stage)) {
        LOCUM_TRY(stage_file(run, wanted->stage, "json", path));
        LOCUM_TRY(remove_record(run, path, NULL, NULL));
    } else {
        LOCUM_TRY(each_record(run, wanted->stage, remove_record, wanted, NULL));
    }
    for (const char *const *output = wanted->outputs; output && *output; output++) {
        LOCUM_TRY(locum_run_file(run, *output, path));
        LOCUM_TRY(locum_remove_tree(path));
    }
    return LOCUM_OK;
}

static locum_status examine(const locum_run *run, const request *wanted, held_stage *held, locum_stage_state *state)
{
    char path[LOCUM_PATH_SIZE], found[LOCUM_PATH_SIZE];
    record own;
    bool any = false;
    LOCUM_TRY(stage_file(run, wanted->stage, "json", path));
    LOCUM_TRY(find_output(run, wanted->outputs, found));
    if (wanted->outputs && wanted->outputs[0] && !found[0]) { /* nothing was made, whatever was tried */
        *state = LOCUM_STAGE_NEW;
        return LOCUM_OK;
    }
    LOCUM_TRY(each_record(run, wanted->stage, compare_record, wanted, &any));
    if (!any && found[0])
        return LOCUM_FAIL(LOCUM_EXISTS,
                          "%s exists, but nothing says which options it was made from: use --force to redo stage "
                          "`%s`, or --out for another directory",
                          found, wanted->stage);
    LOCUM_TRY(read_record(path, &own));
    *state = own.done ? LOCUM_STAGE_DONE : LOCUM_STAGE_NEW;
    if ((own.exists && !own.done) || (!own.exists && any && !is_part(wanted->stage))) *state = LOCUM_STAGE_RESUME;
    if (*state == LOCUM_STAGE_RESUME && own.exists) {
        held->spent = own.seconds;
        snprintf(held->started, sizeof held->started, "%s", own.started);
    }
    free(own.options);
    return LOCUM_OK;
}

/* ---- stages ---- */

locum_status locum_stage_begin(locum_run *run, const char *stage, uint64_t hash, const char *options_text, bool force,
                               const char *const *outputs, locum_stage_state *state)
{
    request wanted = {stage, hash, options_text ? options_text : "", outputs};
    held_stage held = {.hash = hash, .lock = -1, .whole_lock = -1};
    LOCUM_REQUIRE(!find_held(run, stage), LOCUM_INTERNAL, "stage `%s` was begun twice", stage);
    LOCUM_REQUIRE(run->n_held < MOST_STAGES, LOCUM_INTERNAL, "more than %d stages at once", MOST_STAGES);
    LOCUM_TRY(lock_stage(run, stage, &held));
    snprintf(held.stage, sizeof held.stage, "%s", stage);
    time_text(held.started);
    *state = LOCUM_STAGE_NEW;
    locum_status st = force ? remove_results(run, &wanted) : examine(run, &wanted, &held, state);
    if (!st) st = locum_copy_text(&held.options, wanted.options);
    held.begun = locum_clock();
    if (!st && *state != LOCUM_STAGE_DONE) st = write_record(run, &held, false, NULL);
    if (st || *state == LOCUM_STAGE_DONE) {
        unlock(&held);
        free(held.options);
        return st;
    }
    run->held[run->n_held++] = held;
    return LOCUM_OK;
}

locum_status locum_stage_finish(locum_run *run, const char *stage, const char *facts)
{
    held_stage *held = find_held(run, stage);
    LOCUM_REQUIRE(held, LOCUM_INTERNAL, "stage `%s` is finished, but was not begun", stage);
    LOCUM_TRY(write_record(run, held, true, facts));
    release(run, held);
    return LOCUM_OK;
}

void locum_stage_leave(locum_run *run, const char *stage)
{
    held_stage *held = run ? find_held(run, stage) : NULL;
    if (!held) return;
    if (write_record(run, held, false,
                     NULL)) { /* only the time spent is lost; the failure that led here stays the news */
    }
    release(run, held);
}

/* the record of a stage that is done; free(r->options) in any case */
static locum_status read_done(const locum_run *run, const char *stage, const char *verb, record *r)
{
    char path[LOCUM_PATH_SIZE];
    *r = (record){0};
    LOCUM_TRY(stage_file(run, stage, "json", path));
    LOCUM_TRY(read_record(path, r));
    LOCUM_REQUIRE(r->done, LOCUM_INPUT, "%s: stage `%s` is %s: `locum %s` makes it", run->path, stage,
                  r->exists ? "not finished" : "missing", verb);
    return LOCUM_OK;
}

locum_status locum_stage_require(const locum_run *run, const char *stage, const char *verb, uint64_t *hash)
{
    record r;
    locum_status st = read_done(run, stage, verb, &r);
    if (hash) *hash = r.hash;
    free(r.options);
    return st;
}

locum_status locum_stage_require_same(const locum_run *run, const char *stage, const char *verb, uint64_t hash,
                                      const char *options_text)
{
    char advice[STAGE_SIZE + 128];
    record r;
    locum_status st = read_done(run, stage, verb, &r);
    if (!st && r.hash != hash) {
        snprintf(advice, sizeof advice, "`locum %s --force` makes it anew, --out names another run directory", verb);
        st = fail_other_options(run, stage, r.options, options_text, advice);
    }
    free(r.options);
    return st;
}

bool locum_stage_fact(const locum_run *run, const char *stage, const char *name, double *value)
{
    char path[LOCUM_PATH_SIZE];
    locum_json *json = NULL;
    if (stage_file(run, stage, "json", path) || access(path, F_OK) || read_json(path, &json)) return false;
    locum_json_node facts = locum_json_find(json, 0, "facts");
    bool found = locum_json_number(json, locum_json_find(json, facts, name), value) ||
                 locum_json_number(json, locum_json_find(json, 0, name), value);
    locum_json_destroy(json);
    return found;
}

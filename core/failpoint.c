/* SPDX-License-Identifier: BSD-3-Clause */
/* failpoint.c - LOCUM_FAILPOINTS, read by testing builds only; the rest compile this file to nothing.
 *
 * The variable is read again whenever its text changes, and all hits start from zero then; so a test may set it
 * while it runs. A list that cannot be read fails every failpoint, lest a test with a typing error passes. */
#include "core/failpoint.h"

#ifdef LOCUM_TESTING

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/text.h"

enum { POINTS_MAX = 16, LIST_SIZE = 1024, NAME_SIZE = 64 };

typedef enum action { ACT_ERROR, ACT_MEMORY, ACT_NUMERIC, ACT_KILL, ACT_SLEEP, ACT_NAN } action;

typedef struct point {
    char name[NAME_SIZE];
    long hit;  /**< which hit acts, from 1; 0 = each */
    long rank; /**< which rank acts; -1 = each */
    long hits; /**< so far in this process */
    action action;
    double seconds;
} point;

static struct {
    pthread_mutex_t lock;
    char list[LIST_SIZE];
    point points[POINTS_MAX];
    int n_points, rank;
    int broken;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

void locum_failpoint_rank(int rank)
{
    pthread_mutex_lock(&table.lock);
    table.rank = rank;
    pthread_mutex_unlock(&table.lock);
}

/* "@17" or "%3" at *text; moves on behind it. 0 = there is none or it is no number */
static int parse_suffix(char **text, char mark, long *value)
{
    if (**text != mark) return 1;
    char *digits = *text + 1;
    *value = strtol(digits, text, 10);
    return *text != digits && *value >= 0;
}

static int parse_action(const char *text, point *p)
{
    static const char *const names[] = {"error", "memory", "numeric", "kill", "sleep", "nan"};

    if (!strncmp(text, "sleep:", 6)) {
        char *end;
        p->action = ACT_SLEEP;
        p->seconds = locum_parse_number(text + 6, &end);
        return end != text + 6 && !*end && p->seconds >= 0 && p->seconds < 1e6;
    }
    for (int i = 0; i <= ACT_NAN; i++)
        if (i != ACT_SLEEP && !strcmp(text, names[i])) {
            p->action = (action)i;
            return 1;
        }
    return 0;
}

/* name[@hit][%rank]=action */
static int parse_point(char *text, point *p)
{
    char *equals = strchr(text, '=');

    if (!equals) return 0;
    *equals = 0;
    *p = (point){.rank = -1};
    size_t n = strcspn(text, "@%");
    if (n == 0 || n >= sizeof p->name) return 0;
    memcpy(p->name, text, n);

    char *rest = text + n;
    return parse_suffix(&rest, '@', &p->hit) && parse_suffix(&rest, '%', &p->rank) && !*rest &&
           parse_action(equals + 1, p);
}

static void parse_list(const char *list)
{
    char copy[LIST_SIZE], *left = NULL;

    table.n_points = 0;
    table.broken = strlen(list) >= sizeof copy;
    if (table.broken) return;
    strcpy(table.list, list);
    strcpy(copy, list);
    for (char *item = strtok_r(copy, ",", &left); item; item = strtok_r(NULL, ",", &left)) {
        if (table.n_points == POINTS_MAX || !parse_point(item, &table.points[table.n_points])) {
            table.broken = 1;
            return;
        }
        table.n_points++;
    }
}

static locum_status act(const point *p, long hit)
{
    double whole = (double)(long)p->seconds;
    struct timespec pause = {(time_t)whole, (long)((p->seconds - whole) * 1e9)};

    switch (p->action) {
    case ACT_ERROR: return LOCUM_FAIL(LOCUM_IO, "failpoint %s, hit %ld: error", p->name, hit);
    case ACT_MEMORY: return LOCUM_FAIL(LOCUM_MEMORY, "failpoint %s, hit %ld: out of memory", p->name, hit);
    case ACT_NUMERIC: return LOCUM_FAIL(LOCUM_NUMERIC, "failpoint %s, hit %ld: not finite", p->name, hit);
    case ACT_NAN: return LOCUM_FAIL(LOCUM_NUMERIC, "failpoint %s, hit %ld: nan", p->name, hit);
    case ACT_KILL: kill(getpid(), SIGKILL); break;
    case ACT_SLEEP: nanosleep(&pause, NULL); break;
    }
    return LOCUM_OK;
}

locum_status locum_failpoint(const char *name)
{
    const char *list = getenv("LOCUM_FAILPOINTS");
    point acting = {0};

    pthread_mutex_lock(&table.lock);
    if (!list) list = "";
    if (strcmp(list, table.list)) {
        table.list[0] = 0;
        parse_list(list);
    }
    int broken = table.broken && *list;
    for (int i = 0; i < table.n_points && !broken; i++) {
        point *p = &table.points[i];
        if (strcmp(p->name, name)) continue;
        p->hits++;
        int here = (p->hit == 0 || p->hit == p->hits) && (p->rank < 0 || p->rank == table.rank);
        if (here && !acting.name[0]) acting = *p;
    }
    pthread_mutex_unlock(&table.lock);

    if (broken) return LOCUM_FAIL(LOCUM_ARG, "LOCUM_FAILPOINTS cannot be read: %s", list);
    return acting.name[0] ? act(&acting, acting.hits) : LOCUM_OK;
}

#else

typedef int locum_failpoint_nothing; /* ISO C wants at least one declaration in a file */

#endif
